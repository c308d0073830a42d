//! Operations of a pool, which exclude each other (xapi-flows.md §17, "pool operation").
//!
//! They are kept in memory: a restart of the coordinator's xapi forgets them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ground::{Bell, Seed, Timestamp, Trail, WaitingRoom};
use rand::RngExt as _;
use serde::Serialize;

use crate::{
    ApiError, HostError, Reference,
    facts::{OperationBegan, OperationEnded},
    xapi::{
        Pool,
        lock::{Lock, LockGuard, LockName},
    },
};

/// For how long an operation waits for others before it fails.
const WAIT_LIMIT: Duration = Duration::from_secs(7_200);

macro_rules! operations {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $blocking:literal;)+) => {
        /// An operation of the pool, as in `pool.allowed_operations`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum PoolOperation {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl PoolOperation {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Whether it is of the blocking kind, which fails at once while another is current; the
            /// others wait.
            pub const fn is_blocking(self) -> bool {
                match self {
                    $(Self::$variant => $blocking,)+
                }
            }
        }
    };
}

operations! {
    /// Updates are being applied.
    ApplyUpdates = "apply_updates", true;
    /// Pool-internal certificates are being renewed.
    CertRefresh = "cert_refresh", false;
    /// A cluster is being made.
    ClusterCreate = "cluster_create", true;
    /// Repositories are being configured.
    ConfigureRepositories = "configure_repositories", true;
    /// The coordinator sends its certificates to others.
    CopyPrimaryHostCerts = "copy_primary_host_certs", false;
    /// Another host becomes the coordinator.
    DesignateNewMaster = "designate_new_master", true;
    /// A host leaves.
    Eject = "eject", false;
    /// Legacy CAs are exchanged with a joiner.
    ExchangeCaCertificatesOnJoin = "exchange_ca_certificates_on_join", false;
    /// Pool-internal certificates are exchanged with a joiner.
    ExchangeCertificatesOnJoin = "exchange_certificates_on_join", false;
    /// Revocation lists are exchanged with a joiner.
    ExchangeCrlsOnJoin = "exchange_crls_on_join", false;
    /// Updates are being looked for.
    GetUpdates = "get_updates", false;
    /// HA is being switched off.
    HaDisable = "ha_disable", true;
    /// HA is being switched on.
    HaEnable = "ha_enable", true;
    /// Updates are being taken from a bundle.
    SyncBundle = "sync_bundle", true;
    /// Updates are being taken from repositories.
    SyncUpdates = "sync_updates", true;
    /// Hosts begin to verify each other.
    TlsVerificationEnable = "tls_verification_enable", true;
}

/// What is going on in a pool.
#[derive(Debug)]
pub(crate) struct Operations {
    seed: Seed,
    /// Calls take their turns in the order in which they come.
    turn: Lock,
    current: Mutex<Vec<Current>>,
    /// Copies of certificates go to one member at a time, also those of calls that do not wait.
    copying: Mutex<()>,
    ended: Bell,
    begun: Mutex<u64>,
}

#[derive(Clone, Debug)]
struct Current {
    operation: PoolOperation,
    task: Reference,
    /// When it ends by itself.
    until: Option<Timestamp>,
}

impl Operations {
    pub(crate) fn new(seed: Seed, room: &WaitingRoom) -> Self {
        Self {
            seed: seed.child("pool operations"),
            turn: Lock::new(LockName::PoolOperation, room),
            current: Mutex::default(),
            copying: Mutex::default(),
            ended: Bell::new(room),
            begun: Mutex::default(),
        }
    }

    /// `pool.current_operations`.
    pub(crate) fn current(&self) -> BTreeMap<Reference, PoolOperation> {
        let list = self.list();
        list.iter().map(|current| (current.task.clone(), current.operation)).collect()
    }

    /// `pool.allowed_operations`: all while nothing is going on, apart from switching off the HA
    /// that no pool of ours has.
    pub(crate) fn allowed(&self) -> Vec<PoolOperation> {
        if !self.list().is_empty() {
            return Vec::new();
        }
        let all = PoolOperation::ALL.iter().copied();
        all.filter(|operation| *operation != PoolOperation::HaDisable).collect()
    }

    /// Held while certificates are copied to a member.
    pub(crate) fn copying(&self) -> MutexGuard<'_, ()> {
        self.copying.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything is over: the process that remembered it has ended.
    pub(crate) fn forget(&self) {
        self.list().clear();
        self.ended.ring();
    }

    fn begin(&self, operation: PoolOperation, until: Option<Timestamp>) -> Reference {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        *begun += 1;
        let task = Reference::from(self.seed.uuid(&format!("task {begun}")));
        self.list().push(Current { operation, task: task.clone(), until });
        task
    }

    fn end(&self, task: &Reference) {
        self.list().retain(|current| current.task != *task);
        self.ended.ring();
    }

    /// Whether nothing is going on at this time.
    fn is_idle(&self, now: Timestamp) -> bool {
        let mut list = self.list();
        list.retain(|current| current.until.is_none_or(|until| until > now));
        list.is_empty()
    }

    /// What is said of an operation that has to give way: of two, the blocking one counts.
    fn in_progress(&self, pool: &Reference) -> ApiError {
        let mut params = vec!["pool".to_owned(), pool.to_string()];
        let list = self.list();
        if let Some(other) = list.first().filter(|_| !list.iter().any(Current::is_blocking)) {
            params.extend([other.operation.name().to_owned(), other.task.to_string()]);
        }
        ApiError::new("OTHER_OPERATION_IN_PROGRESS", params)
    }

    fn list(&self) -> MutexGuard<'_, Vec<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Current {
    fn is_blocking(&self) -> bool {
        self.operation.is_blocking()
    }
}

/// A registered operation; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Registered<'a> {
    operations: &'a Operations,
    operation: PoolOperation,
    task: Reference,
    trail: Trail,
    _turn: LockGuard,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.operations.end(&self.task);
        let task = self.task.to_string();
        self.trail.record(OperationEnded { operation: self.operation, task });
    }
}

impl Pool {
    /// Registers a "waiting" operation. A call that another call is in the way of waits for its end;
    /// what somebody else does is looked at again after 1 to 20 s, for up to two hours in all. A
    /// pending rotation of the pool secret is not waited for.
    pub(super) async fn register(
        &self,
        operation: PoolOperation,
        trail: &Trail,
    ) -> Result<Registered<'_>, ApiError> {
        let operations = self.operations();
        let coordinator = self.coordinator();
        let clock = coordinator.clock();
        let began = clock.now();
        let limit = began.plus_seconds(WAIT_LIMIT.as_secs().cast_signed());
        self.refuse_while_secret_rotates()?;
        let turn = clock.limit(limit, operations.turn.take(operation.name(), trail)).await;
        let turn = turn.ok_or_else(|| operations.in_progress(self.reference()))?;
        let mut random = operations.seed.stream(&format!("waits from {began}"));
        loop {
            self.refuse_while_secret_rotates()?;
            if operations.is_idle(clock.now()) {
                break;
            }
            if clock.now() >= limit {
                return Err(operations.in_progress(self.reference()));
            }
            let wait = Duration::from_millis(random.random_range(1_000..=20_000));
            operations.ended.interrupts(clock.sleep(wait)).await;
            // Where nobody drives the time nothing has been waited for: others are let in.
            tokio::task::yield_now().await;
        }
        let task = operations.begin(operation, None);
        trail.record(OperationBegan {
            operation,
            task: task.to_string(),
            waited_seconds: clock.now().unix() - began.unix(),
        });
        let trail = trail.clone();
        Ok(Registered { operations, operation, task, trail, _turn: turn })
    }

    /// Somebody begins something that this program has no calls for, such as enabling HA. It lasts
    /// for so long, or until [`Pool::end_operation`].
    pub fn begin_operation(
        &self,
        operation: PoolOperation,
        lasting: Option<Duration>,
        trail: &Trail,
    ) {
        let now = self.coordinator().clock().now();
        let seconds = |lasting: Duration| lasting.as_secs().cast_signed();
        let until = lasting.map(|lasting| now.plus_seconds(seconds(lasting)));
        let task = self.operations().begin(operation, until).to_string();
        trail.record(OperationBegan { operation, task, waited_seconds: 0 });
    }

    /// It is over.
    pub fn end_operation(&self, operation: PoolOperation, trail: &Trail) {
        for (task, current) in self.operations().current() {
            if current == operation {
                self.operations().end(&task);
                trail.record(OperationEnded { operation, task: task.to_string() });
            }
        }
    }

    /// Begins, or ends, a rotation of the pool secret.
    pub fn set_secret_rotation_pending(
        &self,
        pending: bool,
        trail: &Trail,
    ) -> Result<(), HostError> {
        self.database().change(trail, |draft| draft.records.pool.is_psr_pending = pending)
    }

    fn refuse_while_secret_rotates(&self) -> Result<(), ApiError> {
        if self.database().read(|records| records.pool.is_psr_pending) {
            return Err(ApiError::bare("POOL_SECRET_ROTATION_PENDING"));
        }
        Ok(())
    }
}
