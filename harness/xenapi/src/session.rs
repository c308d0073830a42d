//! Sessions of the local superuser (xenapi-wire.md §6, xapi-flows.md §10.1 step 1).

use std::sync::{Mutex, MutexGuard, PoisonError};

use ground::{Clock, Secret, Seed, Timestamp};
use sim_host::{ApiError, Reference};

/// The one account that logs in without a directory.
const ROOT: &str = "root";
/// What PAM says about a wrong password.
const REFUSED: &str = "Authentication failure";
/// Open sessions. Beyond it the one that was idle for longest ends, as in xapi (whose number could
/// not be confirmed).
const SESSIONS_MAX: usize = 500;

/// The sessions of a pool. They end with the service, as a client must expect.
pub(crate) struct Sessions {
    root_password: Secret,
    seed: Seed,
    clock: Clock,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    created: u64,
    sessions: Vec<Session>,
}

/// An open session. Whoever knows the reference has it: it is a secret, hence no `Debug`.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) reference: Reference,
    pub(crate) uuid: String,
    pub(crate) user: String,
    pub(crate) began: Timestamp,
    pub(crate) last_active: Timestamp,
}

impl Sessions {
    pub(crate) fn new(root_password: Secret, seed: Seed, clock: Clock) -> Self {
        Self { root_password, seed: seed.child("sessions"), clock, open: Mutex::default() }
    }

    /// Opens a session. Nobody but `root` is known here.
    pub(crate) fn log_in(&self, user: &str, password: &Secret) -> Result<Reference, ApiError> {
        if user != ROOT || *password != self.root_password {
            return Err(ApiError::new("SESSION_AUTHENTICATION_FAILED", [user, REFUSED]));
        }
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
            uuid: self.seed.uuid(&format!("uuid {number}")).to_string(),
            user: user.to_owned(),
            began: now,
            last_active: now,
        });
        Ok(reference)
    }

    /// Notes that the session is used.
    pub(crate) fn touch(&self, reference: &Reference) -> Result<(), ApiError> {
        let now = self.clock.now();
        let mut open = self.lock();
        let session = open.sessions.iter_mut().find(|session| session.reference == *reference);
        let invalid = || ApiError::new("SESSION_INVALID", [reference.as_str()]);
        session.ok_or_else(invalid)?.last_active = now;
        Ok(())
    }

    /// Ends a session.
    pub(crate) fn log_out(&self, reference: &Reference) {
        self.lock().sessions.retain(|session| session.reference != *reference);
    }

    /// The open sessions in order of their beginning.
    pub(crate) fn view(&self) -> Vec<Session> {
        self.lock().sessions.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Consistent after every statement under the lock.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use ground::VirtualClock;

    use super::*;

    #[test]
    fn the_longest_idle_session_gives_way() {
        let time = VirtualClock::starting_at(Timestamp::from_unix(0));
        let password = Secret::new("secret");
        let sessions = Sessions::new(password.clone(), Seed::new(1), time.clock());
        let first = sessions.log_in(ROOT, &password).unwrap();
        let second = sessions.log_in(ROOT, &password).unwrap();
        time.advance(std::time::Duration::from_secs(1));
        sessions.touch(&first).unwrap();
        for _ in 2..=SESSIONS_MAX {
            sessions.log_in(ROOT, &password).unwrap();
        }
        assert_eq!(sessions.view().len(), SESSIONS_MAX);
        assert!(sessions.touch(&first).is_ok());
        let gone = ApiError::new("SESSION_INVALID", [second.as_str()]);
        assert_eq!(sessions.touch(&second), Err(gone));
    }
}
