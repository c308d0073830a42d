//! The tasks of a pool, in the memory of its coordinator's xapi (xenapi-wire.md §9; xen-api,
//! `ocaml/xapi/xapi_task.ml` and `taskHelper.ml`): they end with that process.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ground::{Clock, Seed, Timestamp};

use crate::{ApiError, Reference, Session, Task, TaskStatus, datamodel, xapi::Pool};

/// How long a task stays in seconds: after its end, or after its beginning while it goes on.
const AGE_MAX_SECONDS: i64 = 86_400;
/// The permission to meddle with tasks of others.
const ANY_TASK: &str = "task.destroy/any";

impl Pool {
    /// Begins a task for `session`; it runs on the coordinator until [`Pool::end_task`].
    pub fn begin_task(&self, label: &str, description: &str, session: &Session) -> Reference {
        self.tasks().begin(label, description, session, self.coordinator().reference())
    }

    /// The task has come to an end: with a result in XML-RPC value form, or a failure. One that was
    /// destroyed meanwhile is gone.
    pub fn end_task(&self, task: &Reference, outcome: Result<String, &ApiError>) {
        self.tasks().end(task, outcome);
    }

    /// The tasks in order of their beginning.
    pub fn tasks_in_order(&self) -> Vec<Task> {
        self.tasks().lock().tasks.clone()
    }

    /// `task.destroy`: a task that goes on is gone at its end.
    pub fn destroy_task(&self, task: &Reference, session: &Session) -> Result<(), ApiError> {
        self.tasks().destroy(task, session)
    }

    /// `task.cancel`: notes the wish. No call that is modelled looks at it while it works.
    pub fn cancel_task(&self, task: &Reference, session: &Session) -> Result<(), ApiError> {
        self.tasks().cancel(task, session)
    }
}

/// The tasks of a pool.
#[derive(Debug)]
pub(super) struct Tasks {
    seed: Seed,
    clock: Clock,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    begun: u64,
    tasks: Vec<Task>,
}

impl Tasks {
    pub(super) fn new(seed: Seed, clock: Clock) -> Self {
        Self { seed: seed.child("tasks"), clock, known: Mutex::default() }
    }

    /// Forgets all of them: xapi has restarted.
    pub(super) fn forget(&self) {
        self.lock().tasks.clear();
    }

    fn begin(&self, label: &str, text: &str, session: &Session, host: &Reference) -> Reference {
        let mut known = self.lock();
        let (reference, uuid) = self.identity(&mut known);
        known.tasks.push(Task {
            reference: reference.clone(),
            uuid,
            name_label: label.to_owned(),
            name_description: text.to_owned(),
            status: TaskStatus::Pending,
            created: self.clock.now(),
            finished: Timestamp::from_unix(0),
            result: String::new(),
            error_info: Vec::new(),
            resident_on: host.clone(),
            auth_user_sid: session.auth_user_sid.clone(),
            current_operations: BTreeMap::new(),
        });
        reference
    }

    fn end(&self, reference: &Reference, outcome: Result<String, &ApiError>) {
        let mut known = self.lock();
        let Some(task) = known.tasks.iter_mut().find(|task| task.reference == *reference) else {
            return;
        };
        task.finished = self.clock.now();
        match outcome {
            Ok(result) => (task.status, task.result) = (TaskStatus::Success, result),
            Err(error) => {
                task.status = TaskStatus::Failure;
                task.error_info = [&error.code].into_iter().chain(&error.params).cloned().collect();
            }
        }
        if task.current_operations.values().any(|operation| *operation == "destroy") {
            known.tasks.retain(|task| task.reference != *reference);
        }
    }

    fn destroy(&self, reference: &Reference, session: &Session) -> Result<(), ApiError> {
        let mut known = self.lock();
        let task = known.of(reference, session)?;
        if task.status.is_final() {
            known.tasks.retain(|task| task.reference != *reference);
        } else {
            task.current_operations.insert(Reference::new("task"), "destroy");
        }
        Ok(())
    }

    fn cancel(&self, reference: &Reference, session: &Session) -> Result<(), ApiError> {
        let mut known = self.lock();
        // The call itself is a task, too, of which nothing but this trace remains.
        let (this, _) = self.identity(&mut known);
        known.of(reference, session)?.current_operations = [(this, "cancel")].into();
        Ok(())
    }

    fn identity(&self, known: &mut Known) -> (Reference, uuid::Uuid) {
        known.begun += 1;
        let number = known.begun;
        let reference = self.seed.uuid(&format!("reference {number}"));
        (reference.into(), self.seed.uuid(&format!("uuid {number}")))
    }

    /// Those that are old are gone before anybody looks.
    fn lock(&self) -> MutexGuard<'_, Known> {
        // Consistent after every statement under the lock.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        known.tasks.retain(|task| {
            let since = if task.status.is_final() { task.finished } else { task.created };
            now <= since.plus_seconds(AGE_MAX_SECONDS)
        });
        known
    }
}

impl Known {
    /// The task, if `session` may meddle with it: any subject with its own, pool operators with
    /// all.
    fn of(&mut self, reference: &Reference, session: &Session) -> Result<&mut Task, ApiError> {
        let task = self.tasks.iter_mut().find(|task| task.reference == *reference);
        let is_own = task.as_ref().is_some_and(|task| task.auth_user_sid == session.auth_user_sid);
        if !is_own && !session.permits(ANY_TASK) {
            return Err(datamodel::permission_denied(ANY_TASK));
        }
        task.ok_or_else(|| ApiError::handle_invalid("task", reference))
    }
}
