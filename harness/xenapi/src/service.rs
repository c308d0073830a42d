//! From a request to its answer, whatever both are written in (xenapi-wire.md §5).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ground::{Actor, EventId, Trail};
use sim_host::{
    ApiError, CallResult, Certificate, CertificateType, Host, Pool, Quirk, Quirks, Session,
    datamodel,
};
use tokio::{
    sync::{oneshot, watch},
    task::JoinSet,
};
use xenapi_client::{Answer, Encoding, Request, Value, xml_rpc};

use crate::{
    classes::View,
    facts::{Answered, Garbage, Requested},
    method::{Job, Method, SessionWork, Work},
};

/// A host of the pool as clients see it.
pub(crate) struct Service {
    /// The pool that the host was in when the service began.
    first_pool: Arc<Pool>,
    host: Arc<Host>,
    /// The host's.
    trail: Trail,
    calls: Mutex<JoinSet<()>>,
    /// How many of them have not ended.
    running: watch::Sender<usize>,
}

/// Where the answer goes: at once, or before the work begins.
type Reply = oneshot::Sender<Answer>;

impl Service {
    pub(crate) fn new(pool: Arc<Pool>, host: Arc<Host>, trail: &Trail) -> Self {
        let trail = trail.of(Actor::Host(host.name().to_owned()));
        let first_pool = pool;
        Self { first_pool, host, trail, calls: Mutex::default(), running: watch::Sender::new(0) }
    }

    /// Answers a request. As in xapi, what has begun goes on to its end even if the client hangs
    /// up: it runs as a task of its own.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        request: Request,
        encoding: Encoding,
        cause: Option<EventId>,
    ) -> Answer {
        let (reply, answer) = oneshot::channel();
        let service = Arc::clone(self);
        let call = async move {
            let method = Method::find(&request.method);
            let name = method.as_ref().ok().map(|method| method.name.clone());
            let trail = service.trail_below(cause).begin(Requested { method: name, encoding });
            service.run(method, &request, &trail, reply).await;
            service.running.send_modify(|running| *running -= 1);
        };
        self.running.send_modify(|running| *running += 1);
        {
            let mut calls = self.calls();
            while calls.try_join_next().is_some() {}
            calls.spawn(call);
        }
        answer.await.unwrap_or_else(|_| Err(internal("the call broke off")))
    }

    /// Notes that something came that is no request.
    pub(crate) fn note_garbage(&self, status: u16, cause: Option<EventId>) {
        self.trail_below(cause).record(Garbage { status });
    }

    /// Waits for the calls that have begun, while others may begin.
    pub(crate) async fn quiet(&self) {
        // Fails when the sender is gone; it lives in `self`.
        let _ = self.running.subscribe().wait_for(|running| *running == 0).await;
    }

    /// Waits for the calls that have begun. No more come.
    pub(crate) async fn finish(&self) {
        let mut calls = std::mem::take(&mut *self.calls());
        while calls.join_next().await.is_some() {}
    }

    /// Breaks off the calls that have begun.
    pub(crate) fn abort(&self) {
        self.calls().abort_all();
    }

    /// The host that is served.
    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    /// What the coordinator shows to clients.
    pub(crate) fn coordinator_certificate(&self) -> Option<Certificate> {
        let records = self.pool().database_view();
        let is_it = |row: &Certificate| {
            row.kind == CertificateType::Host && row.host == records.pool.master
        };
        records.certificates.into_iter().find(is_it)
    }

    /// The ledger that requests go to.
    pub(crate) fn trail(&self) -> &Trail {
        &self.trail
    }

    /// Carries out a request and replies: when it is done, or, if it goes on by itself, before it
    /// begins.
    async fn run(
        &self,
        method: Result<Method, ApiError>,
        request: &Request,
        trail: &Trail,
        reply: Reply,
    ) {
        let reply = |answer: Answer| {
            trail.record(Answered { error: answer.as_ref().err().map(|error| error.code.clone()) });
            // Nobody listens any more if the client has hung up.
            let _ = reply.send(answer);
        };
        let admitted = method
            .and_then(|method| method.of(&self.pool()))
            .and_then(|method| Ok((self.admit(&method, request)?, method)));
        let (method, session, work) = match admitted {
            Ok((Admitted::Work(session, work), method)) => (method, session, work),
            Ok((Admitted::LogIn(job), _)) => return reply(self.log_in(job, trail).await),
            Err(error) => return reply(Err(error)),
        };
        if !method.is_async {
            return reply(self.work(&method, &session, work, trail).await);
        }
        // A host that joins a pool leaves the one that the task belongs to.
        let pool = self.pool();
        let task = pool.begin_task(&request.method, "", &session);
        reply(Ok(Value::text(&task)));
        let answer = self.work(&method, &session, work, trail).await;
        let outcome = answer.as_ref().map(xml_rpc::write_alone);
        pool.end_task(&task, outcome);
    }

    /// Steps 3 to 6.
    fn admit(&self, method: &Method, request: &Request) -> Result<Admitted, ApiError> {
        let job = method.job(request, self.pool().profile(), self.pool().quirks())?;
        let Job::InSession { session, work } = job else {
            self.refuse_on_member()?;
            return Ok(Admitted::LogIn(job));
        };
        let session = self.pool().session(&session)?;
        if !session.pool {
            if matches!(work, Work::Internal) {
                return Err(internal(&format!(
                    "Internal API \"{}\" call attempted with non-pool (external) session",
                    method.name
                )));
            }
            self.refuse_on_member()?;
        }
        if method.is_async && !method.supports_async() {
            let text = format!("No async mode for this operation (rpc: {})", method.name);
            return Err(ApiError::new("Fault", [text]));
        }
        Ok(Admitted::Work(session, work))
    }

    /// The pool that the host is in at this moment.
    fn pool(&self) -> Arc<Pool> {
        let rig = self.first_pool.rig();
        let pool = rig.and_then(|rig| rig.pool_of(self.host.name()));
        pool.unwrap_or_else(|| Arc::clone(&self.first_pool))
    }

    /// A client is to go to the coordinator.
    fn refuse_on_member(&self) -> Result<(), ApiError> {
        let pool = self.pool();
        let records = pool.database_view();
        let host = pool.host(self.host.name());
        if host.is_some_and(|host| *host.reference() == records.pool.master) {
            return Ok(());
        }
        let address = records.host(&records.pool.master).map(|host| host.address.clone());
        Err(ApiError::new("HOST_IS_SLAVE", [address.unwrap_or_default()]))
    }

    async fn log_in(&self, job: Job, trail: &Trail) -> Answer {
        let Job::LogIn { user, password, originator } = job else {
            return Err(internal("this is no login"));
        };
        self.pool().login(&user, &password, &originator, trail).await.map(Value::text)
    }

    /// Steps 7 to 9.
    async fn work(&self, method: &Method, session: &Session, work: Work, trail: &Trail) -> Answer {
        if !method.only_reads() && !session.permits(&method.name.to_lowercase()) {
            return Err(datamodel::permission_denied(&method.name));
        }
        match work {
            Work::Call(call) => {
                let pool = self.pool();
                let result = pool.call(call, trail).await?;
                wire_form(result, pool.quirks())
            }
            Work::Internal => Err(internal("this is for the hosts of a pool, not for clients")),
            Work::Read { read, wanted } => {
                let pool = self.pool();
                let not_is_loose = pool.quirks().has(Quirk::FilterNotBindsLoosely);
                read.run(&View::of(&pool), &wanted, not_is_loose)
            }
            Work::Session(work) => self.work_of_session(session, work, trail),
        }
    }

    fn work_of_session(&self, session: &Session, work: SessionWork, trail: &Trail) -> Answer {
        match work {
            SessionWork::CancelTask(task) => self.pool().cancel_task(&task, session)?,
            SessionWork::CreateTask { label, description } => {
                return Ok(Value::text(self.pool().begin_task(&label, &description, session)));
            }
            SessionWork::DestroyTask(task) => self.pool().destroy_task(&task, session)?,
            SessionWork::LogOut => self.pool().logout(&session.reference),
            SessionWork::LogOutSubject(sid) => {
                self.pool().logout_subject_identifier(&sid, Some(&session.reference), trail);
            }
        }
        Ok(Value::void())
    }

    fn trail_below(&self, cause: Option<EventId>) -> Trail {
        self.trail.under(cause.or(self.trail.cause()))
    }

    fn calls(&self) -> MutexGuard<'_, JoinSet<()>> {
        // A set of tasks is consistent after every statement under the lock.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that was let in.
enum Admitted {
    LogIn(Job),
    Work(Session, Work),
}

fn wire_form(result: CallResult, quirks: &Quirks) -> Answer {
    Ok(match result {
        CallResult::Map(members) => Value::texts_by_key(members),
        CallResult::Reference(reference) => Value::text(reference),
        CallResult::SetsByKey(pairs) if quirks.has(Quirk::ExchangeMapDuplicateKeys) => {
            Value::sets_by_key(pairs)
        }
        CallResult::SetsByKey(pairs) => Value::pairs_of_sets(pairs),
        CallResult::Text(text) => Value::Text(text),
        CallResult::Texts(texts) => Value::texts(texts),
        CallResult::Void => Value::void(),
        other => return Err(internal(&format!("no wire form for {other:?}"))),
    })
}

fn internal(text: &str) -> ApiError {
    ApiError::new("INTERNAL_ERROR", [text])
}
