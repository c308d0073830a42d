//! From a request to its answer, whatever both are written in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ground::{Actor, EventId, Trail};
use sim_host::{ApiError, CallResult, Pool};
use tokio::{sync::oneshot, task::JoinSet};

use crate::{
    classes::View,
    facts::{Answered, Encoding, Garbage, Requested},
    method::{Method, Task, Work},
    request::{Answer, Request},
    value::Value,
};

/// The pool as clients see it.
pub(crate) struct Service {
    pool: Arc<Pool>,
    /// The coordinator's.
    trail: Trail,
    calls: Mutex<JoinSet<()>>,
}

impl Service {
    pub(crate) fn new(pool: Arc<Pool>, trail: &Trail) -> Self {
        let coordinator = pool.hosts().first().map_or("", |host| host.name());
        let trail = trail.of(Actor::Host(coordinator.to_owned()));
        Self { pool, trail, calls: Mutex::default() }
    }

    /// Answers a request. As in xapi, what has begun goes on to its end even if the client hangs
    /// up: it runs as a task of its own.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        request: Request,
        encoding: Encoding,
        cause: Option<EventId>,
    ) -> Answer {
        let (sender, receiver) = oneshot::channel();
        let service = Arc::clone(self);
        let call = async move {
            let method = Method::find(&request.method);
            let name = method.as_ref().map(|method| method.name.clone());
            let trail = service.trail_below(cause).begin(Requested { method: name, encoding });
            let answer = service.run(method, &request, &trail).await;
            trail.record(Answered { error: answer.as_ref().err().map(|error| error.code.clone()) });
            // Nobody listens any more if the client has hung up.
            let _ = sender.send(answer);
        };
        {
            let mut calls = self.calls();
            while calls.try_join_next().is_some() {}
            calls.spawn(call);
        }
        receiver.await.unwrap_or_else(|_| Err(internal("the call broke off")))
    }

    /// Notes that something came that is no request.
    pub(crate) fn note_garbage(&self, status: u16, cause: Option<EventId>) {
        self.trail_below(cause).record(Garbage { status });
    }

    /// Waits for the calls that have begun.
    pub(crate) async fn finish(&self) {
        let mut calls = std::mem::take(&mut *self.calls());
        while calls.join_next().await.is_some() {}
    }

    /// Breaks off the calls that have begun.
    pub(crate) fn abort(&self) {
        self.calls().abort_all();
    }

    /// The ledger that requests go to.
    pub(crate) fn trail(&self) -> &Trail {
        &self.trail
    }

    async fn run(&self, method: Option<Method>, request: &Request, trail: &Trail) -> Answer {
        let unknown = || ApiError::new("MESSAGE_METHOD_UNKNOWN", [request.method.as_str()]);
        let method = method.ok_or_else(unknown)?;
        match method.task(request, self.pool.profile(), self.pool.quirks())? {
            Task::LogIn { user, password, originator } => {
                self.pool.login(&user, &password, &originator, trail).await.map(Value::text)
            }
            Task::InSession { session, work } => {
                self.pool.session(&session)?;
                match work {
                    Work::Call(call) => match self.pool.call(call, trail).await? {
                        CallResult::Map(members) => Ok(Value::Struct(
                            members
                                .into_iter()
                                .map(|(key, text)| (key, Value::Text(text)))
                                .collect(),
                        )),
                        CallResult::Reference(reference) => Ok(Value::text(reference)),
                        CallResult::Text(text) => Ok(Value::Text(text)),
                        CallResult::Texts(texts) => Ok(Value::texts(texts)),
                        CallResult::Void => Ok(Value::void()),
                        other => Err(internal(&format!("no wire form for {other:?}"))),
                    },
                    Work::Internal => Err(internal("only hosts of the pool may call this")),
                    Work::LogOut => {
                        self.pool.logout(&session);
                        Ok(Value::void())
                    }
                    Work::Read { read, wanted } => read.run(&self.view(), &wanted),
                }
            }
        }
    }

    fn view(&self) -> View {
        View { records: self.pool.database_view(), sessions: self.pool.open_sessions() }
    }

    fn trail_below(&self, cause: Option<EventId>) -> Trail {
        self.trail.under(cause.or(self.trail.cause()))
    }

    fn calls(&self) -> MutexGuard<'_, JoinSet<()>> {
        // A set of tasks is consistent after every statement under the lock.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn internal(text: &str) -> ApiError {
    ApiError::new("INTERNAL_ERROR", [text])
}
