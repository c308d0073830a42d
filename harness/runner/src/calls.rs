//! Calls that steps make: at once, or in the background while other steps are done.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ground::{EventId, Secret, Trail};
use sim_host::{
    ApiError, Call, CallResult, Pool, Reference,
    facts::{LockWaiting, ProgramHeld},
};
use tokio::{sync::oneshot, task::JoinHandle};

/// What a step asks the pool for.
#[derive(Debug)]
pub(crate) enum Request {
    Call(Call),
    Login {
        user: String,
        password: Secret,
        originator: String,
    },
    Logout(Reference),
    LogoutSubject(String),
    /// Nothing: the session that the call needs at another pool was refused to its client.
    Refused(ApiError),
}

/// What came of it.
pub(crate) type Answer = Result<CallResult, ApiError>;

/// The sessions that steps have opened, by the names of the steps. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Arc<Mutex<BTreeMap<String, Reference>>>);

/// A call in the background.
#[derive(Debug)]
struct Background {
    task: JoinHandle<()>,
    answer: oneshot::Receiver<Answer>,
}

/// The calls in the background, by the names of their steps.
#[derive(Debug, Default)]
pub(crate) struct Backgrounds(BTreeMap<String, Background>);

impl Sessions {
    pub(crate) fn get(&self) -> MutexGuard<'_, BTreeMap<String, Reference>> {
        // A map is consistent after every statement under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows no reference: whoever knows one has the session.
impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.get().keys()).finish()
    }
}

impl Backgrounds {
    /// Begins a call, which goes on by itself.
    pub(crate) fn begin(
        &mut self,
        step: &str,
        pool: &Arc<Pool>,
        sessions: &Sessions,
        request: Request,
        trail: &Trail,
    ) {
        let (send, answer) = oneshot::channel();
        let (pool, sessions) = (Arc::clone(pool), sessions.clone());
        let (title, trail) = (step.to_owned(), trail.clone());
        let moving = pool.waiting_room().begin();
        let task = tokio::spawn(async move {
            let answer = perform(&pool, &sessions, &title, request, &trail).await;
            // Nobody asks any more when the case is over.
            let _ = send.send(answer);
            drop(moving);
        });
        self.0.insert(step.to_owned(), Background { task, answer });
    }

    /// Whether no call is in the background. One that has ended counts until somebody asked how.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits for the end of a call, however long that takes.
    pub(crate) async fn end(&mut self, step: &str) -> Option<Answer> {
        let answer = (&mut self.0.get_mut(step)?.answer).await.ok();
        self.0.remove(step);
        answer
    }

    /// Breaks off what has not ended.
    pub(crate) fn abort(&mut self) {
        for background in std::mem::take(&mut self.0).into_values() {
            background.task.abort();
        }
    }
}

/// Makes a call of the step called `title`.
pub(crate) async fn perform(
    pool: &Pool,
    sessions: &Sessions,
    title: &str,
    request: Request,
    trail: &Trail,
) -> Answer {
    match request {
        Request::Call(call) => pool.call(call, trail).await,
        Request::Login { user, password, originator } => {
            let session = pool.login(&user, &password, &originator, trail).await?;
            sessions.get().insert(title.to_owned(), session);
            Ok(CallResult::Void)
        }
        Request::Logout(session) => {
            pool.session(&session)?;
            pool.logout(&session);
            Ok(CallResult::Void)
        }
        Request::LogoutSubject(sid) => {
            pool.logout_subject_identifier(&sid, None, trail);
            Ok(CallResult::Void)
        }
        Request::Refused(error) => Err(error),
    }
}

/// What callers wait for since `before`, for people.
pub(crate) fn waits(trail: &Trail, before: Option<EventId>) -> String {
    let said: Vec<String> = trail
        .ledger()
        .events_after(before)
        .iter()
        .filter_map(|event| {
            let lock = event.fact::<LockWaiting>().map(|wait| {
                let (lock, holders) = (format!("{:?}", wait.lock), wait.held_by.join(", "));
                format!("{} waits for the lock {lock}, held by {holders}", wait.task)
            });
            let program = event.fact::<ProgramHeld>();
            lock.or(program.map(|held| format!("`{}` is held", held.program)))
        })
        .collect();
    said.join("; ")
}
