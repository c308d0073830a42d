//! `session.login_with_password` (xapi-flows.md §10).

use std::{sync::Arc, time::Duration};

use ground::{Actor, Secret, Trail};
use serde_json::{Value, json};

use crate::{
    ApiError, PoolRecord, Quirk, Reference, Role,
    facts::{CallBegan, SessionOpened},
    xapi::{
        Pool,
        account::AccountError,
        login_cache::Admission,
        on_host::OnHost,
        pool::end,
        session::{Newcomer, ROOT},
        subject_attributes::{self, NAME, SubjectAttributes},
    },
};

const CALL: &str = "session.login_with_password";

/// What PAM says about a wrong password.
const REFUSED: &str = "Authentication failure";
/// How often a login looks whether AD is initialised after a start, and how long it waits each
/// time.
const LOOKS_MAX: u32 = 120;
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// So that nobody can try passwords fast.
const DELAY: Duration = Duration::from_secs(5);

impl Pool {
    /// Opens a session for `user`. `originator` is what the client calls itself.
    ///
    /// # Errors
    ///
    /// Those of §10.1.
    pub async fn login(
        &self,
        user: &str,
        password: &Secret,
        originator: &str,
        trail: &Trail,
    ) -> Result<Reference, ApiError> {
        let trail = trail.of(Actor::Host(self.coordinator().name().to_owned()));
        let parameters = json!({ "uname": user, "originator": originator });
        let trail = trail.begin(CallBegan {
            call: CALL,
            host: None,
            parameters: parameters.as_object().cloned().unwrap_or_default(),
        });
        let result = self.log_in(user, password, originator, &trail).await;
        end(CALL, &trail, &result);
        result
    }

    /// Step 1: only `root` is known without AD, and with AD only `root` may come in without it.
    async fn log_in(
        &self,
        user: &str,
        password: &Secret,
        originator: &str,
        trail: &Trail,
    ) -> Result<Reference, ApiError> {
        self.refuse_in_emergency()?;
        let record = self.coordinator_record()?;
        let newcomer = if user == ROOT || record.external_auth_type.is_empty() {
            if user != ROOT || !self.sessions().is_root_password(password) {
                return Err(ApiError::new("SESSION_AUTHENTICATION_FAILED", [user, REFUSED]));
            }
            Newcomer::root(originator)
        } else {
            let admitted = self.admit(user, password, trail).await;
            let admission = match admitted {
                Ok(admission) => admission,
                Err(error) => {
                    self.coordinator().clock().sleep(DELAY).await;
                    return Err(error);
                }
            };
            Newcomer::from_ad(admission, originator)
        };
        trail.record(SessionOpened {
            user: newcomer.name.clone(),
            is_local_superuser: newcomer.is_local_superuser,
        });
        Ok(self.sessions().open(newcomer))
    }

    /// Steps 2–7.
    async fn admit(
        &self,
        user: &str,
        password: &Secret,
        trail: &Trail,
    ) -> Result<Admission, ApiError> {
        self.wait_for_ad(trail).await?;
        let pool = self.database().read(|records| records.pool.clone());
        let now = self.coordinator().clock().now();
        if let Some(admission) = self.login_cache().find(user, password, now, &pool) {
            return Ok(admission);
        }
        let at_work = self.coordinator_at_work(trail);
        let sid = self.authenticate(&at_work, user, password).await?;
        let admission = self.authorise(&at_work, user, sid).await?;
        let now = self.coordinator().clock().now();
        self.login_cache().insert(user, password, now, &pool, admission.clone());
        Ok(admission)
    }

    /// Step 2.
    async fn wait_for_ad(&self, trail: &Trail) -> Result<(), ApiError> {
        for _ in 0..LOOKS_MAX {
            if self.coordinator_at_work(trail).process.is_auth_initialised() {
                return Ok(());
            }
            self.coordinator().clock().sleep(LOOK_AGAIN).await;
        }
        if self.coordinator_at_work(trail).process.is_auth_initialised() {
            return Ok(());
        }
        let message = "the external authentication service is still being initialised";
        Err(ApiError::new("INTERNAL_ERROR", [CALL, message]))
    }

    /// Step 4: at most `ext_auth_max_threads` at once.
    async fn authenticate(
        &self,
        at_work: &OnHost<'_>,
        user: &str,
        password: &Secret,
    ) -> Result<String, ApiError> {
        let _place = self.login_places().take(CALL, &at_work.trail).await;
        let blocks = self.quirks().has(Quirk::LoginBlocksDuringSetLdaps);
        if !blocks && at_work.process.extauth_lock.is_held() {
            let message = "external authentication is being configured";
            return Err(authorization_failed(user, message));
        }
        at_work.authenticate(user, password).await.map_err(|error| match error {
            AccountError::Authentication(message) => {
                ApiError::new("SESSION_AUTHENTICATION_FAILED", [user, &message])
            }
            other => authorization_failed(user, &other.message()),
        })
    }

    /// Steps 5–7.
    async fn authorise(
        &self,
        at_work: &OnHost<'_>,
        user: &str,
        sid: String,
    ) -> Result<Admission, ApiError> {
        let refused = |message: &str| authorization_failed(user, message);
        let attributes = self.not_suspended(at_work, user, &sid).await?;
        let groups = at_work.group_closure(&sid, CALL).await;
        let groups = groups.map_err(|error| refused(&error.message()))?;
        let subjects = self.subjects_of(&sid, &groups);
        let Some(first) = subjects.first() else {
            return Err(refused("neither the account nor a group of it is a subject of the pool"));
        };
        let permissions: std::collections::BTreeSet<String> = subjects
            .iter()
            .flat_map(|subject| &subject.roles)
            .filter_map(Role::from_reference)
            .flat_map(Role::permissions)
            .collect();
        if permissions.is_empty() {
            let message = "no subject that lets the account in has a role";
            return Err(ApiError::new("RBAC_PERMISSION_DENIED", [CALL, message]));
        }
        Ok(Admission {
            subject: first.reference.clone(),
            sid,
            name: attributes.get(NAME).cloned().unwrap_or_default(),
            permissions: Arc::new(permissions),
        })
    }

    /// Step 5: what the subject has stored of the account; if that says suspended, or nothing is
    /// stored, what AD says.
    async fn not_suspended(
        &self,
        at_work: &OnHost<'_>,
        user: &str,
        sid: &str,
    ) -> Result<SubjectAttributes, ApiError> {
        let stored = self.database().read(|records| {
            let subject = records.subjects.iter().find(|row| row.subject_identifier == sid);
            subject.map(|subject| subject.other_config.clone())
        });
        if let Some(stored) = stored.filter(|stored| !subject_attributes::is_suspended(stored)) {
            return Ok(stored);
        }
        let current = match at_work.query_account(sid, true, CALL).await {
            // Of an account that is not found nothing is known to be fine.
            Err(AccountError::NotFound) => Ok(SubjectAttributes::new()),
            answer => answer,
        };
        let current = current.map_err(|error| authorization_failed(user, &error.message()))?;
        if subject_attributes::is_suspended(&current) {
            return Err(authorization_failed(user, "the account is suspended in the directory"));
        }
        Ok(current)
    }
}

/// How AD logins are limited and remembered; real xapi has a call for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtAuthSetting {
    /// `pool.set_ext_auth_cache_enabled`.
    CacheEnabled(bool),
    /// `pool.set_ext_auth_cache_expiry`, in seconds.
    CacheExpiry(u32),
    /// `pool.set_ext_auth_cache_size`.
    CacheSize(u32),
    /// `pool.set_ext_auth_max_threads`.
    MaxThreads(u32),
}

impl ExtAuthSetting {
    /// Name of its call.
    pub(super) const fn call(self) -> &'static str {
        match self {
            Self::CacheEnabled(_) => "pool.set_ext_auth_cache_enabled",
            Self::CacheExpiry(_) => "pool.set_ext_auth_cache_expiry",
            Self::CacheSize(_) => "pool.set_ext_auth_cache_size",
            Self::MaxThreads(_) => "pool.set_ext_auth_max_threads",
        }
    }

    /// The value, for the ledger.
    pub(super) fn value(self) -> Value {
        match self {
            Self::CacheEnabled(enabled) => enabled.into(),
            Self::CacheExpiry(number) | Self::CacheSize(number) | Self::MaxThreads(number) => {
                number.into()
            }
        }
    }
}

impl Pool {
    /// A change of the cache empties it.
    pub(super) fn set_ext_auth(
        &self,
        setting: ExtAuthSetting,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let change = |pool: &mut PoolRecord| match setting {
            ExtAuthSetting::CacheEnabled(enabled) => pool.ext_auth_cache_enabled = enabled,
            ExtAuthSetting::CacheExpiry(seconds) => pool.ext_auth_cache_expiry = seconds,
            ExtAuthSetting::CacheSize(size) => pool.ext_auth_cache_size = size,
            ExtAuthSetting::MaxThreads(threads) => pool.ext_auth_max_threads = threads,
        };
        self.database().change(trail, |draft| change(&mut draft.records.pool))?;
        match setting {
            ExtAuthSetting::MaxThreads(threads) => {
                self.login_places().set_places(usize::try_from(threads).unwrap_or(usize::MAX));
            }
            ExtAuthSetting::CacheEnabled(_)
            | ExtAuthSetting::CacheExpiry(_)
            | ExtAuthSetting::CacheSize(_) => self.login_cache().clear(),
        }
        Ok(())
    }
}

fn authorization_failed(user: &str, message: &str) -> ApiError {
    ApiError::new("SESSION_AUTHORIZATION_FAILED", [user, message])
}
