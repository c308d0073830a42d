//! What a client does to join a host without AD to a pool that reaches AD over LDAPS
//! (xapi-flows.md §§5.1, 12.3).
//!
//! `pool.join` is tried first. Only when it fails for the sake of external authentication does the
//! client copy the pool's certificates, join the domain with credentials that it asks for, and try
//! again; if that comes to nothing, it takes away what it brought. Every call is told to a watcher.

mod certificates;
mod desk;

use ground::{Secret, Trail};

pub use desk::{Param, Side, Step};

use crate::{ApiError, CallError, Client, Session, Value};
use certificates::Copied;
use desk::Desk;

/// The failed pre-check after which something can be done.
const MISMATCH: &str = "POOL_JOINING_EXTERNAL_AUTH_MISMATCH";
const AD: &str = "AD";

/// How the pool's certificates get to the joiner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copying {
    /// design-v1: the client downloads and installs them (§5.1).
    Download(Download),
    /// landed: the joiner fetches them itself, with `pool.sync_trusted_certificates_from` (§5.3).
    Sync,
}

/// The variants of the download (§5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Download {
    /// D1: one certificate at a time.
    One,
    /// D2: a list of certificates.
    List,
    /// D3: all of one purpose.
    ByPurpose,
}

/// One of the two ends, and how to log in there.
#[derive(Clone, Debug)]
pub struct Login {
    /// The way there.
    pub client: Client,
    /// Account.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// Who is to join what.
#[derive(Clone, Debug)]
pub struct JoinPlan {
    /// The host that is to join.
    pub joiner: Login,
    /// The pool's coordinator, as the client reaches it.
    pub pool: Login,
    /// Name or address of the coordinator, as the joiner is told.
    pub coordinator: String,
    /// How certificates are copied.
    pub copying: Copying,
    /// `pool.join_force` instead of `pool.join`.
    pub force: bool,
}

/// An account that may join hosts to the domain.
#[derive(Clone, Debug)]
pub struct DomainAccount {
    /// Its name, without domain.
    pub user: String,
    /// Its password.
    pub password: Secret,
}

/// What was not to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JoinError {
    /// A call failed, or had no answer.
    #[error("{method} on {at}: {error}")]
    Call {
        /// Where.
        at: Side,
        /// Which.
        method: String,
        /// Why.
        error: CallError,
    },
    /// Nobody gave credentials for the domain.
    #[error("no credentials were given for the domain {domain}")]
    NoAccount {
        /// The pool's.
        domain: String,
    },
    /// An answer is not of the type that the call has.
    #[error("{method} on {at} returned something else than {expected}")]
    Unexpected {
        /// Where.
        at: Side,
        /// Which call.
        method: String,
        /// What it should have been.
        expected: &'static str,
    },
}

impl JoinError {
    /// What the server said, if it said something.
    pub fn api(&self) -> Option<&ApiError> {
        match self {
            Self::Call { error: CallError::Api(error), .. } => Some(error),
            _ => None,
        }
    }
}

/// The host has not joined.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct JoinFailure {
    /// Why.
    pub error: JoinError,
    /// What of the client's own doing could not be undone; empty if all was.
    pub left: Vec<JoinError>,
}

impl From<JoinError> for JoinFailure {
    fn from(error: JoinError) -> Self {
        Self { error, left: Vec::new() }
    }
}

/// Joins the host. `ask` is asked for credentials of a domain, at most once; `watch` is told every
/// call when it has ended.
///
/// # Errors
///
/// The host has not joined; what the client had done to it is undone as far as possible.
pub async fn join(
    plan: &JoinPlan,
    ask: &mut (dyn FnMut(&str) -> Option<DomainAccount> + Send),
    watch: &mut (dyn FnMut(&Step) + Send),
    trail: &Trail,
) -> Result<(), JoinFailure> {
    let mut desk = Desk::new(watch, trail);
    let joiner = desk.log_in(Side::Joiner, &plan.joiner).await?;
    let refused = match desk.pool_join(plan, &joiner).await {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    if refused.api().is_none_or(|error| error.code != MISMATCH) {
        desk.log_out(Side::Joiner, joiner).await;
        return Err(refused.into());
    }
    let pool = match desk.log_in(Side::Pool, &plan.pool).await {
        Ok(pool) => pool,
        Err(error) => {
            desk.log_out(Side::Joiner, joiner).await;
            return Err(error.into());
        }
    };
    let mut attempt = Attempt { plan, joiner, pool, copied: Copied::default(), joined: None };
    let outcome = attempt.run(&mut desk, refused, ask).await;
    let left = match outcome {
        Ok(()) => Vec::new(),
        Err(_) => attempt.revert(&mut desk).await,
    };
    desk.log_out(Side::Pool, attempt.pool).await;
    if outcome.is_err() {
        // A host that has joined is about to restart, and its sessions with it.
        desk.log_out(Side::Joiner, attempt.joiner).await;
    }
    outcome.map_err(|error| JoinFailure { error, left })
}

/// What follows the failed pre-check.
struct Attempt<'a> {
    plan: &'a JoinPlan,
    joiner: Session,
    pool: Session,
    copied: Copied,
    /// The account with which the joiner has joined the domain, and the joiner's own pool.
    joined: Option<(DomainAccount, String)>,
}

impl Attempt<'_> {
    /// §12.3, steps 2 to 4.
    async fn run(
        &mut self,
        desk: &mut Desk<'_>,
        refused: JoinError,
        ask: &mut (dyn FnMut(&str) -> Option<DomainAccount> + Send),
    ) -> Result<(), JoinError> {
        let theirs = desk.authentication(Side::Pool, &self.pool).await?;
        let ours = desk.authentication(Side::Joiner, &self.joiner).await?;
        if theirs.kind != AD || !ours.kind.is_empty() {
            // The joiner is in a domain already, or the pool in none: nothing that certificates or
            // credentials could change.
            return Err(refused);
        }
        if theirs.ldaps {
            match self.plan.copying {
                Copying::Download(variant) => {
                    let (pool, joiner) = (&self.pool, &self.joiner);
                    self.copied.download(desk, variant, (pool, &theirs), (joiner, &ours)).await?;
                }
                Copying::Sync => {
                    let (pool, joiner) = (&self.pool, &self.joiner);
                    let address = &self.plan.coordinator;
                    self.copied.sync(desk, address, (pool, &theirs), (joiner, &ours)).await?;
                }
            }
        }
        let domain = theirs.service_name;
        let account = ask(&domain).ok_or(JoinError::NoAccount { domain: domain.clone() })?;
        let mut config = account_of(&account);
        if theirs.ldaps {
            config.push(("ldaps", Param::text("", "true")));
        }
        let params = vec![
            Param::text("pool", &ours.pool),
            Param::map("config", config),
            Param::text("service_name", domain),
            Param::text("auth_type", AD),
        ];
        desk.call(Side::Joiner, &self.joiner, "pool.enable_external_auth", params).await?;
        self.joined = Some((account, ours.pool));
        desk.pool_join(self.plan, &self.joiner).await
    }

    /// Takes away what was brought (§5.1, step 7; §12.3, step 5). The domain is left first, while
    /// the certificates for it are still there.
    async fn revert(&mut self, desk: &mut Desk<'_>) -> Vec<JoinError> {
        let mut left = Vec::new();
        if let Some((account, pool)) = self.joined.take() {
            let config = Param::map("config", account_of(&account));
            let params = vec![Param::text("pool", pool), config];
            let method = "pool.disable_external_auth";
            left.extend(desk.call(Side::Joiner, &self.joiner, method, params).await.err());
        }
        self.copied.revert(desk, &self.joiner, &mut left).await;
        left
    }
}

fn account_of(account: &DomainAccount) -> Vec<(&'static str, Param)> {
    vec![("user", Param::text("", &account.user)), ("pass", Param::secret("", &account.password))]
}

/// How one side authenticates its users.
struct Authentication {
    pool: String,
    coordinator: String,
    kind: String,
    service_name: String,
    ldaps: bool,
}

impl Desk<'_> {
    async fn pool_join(&mut self, plan: &JoinPlan, joiner: &Session) -> Result<(), JoinError> {
        let method = if plan.force { "pool.join_force" } else { "pool.join" };
        let params = vec![
            Param::text("master_address", &plan.coordinator),
            Param::text("master_username", &plan.pool.user),
            Param::secret("master_password", &plan.pool.password),
        ];
        self.call(Side::Joiner, joiner, method, params).await.map(drop)
    }

    async fn authentication(
        &mut self,
        at: Side,
        session: &Session,
    ) -> Result<Authentication, JoinError> {
        let pools = self.texts(at, session, "pool.get_all", Vec::new()).await?;
        let unexpected = |method: &str, expected| JoinError::Unexpected {
            at,
            method: method.to_owned(),
            expected,
        };
        let pool = pools.into_iter().next().ok_or_else(|| unexpected("pool.get_all", "a pool"))?;
        let this = vec![Param::text("self", &pool)];
        let coordinator = self.text(at, session, "pool.get_master", this).await?;
        let host = || vec![Param::text("self", &coordinator)];
        let kind = self.text(at, session, "host.get_external_auth_type", host()).await?;
        let method = "host.get_external_auth_service_name";
        let service_name = self.text(at, session, method, host()).await?;
        let method = "host.get_external_auth_configuration";
        let configuration = self.call(at, session, method, host()).await?;
        let ldaps = configuration.member("ldaps").and_then(Value::as_text);
        let ldaps = ldaps.is_some_and(|ldaps| ldaps.eq_ignore_ascii_case("true"));
        Ok(Authentication { pool, coordinator, kind, service_name, ldaps })
    }
}
