//! What every xapi process does by itself, and when (xapi-flows.md §§11.1, 11.4, 14, 15, 18).
//!
//! As in xapi one thread works off the queue of periodic duties, one after the other, and puts each
//! back when it is done: the next time is counted from there. The initialisation of AD has threads of
//! its own (xen-api, `xapi_periodic_scheduler.ml` and `xapi.ml`). All of it goes by steady time: to set
//! the clock of a host makes no difference.
//!
//! A schedule says when something is due; nothing happens until somebody who drives the world's time
//! performs it ([`super::Timekeeper`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ground::{Timestamp, Trail};
use serde::Serialize;
use tokio::sync::watch;

use crate::{
    facts::DutyBegan,
    xapi::{Host, Liveness, Pool, host::Process, host_auth::AD, on_host::OnHost},
};

/// After a start sessions are looked at for the first time (§11.1).
const FIRST_REVALIDATION: Duration = Duration::from_secs(300);
/// After a start subjects are refreshed for the first time (§11.4).
const FIRST_REFRESH: Duration = Duration::from_secs(10);
/// After a start AD has so long before somebody is told (§14).
const AD_PATIENCE: Duration = Duration::from_secs(120);
/// After so long the initialisation of AD is tried again (§14).
const AD_RETRY: Duration = Duration::from_secs(300);
/// After a start the age of the machine's password is looked at (§14).
const FIRST_ROTATION: Duration = Duration::from_secs(5);
/// The job of §15 is one of cron, which does not care when xapi was started.
const DAY: i64 = 86_400;

/// What xapi does by itself. Of two that are due at the same time the first one here comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// AD is initialised after a start (§14 step 4).
    InitialiseAd,
    /// Two minutes after a start somebody is told if that has not succeeded.
    WarnOfAd,
    /// The password of the machine account is changed when it is old enough.
    RotatePassword,
    /// What is stored of subjects is asked again (§11.4).
    RefreshSubjects,
    /// Sessions of AD accounts are looked at (§11).
    RevalidateSessions,
    /// Certificates that expire soon are looked for (§15).
    CheckCertificateExpiry,
}

/// A duty that is due on a host. Ordered as they are performed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Steady time.
    pub at: Timestamp,
    /// Name of the host.
    pub host: String,
    /// What.
    pub duty: Duty,
}

/// When a process does what. It ends with that process.
#[derive(Debug)]
pub(crate) struct Schedule {
    state: Mutex<State>,
    ended: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    due: BTreeMap<Duty, Timestamp>,
    under_way: BTreeSet<Duty>,
}

impl Duty {
    /// Whether it waits in the queue for others.
    const fn is_queued(self) -> bool {
        matches!(self, Self::RotatePassword | Self::RefreshSubjects | Self::RevalidateSessions)
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self { state: Mutex::default(), ended: watch::Sender::new(false) }
    }
}

impl Schedule {
    /// The duty is due at this time, and not at the one that was set before.
    fn set(&self, duty: Duty, at: Timestamp) {
        self.lock().due.insert(duty, at);
    }

    /// It is not due any more.
    pub(crate) fn cancel(&self, duty: Duty) {
        self.lock().due.remove(&duty);
    }

    /// The process has ended, and what it was about.
    pub(crate) fn end(&self) {
        self.lock().due.clear();
        self.ended.send_replace(true);
    }

    /// What comes next, of that which can begin.
    fn next(&self) -> Option<(Timestamp, Duty)> {
        let state = self.lock();
        let queue_is_busy = state.under_way.iter().any(|duty| duty.is_queued());
        let can_begin =
            |duty: &Duty| !(state.under_way.contains(duty) || duty.is_queued() && queue_is_busy);
        let free = state.due.iter().filter(|(duty, _)| can_begin(duty));
        free.map(|(duty, at)| (*at, *duty)).min()
    }

    async fn has_ended(&self) {
        // Fails when the sender is gone; it lives in `self`.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Consistent after every statement under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// What comes next on any host that is up.
    pub fn next_due(&self) -> Option<Due> {
        let of = |host: &Host| {
            if host.liveness() == Liveness::Offline && !self.is_coordinator(host) {
                return None;
            }
            let (at, duty) = host.process().schedule.next()?;
            Some(Due { at, host: host.name().to_owned(), duty })
        };
        self.hosts().iter().filter_map(|host| of(host)).min()
    }

    /// Puts the duty off to its next time if it finds nothing to do, so that nobody need record it.
    pub fn pass_over(&self, due: &Due, trail: &Trail) -> bool {
        let Some(host) = self.host(&due.host) else { return true };
        let at_work = self.on_host(&host, trail);
        let is_idle = !at_work.has_work(due.duty);
        if is_idle {
            at_work.put_back(due.duty);
        }
        is_idle
    }

    /// Does what is due. A restart of the process breaks it off.
    pub async fn perform(&self, due: Due, trail: &Trail) {
        let Some(host) = self.host(&due.host) else { return };
        let (host_name, duty) = (due.host, due.duty);
        let trail = self.on_host(&host, trail).trail.begin(DutyBegan { host: host_name, duty });
        let at_work = self.on_host(&host, &trail);
        let schedule = &at_work.process.schedule;
        {
            let mut state = schedule.lock();
            state.due.remove(&duty);
            state.under_way.insert(duty);
        }
        tokio::select! {
            biased;
            () = schedule.has_ended() => return,
            () = at_work.do_duty(duty) => {}
        }
        schedule.lock().under_way.remove(&duty);
        at_work.put_back(duty);
    }
}

impl OnHost<'_> {
    /// What a process does from its start on, AD aside.
    pub(crate) fn begin_schedule(&self) {
        let now = self.host.clock().steady();
        let schedule = &self.process.schedule;
        if self.record().is_ok_and(|record| record.external_auth_type == AD) {
            self.schedule_rotation(false);
        }
        if self.pool.is_coordinator(&self.host) {
            schedule.set(Duty::RefreshSubjects, after(now, FIRST_REFRESH));
            schedule.set(Duty::RevalidateSessions, after(now, FIRST_REVALIDATION));
            schedule.set(Duty::CheckCertificateExpiry, next_day(now));
        }
    }

    /// Step 4 of §14: from now on AD is being initialised.
    pub(crate) fn schedule_ad(&self) {
        let now = self.host.clock().steady();
        self.process.schedule.set(Duty::InitialiseAd, now);
        self.process.schedule.set(Duty::WarnOfAd, after(now, AD_PATIENCE));
    }

    /// The rotation task starts: right after a join it is due at once, after a start a little later.
    pub(crate) fn schedule_rotation(&self, has_joined: bool) {
        let now = self.host.clock().steady();
        let first = if has_joined { now } else { after(now, FIRST_ROTATION) };
        self.process.schedule.set(Duty::RotatePassword, first);
    }

    fn has_work(&self, duty: Duty) -> bool {
        let is_ad =
            |on_host: &Self| on_host.record().is_ok_and(|record| record.external_auth_type == AD);
        match duty {
            Duty::InitialiseAd | Duty::WarnOfAd => {
                is_ad(self) && !self.process.is_auth_initialised()
            }
            Duty::RotatePassword => is_ad(self) && self.password_is_old(),
            Duty::RefreshSubjects => self.pool.has_subjects_to_refresh(),
            Duty::RevalidateSessions => self.pool.has_sessions_to_revalidate(),
            Duty::CheckCertificateExpiry => self.pool.has_expiry_to_tell(),
        }
    }

    async fn do_duty(&self, duty: Duty) {
        match duty {
            Duty::InitialiseAd => self.initialise_auth().await,
            Duty::WarnOfAd => self.warn_of_auth(),
            Duty::RotatePassword => self.rotate_machine_password().await,
            Duty::RefreshSubjects => self.pool.refresh_subjects(&self.trail).await,
            Duty::RevalidateSessions => self.pool.revalidate_sessions(&self.trail).await,
            Duty::CheckCertificateExpiry => self.pool.check_certificate_expiry(&self.trail),
        }
    }

    /// When it comes again, if it does.
    fn put_back(&self, duty: Duty) {
        let Process { conf, schedule, .. } = &*self.process;
        let now = self.host.clock().steady();
        let next = match duty {
            Duty::InitialiseAd if self.has_work(duty) => Some(after(now, AD_RETRY)),
            Duty::InitialiseAd | Duty::WarnOfAd => None,
            Duty::RotatePassword => {
                let is_joined = self.record().is_ok_and(|record| record.external_auth_type == AD);
                is_joined.then(|| after(now, conf.winbind_machine_pwd_timeout))
            }
            Duty::RefreshSubjects => Some(after(now, conf.update_all_subjects_interval)),
            Duty::RevalidateSessions => Some(after(now, conf.session_revalidation_interval)),
            Duty::CheckCertificateExpiry => Some(next_day(now)),
        };
        match next {
            Some(next) => schedule.set(duty, next),
            None => schedule.cancel(duty),
        }
    }
}

fn after(now: Timestamp, time: Duration) -> Timestamp {
    // An interval of nothing would let time stand still.
    now.plus_seconds(i64::try_from(time.as_secs()).unwrap_or(i64::MAX).max(1))
}

fn next_day(now: Timestamp) -> Timestamp {
    Timestamp::from_unix((now.unix().div_euclid(DAY) + 1) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_is_worked_off_one_by_one() {
        let schedule = Schedule::default();
        let at = Timestamp::from_unix;
        schedule.set(Duty::RevalidateSessions, at(300));
        schedule.set(Duty::RefreshSubjects, at(300));
        schedule.set(Duty::WarnOfAd, at(320));
        assert_eq!(schedule.next(), Some((at(300), Duty::RefreshSubjects)));
        schedule.lock().under_way.insert(Duty::RefreshSubjects);
        assert_eq!(schedule.next(), Some((at(320), Duty::WarnOfAd)));
        schedule.lock().under_way.clear();
        schedule.cancel(Duty::RefreshSubjects);
        assert_eq!(schedule.next(), Some((at(300), Duty::RevalidateSessions)));
        schedule.end();
        assert_eq!(schedule.next(), None);
    }

    #[test]
    fn a_day_ends_at_midnight() {
        assert_eq!(next_day(Timestamp::from_unix(0)), Timestamp::from_unix(DAY));
        assert_eq!(next_day(Timestamp::from_unix(DAY - 1)), Timestamp::from_unix(DAY));
    }
}
