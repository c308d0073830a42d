//! Revalidation of the sessions that came in through AD (xapi-flows.md §11.2; xen-api,
//! `ocaml/xapi/xapi_session.ml`).
//!
//! A run looks at every such session, but asks AD once per user only: later sessions of the same
//! user share the verdict. A question that AD does not answer is no verdict; it never ends a session.

use std::{collections::BTreeMap, time::Duration};

use ground::Trail;

use crate::{
    ApiError, Quirk, Reference, Session,
    facts::{SessionClosed, SessionKept, SessionValidated, SessionsRevalidated},
    xapi::{
        Pool,
        account::{AccountError, Answer},
        on_host::OnHost,
        subject_attributes,
    },
};

const TASK: &str = "session revalidation";

/// How long a session counts without a look at AD. To this comes a random time, so that not all of
/// them are looked at together.
const LIFESPAN: Duration = Duration::from_secs(1_800);

/// What is to become of the sessions of one user.
#[derive(Clone, Debug)]
enum Verdict {
    /// They end, for this reason.
    Ends(&'static str),
    /// They go on; the subject that lets the user in.
    Holds(Reference),
}

impl Pool {
    /// Looks at all sessions that came in through AD, on the coordinator. Those whose account is no
    /// longer let in end; a failure to find out leaves a session as it is.
    pub async fn revalidate_sessions(&self, trail: &Trail) {
        let sessions: Vec<Session> = self.open_sessions().into_iter().filter(is_external).collect();
        let at_work = self.coordinator_at_work(trail);
        let trail = at_work.trail.begin(SessionsRevalidated { sessions: sessions.len() });
        let at_work = OnHost { trail, ..at_work };
        let mut verdicts = BTreeMap::new();
        for session in sessions {
            self.revalidate(&session, &mut verdicts, &at_work).await;
        }
    }

    /// Whether such a run would find anything to do.
    pub fn has_sessions_to_revalidate(&self) -> bool {
        // Asked many times while time goes by: what costs least comes first.
        if !self.sessions().any(is_external) {
            return false;
        }
        let is_on = self.has_external_auth().is_ok_and(|is_on| is_on);
        let may_be_due = |session: &Session| !is_on || self.outlived(session).is_some();
        self.sessions().any(|session| is_external(session) && may_be_due(session))
    }

    async fn revalidate(
        &self,
        session: &Session,
        verdicts: &mut BTreeMap<String, Verdict>,
        at_work: &OnHost<'_>,
    ) {
        let keep = |reason: String| {
            at_work.trail.record(SessionKept { user: session.auth_user_name.clone(), reason });
        };
        let is_on = match self.has_external_auth() {
            Ok(is_on) => is_on,
            Err(error) => return keep(error.to_string()),
        };
        if !is_on {
            return self.end_session(session, "external authentication is off", at_work);
        }
        if !self.is_due(session) {
            return;
        }
        let known = verdicts.get(&session.auth_user_sid).cloned();
        let is_known = known.is_some();
        let verdict = match known {
            Some(verdict) => verdict,
            None => match at_work.judge(&session.auth_user_sid).await {
                Ok(verdict) => {
                    verdicts.insert(session.auth_user_sid.clone(), verdict.clone());
                    verdict
                }
                Err(error) => return keep(error.message()),
            },
        };
        match verdict {
            Verdict::Ends(reason) => self.end_session(session, reason, at_work),
            Verdict::Holds(_) if is_known && self.quirks().has(Quirk::RevalidateMemoStaleTime) => {
                keep("this run has judged the account already".to_owned());
            }
            Verdict::Holds(subject) => {
                let user = session.auth_user_name.clone();
                let subject_changed = subject != session.subject;
                self.sessions().renew(&session.reference, subject);
                at_work.trail.record(SessionValidated { user, subject_changed });
            }
        }
    }

    /// Whether a session has outlived its lifespan, for which every look draws anew.
    fn is_due(&self, session: &Session) -> bool {
        self.sessions().outlasts(self.outlived(session))
    }

    /// By how much a session has outlived its lifespan without the random time.
    fn outlived(&self, session: &Session) -> Option<Duration> {
        let now = self.coordinator().clock().now().unix_micros();
        let age = now.saturating_sub(session.validation_time.unix_micros());
        let age = Duration::from_micros(u64::try_from(age).ok()?);
        age.checked_sub(LIFESPAN).filter(|by| !by.is_zero())
    }

    /// What the coordinator's record says.
    fn has_external_auth(&self) -> Result<bool, ApiError> {
        let reference = self.coordinator().reference().clone();
        self.database()
            .read(|records| records.host(&reference).map(|row| !row.external_auth_type.is_empty()))
            .ok_or_else(|| ApiError::handle_invalid("host", &reference))
    }

    fn end_session(&self, session: &Session, reason: &'static str, at_work: &OnHost<'_>) {
        for ended in self.sessions().close(|open| open.reference == session.reference) {
            at_work.trail.record(SessionClosed { user: ended.auth_user_name, reason });
        }
    }
}

impl OnHost<'_> {
    /// Steps 4–7.
    async fn judge(&self, sid: &str) -> Result<Verdict, AccountError> {
        let attributes = match self.ask_account(sid, true, TASK).await {
            Ok(Answer { attributes, ldap_failure }) => {
                if let Some(failure) = ldap_failure {
                    // As every failure, one to tell of it does not touch the session.
                    let _ = self.warn_of_dc(&failure);
                }
                attributes
            }
            Err(AccountError::NotFound) => {
                return Ok(Verdict::Ends("AD does not know the account"));
            }
            Err(error) => return Err(error),
        };
        if let Some(reason) = subject_attributes::suspension(&attributes) {
            return Ok(Verdict::Ends(reason));
        }
        let groups = match self.group_closure(sid, TASK).await {
            Err(AccountError::NotFound) => {
                return Ok(Verdict::Ends("AD does not know the groups of the account"));
            }
            answer => answer?,
        };
        let subjects = self.pool.subjects_of(sid, &groups);
        Ok(match subjects.into_iter().next() {
            Some(subject) => Verdict::Holds(subject.reference),
            None => Verdict::Ends("neither the account nor a group of it is a subject of the pool"),
        })
    }
}

/// Whether the session came in through AD. Sessions on an imported database, which xapi leaves out,
/// too, nobody can open here.
fn is_external(session: &Session) -> bool {
    !session.is_local_superuser && !session.client_certificate
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ground::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn session(is_local_superuser: bool, client_certificate: bool) -> Session {
        Session {
            reference: Reference::null(),
            uuid: Uuid::nil(),
            is_local_superuser,
            client_certificate,
            pool: false,
            subject: Reference::null(),
            auth_user_sid: String::new(),
            auth_user_name: String::new(),
            validation_time: Timestamp::from_unix(0),
            last_active: Timestamp::from_unix(0),
            rbac_permissions: Arc::default(),
            originator: String::new(),
        }
    }

    #[test]
    fn ad_says_nothing_of_root_and_of_client_certificates() {
        assert!(is_external(&session(false, false)));
        assert!(!is_external(&session(true, false)));
        assert!(!is_external(&session(false, true)));
    }
}
