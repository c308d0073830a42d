//! The connections open at one port, and which of them makes room when there are too many.
//!
//! "If a connection comes in after the domain controller reaches this limit, the domain controller
//! drops another connection" (Microsoft, "View and set LDAP policy", `MaxConnections`). So clients
//! that connect and say nothing cannot keep others out. Which one Windows drops is not documented;
//! here it is one that has never asked anything, else the one that has been silent for longest.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// The connections of one port.
#[derive(Debug)]
pub(crate) struct Crowd {
    max: usize,
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct Members {
    /// The first goes first.
    present: BTreeMap<Standing, Arc<Notify>>,
    /// Counts arrivals and requests.
    now: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    has_spoken: bool,
    since: u64,
}

/// One connection while it is open.
#[derive(Debug)]
pub(crate) struct Member {
    crowd: Arc<Crowd>,
    standing: Standing,
    leave: Arc<Notify>,
}

impl Crowd {
    /// Room for `max` connections, at least one.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max: max.max(1), members: Mutex::default() })
    }

    pub(crate) fn size(&self) -> usize {
        self.members().present.len()
    }

    /// Takes in a connection. If there are too many then, another has to leave.
    pub(crate) fn enter(self: &Arc<Self>) -> Member {
        let leave = Arc::new(Notify::new());
        let mut members = self.members();
        let standing = Standing { has_spoken: false, since: members.tick() };
        if members.present.len() >= self.max {
            members.drop_first();
        }
        members.present.insert(standing, Arc::clone(&leave));
        drop(members);
        Member { crowd: Arc::clone(self), standing, leave }
    }

    /// Has a connection leave, if there is one.
    pub(crate) fn make_room(&self) -> bool {
        self.members().drop_first()
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        // Whole after every statement under the lock.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Members {
    fn drop_first(&mut self) -> bool {
        let first = self.present.pop_first();
        first.inspect(|(_, first)| first.notify_one()).is_some()
    }

    fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }
}

impl Member {
    /// It has sent a whole request just now.
    pub(crate) fn speak(&mut self) {
        let mut members = self.crowd.members();
        // It may have been told to leave in this moment.
        if let Some(leave) = members.present.remove(&self.standing) {
            self.standing = Standing { has_spoken: true, since: members.tick() };
            members.present.insert(self.standing, leave);
        }
    }

    /// Notices, once, that it has to make room.
    pub(crate) fn leave(&self) -> Arc<Notify> {
        Arc::clone(&self.leave)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.crowd.members().present.remove(&self.standing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it has been told to leave.
    async fn leaves(member: &Member) -> bool {
        let leave = member.leave();
        tokio::select! {
            biased;
            () = leave.notified() => true,
            () = std::future::ready(()) => false,
        }
    }

    #[tokio::test]
    async fn the_silent_leave_first_and_then_those_who_spoke_long_ago() {
        let crowd = Crowd::new(3);
        let (mut first, mut second, third) = (crowd.enter(), crowd.enter(), crowd.enter());
        first.speak();
        second.speak();
        first.speak();

        let mut fourth = crowd.enter();
        assert!(leaves(&third).await, "it never spoke");
        assert!(!leaves(&second).await);
        fourth.speak();
        let mut fifth = crowd.enter();
        assert!(leaves(&second).await, "the others spoke later");
        fifth.speak();
        let _sixth = crowd.enter();
        assert!(leaves(&first).await);
        assert_eq!(crowd.size(), 3);

        // Who has been told to leave cannot come back by speaking.
        second.speak();
        drop((first, second, third));
        assert_eq!(crowd.size(), 3);
        drop((fourth, fifth));
        assert_eq!(crowd.size(), 1);
    }
}
