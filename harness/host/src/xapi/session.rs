//! The sessions of a pool, in the memory of its coordinator's xapi (xapi-flows.md §1.4): they end
//! with that process, as a client must expect.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ground::{Clock, Secret, Seed, Trail};
use rand::RngExt as _;

use crate::{
    ApiError, Reference, Session,
    facts::SessionClosed,
    xapi::{Pool, login_cache::Admission},
};

/// The one account that logs in without a directory.
pub(super) const ROOT: &str = "root";
/// Open sessions. Beyond it the one that was idle for longest ends, as in xapi (whose number could
/// not be confirmed).
const SESSIONS_MAX: usize = 500;
/// Most that a session counts for longer than usual.
const MORE_LIFESPAN_MAX: Duration = Duration::from_secs(600);

impl Pool {
    /// The session behind a reference, which is used by this.
    ///
    /// # Errors
    ///
    /// `SESSION_INVALID` if nobody has it, or it was idle for too long; what every call ends with
    /// in an emergency.
    pub fn session(&self, reference: &Reference) -> Result<Session, ApiError> {
        self.refuse_in_emergency()?;
        self.sessions().end_idle(self.idle_max());
        self.sessions().touch(reference)
    }

    /// The open sessions in order of their beginning.
    pub fn open_sessions(&self) -> Vec<Session> {
        self.sessions().end_idle(self.idle_max());
        self.sessions().view()
    }

    /// How long a session may be idle (§18, `inactive_session_timeout`).
    fn idle_max(&self) -> Duration {
        self.coordinator().process().conf.inactive_session_timeout
    }

    /// `session.logout`.
    pub fn logout(&self, session: &Reference) {
        self.sessions().close(|open| open.reference == *session);
    }

    /// `session.logout_subject_identifier`: all sessions of this account end but `own`, the
    /// caller's.
    pub fn logout_subject_identifier(&self, sid: &str, own: Option<&Reference>, trail: &Trail) {
        let ended = self.sessions().close(|open| {
            !open.is_local_superuser && open.auth_user_sid == sid && Some(&open.reference) != own
        });
        for session in ended {
            let reason = "session.logout_subject_identifier";
            trail.record(SessionClosed { user: session.auth_user_name, reason });
        }
    }

    /// `session.get_all_subject_identifiers`: the SIDs of the AD accounts that have sessions.
    pub(super) fn all_subject_identifiers(&self) -> Vec<String> {
        let from_ad = self.sessions().view().into_iter().filter(|open| !open.is_local_superuser);
        from_ad.map(|open| open.auth_user_sid).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What the coordinator's process has in memory is gone when it restarts.
    pub(super) fn forget_sessions(&self) {
        self.sessions().close(|_| true);
        self.login_cache().clear();
    }
}

/// What a login has found out about who comes in.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub(super) is_local_superuser: bool,
    pub(super) subject: Reference,
    pub(super) sid: String,
    pub(super) name: String,
    pub(super) permissions: Arc<BTreeSet<String>>,
    pub(super) originator: String,
}

impl Newcomer {
    /// `root`, who may do everything.
    pub(super) fn root(originator: &str) -> Self {
        Self {
            is_local_superuser: true,
            subject: Reference::null(),
            sid: String::new(),
            name: ROOT.to_owned(),
            permissions: Arc::default(),
            originator: originator.to_owned(),
        }
    }

    /// An account of AD.
    pub(super) fn from_ad(admission: Admission, originator: &str) -> Self {
        Self {
            is_local_superuser: false,
            subject: admission.subject,
            sid: admission.sid,
            name: admission.name,
            permissions: admission.permissions,
            originator: originator.to_owned(),
        }
    }
}

/// The open sessions of a pool.
pub(super) struct Sessions {
    root_password: Secret,
    seed: Seed,
    clock: Clock,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    created: u64,
    /// How often revalidation has looked whether a session has to be validated.
    looked_at: u64,
    sessions: Vec<Session>,
}

impl Sessions {
    pub(super) fn new(root_password: Secret, seed: Seed, clock: Clock) -> Self {
        Self { root_password, seed: seed.child("sessions"), clock, open: Mutex::default() }
    }

    /// Whether this is the password of `root`.
    pub(super) fn is_root_password(&self, password: &Secret) -> bool {
        *password == self.root_password
    }

    /// The password of `root`.
    pub(super) fn root_password(&self) -> &Secret {
        &self.root_password
    }

    /// Opens a session.
    pub(super) fn open(&self, newcomer: Newcomer) -> Reference {
        let now = self.clock.now();
        let mut open = self.lock();
        open.created += 1;
        let number = open.created;
        let reference = Reference::from(self.seed.uuid(&format!("reference {number}")));
        if open.sessions.len() >= SESSIONS_MAX {
            let idle = open.sessions.iter().map(|session| session.last_active);
            let longest = idle.enumerate().min_by_key(|(_, at)| *at).map_or(0, |(index, _)| index);
            open.sessions.remove(longest);
        }
        open.sessions.push(Session {
            reference: reference.clone(),
            uuid: self.seed.uuid(&format!("uuid {number}")),
            is_local_superuser: newcomer.is_local_superuser,
            client_certificate: false,
            pool: false,
            subject: newcomer.subject,
            auth_user_sid: newcomer.sid,
            auth_user_name: newcomer.name,
            validation_time: now,
            last_active: now,
            rbac_permissions: newcomer.permissions,
            originator: newcomer.originator,
        });
        reference
    }

    /// Notes that AD lets the account in, through this subject.
    pub(super) fn renew(&self, reference: &Reference, subject: Reference) {
        let now = self.clock.now();
        let mut open = self.lock();
        // It may have ended while AD was asked.
        if let Some(session) = open.sessions.iter_mut().find(|one| one.reference == *reference) {
            (session.validation_time, session.subject) = (now, subject);
        }
    }

    /// Whether a session has counted for longer than usual, `by` so much, and than what is drawn anew
    /// for every look at one (§11.2 step 2).
    pub(super) fn outlasts(&self, by: Option<Duration>) -> bool {
        let number = {
            let mut open = self.lock();
            open.looked_at += 1;
            open.looked_at
        };
        // Most are looked at long before, or long after: nothing need be drawn to see that.
        match by {
            None => false,
            Some(by) if by > MORE_LIFESPAN_MAX => true,
            Some(by) => {
                let most = u64::try_from(MORE_LIFESPAN_MAX.as_micros()).unwrap_or(u64::MAX);
                let mut random = self.seed.stream(&format!("lifespan {number}"));
                by > Duration::from_micros(random.random_range(0..=most))
            }
        }
    }

    /// Ends the sessions that were not used for longer than this.
    fn end_idle(&self, longest: Duration) {
        let longest = i64::try_from(longest.as_secs()).unwrap_or(i64::MAX);
        let now = self.clock.now();
        self.close(|session| now > session.last_active.plus_seconds(longest));
    }

    /// Notes that the session is used.
    fn touch(&self, reference: &Reference) -> Result<Session, ApiError> {
        let now = self.clock.now();
        let mut open = self.lock();
        let session = open.sessions.iter_mut().find(|session| session.reference == *reference);
        let session = session.ok_or_else(|| {
            // The client knows this text already; it is no secret to it.
            ApiError::new("SESSION_INVALID", [reference.as_str()])
        })?;
        session.last_active = now;
        Ok(session.clone())
    }

    /// Ends the sessions that `ends` names, and says which that were.
    pub(super) fn close(&self, ends: impl Fn(&Session) -> bool) -> Vec<Session> {
        let mut open = self.lock();
        if !open.sessions.iter().any(&ends) {
            return Vec::new();
        }
        let (ended, kept) = std::mem::take(&mut open.sessions).into_iter().partition(ends);
        open.sessions = kept;
        ended
    }

    /// Whether there is one of that kind.
    pub(super) fn any(&self, is_wanted: impl FnMut(&Session) -> bool) -> bool {
        self.lock().sessions.iter().any(is_wanted)
    }

    /// The open sessions in order of their beginning.
    pub(super) fn view(&self) -> Vec<Session> {
        self.lock().sessions.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Consistent after every statement under the lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows no reference: whoever knows one has the session.
impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("open", &self.lock().sessions.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ground::{Timestamp, VirtualClock};

    use super::*;

    fn sessions() -> (VirtualClock, Sessions) {
        let time = VirtualClock::starting_at(Timestamp::from_unix(0));
        let sessions = Sessions::new(Secret::new("secret"), Seed::new(1), time.clock());
        (time, sessions)
    }

    #[test]
    fn the_longest_idle_session_gives_way() {
        let (time, sessions) = sessions();
        let first = sessions.open(Newcomer::root(""));
        let second = sessions.open(Newcomer::root(""));
        time.advance(Duration::from_secs(1));
        sessions.touch(&first).unwrap();
        for _ in 2..=SESSIONS_MAX {
            sessions.open(Newcomer::root(""));
        }
        assert_eq!(sessions.view().len(), SESSIONS_MAX);
        assert!(sessions.touch(&first).is_ok());
        let gone = ApiError::new("SESSION_INVALID", [second.as_str()]);
        assert_eq!(sessions.touch(&second), Err(gone));
    }

    #[test]
    fn a_lifespan_is_up_to_ten_minutes_longer_drawn_anew_each_time() {
        let outlasting = |minutes: u64| {
            let (_, sessions) = sessions();
            let by = Some(Duration::from_secs(60 * minutes));
            (0..100).filter(|_| sessions.outlasts(by)).count()
        };
        let counts = [0, 1, 5, 9, 11].map(outlasting);
        assert_eq!(counts, [0, 1, 5, 9, 11].map(outlasting));
        let [none, few, half, most, all] = counts;
        assert_eq!((none, all), (0, 100));
        assert!((1..25).contains(&few) && (30..70).contains(&half) && (75..100).contains(&most));
        assert!(!sessions().1.outlasts(None));
    }

    #[test]
    fn a_session_that_is_validated_counts_from_then_on() {
        let (time, sessions) = sessions();
        let session = sessions.open(Newcomer::root(""));
        time.advance(Duration::from_secs(1_800));
        sessions.renew(&session, Reference::new("subject"));
        let [renewed] = &sessions.view()[..] else { panic!("one session") };
        assert_eq!(renewed.validation_time, Timestamp::from_unix(1_800));
        assert_eq!(renewed.subject, Reference::new("subject"));
        assert_eq!(renewed.last_active, Timestamp::from_unix(0));
        sessions.close(|_| true);
        sessions.renew(&session, Reference::null());
        assert_eq!(sessions.view(), []);
    }

    #[test]
    fn a_session_ends_after_a_day_without_use() {
        let (time, sessions) = sessions();
        let used = sessions.open(Newcomer::root(""));
        let idle = sessions.open(Newcomer::root(""));
        let day = Duration::from_secs(86_400);
        time.advance(day);
        sessions.end_idle(day);
        assert!(sessions.touch(&used).is_ok());
        time.advance(Duration::from_secs(1));
        sessions.end_idle(day);
        assert!(sessions.touch(&idle).is_err());
        assert!(sessions.touch(&used).is_ok());
        assert!(!format!("{sessions:?}").contains("OpaqueRef"));
    }
}
