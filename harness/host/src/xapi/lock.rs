//! The locks of xapi-flows.md §17, and their order.
//!
//! They are taken in the order of [`LockName`] and given back in the opposite order: the pool's
//! before a host's, the plugin's last. A call of the pool holds the first while it goes through
//! the hosts; on each of them it holds the second, and within that the third; a login holds its
//! place among the logins, then the third. Nobody who holds a lock waits for one that comes
//! earlier, and no call holds locks of two hosts, so there is no circle of callers that wait for
//! each other: a deadlock is impossible. `tests/api/locks.rs` tries.
//!
//! As in xapi no wait has a limit, but for that of the pool's operations. The ledger says who waits and for whom.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ground::{Trail, WaitingRoom};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::facts::{LockTaken, LockWaiting};

/// The locks in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LockName {
    /// Turns of the calls that are operations of the pool (`operations.rs`). The one wait
    /// that has a limit.
    PoolOperation,
    /// Pool extauth lock, one in the coordinator's process: `pool.enable_external_auth`,
    /// `pool.disable_external_auth`, `pool.external_auth_set_ldaps` and the hook after a change of
    /// subjects.
    PoolExtauth,
    /// Host extauth lock, one in each host's process: `host.enable_external_auth`,
    /// `host.disable_external_auth`, `host.external_auth_set_ldaps`.
    HostExtauth,
    /// Places for AD logins, `ext_auth_max_threads` of them.
    Login,
    /// Plugin lock, one in each host's process: whatever the plugin does.
    Plugin,
}

/// A lock. Who comes first takes it first.
pub(crate) struct Lock {
    shared: Arc<Shared>,
}

struct Shared {
    name: LockName,
    room: WaitingRoom,
    state: Mutex<State>,
}

struct State {
    places: usize,
    /// What holds it.
    held_by: Vec<&'static str>,
    waiting: VecDeque<Waiter>,
    /// How many have come to wait.
    came: u64,
}

struct Waiter {
    number: u64,
    task: &'static str,
    go: oneshot::Sender<LockGuard>,
}

/// Holds a lock until it is dropped.
pub(crate) struct LockGuard {
    shared: Arc<Shared>,
    task: &'static str,
}

impl Lock {
    /// A lock that one caller holds at a time.
    pub(crate) fn new(name: LockName, room: &WaitingRoom) -> Self {
        Self::with_places(name, 1, room)
    }

    /// A lock that `places` callers hold at a time.
    pub(crate) fn with_places(name: LockName, places: usize, room: &WaitingRoom) -> Self {
        let state = State { places, held_by: Vec::new(), waiting: VecDeque::new(), came: 0 };
        let shared = Shared { name, room: room.clone(), state: Mutex::new(state) };
        Self { shared: Arc::new(shared) }
    }

    /// Waits until nobody else holds it, for as long as that takes. `task` says who wants it.
    pub(crate) async fn take(&self, task: &'static str, trail: &Trail) -> LockGuard {
        let (turn, _in_row) = {
            let mut state = self.shared.lock();
            if state.has_place() {
                state.held_by.push(task);
                return LockGuard { shared: Arc::clone(&self.shared), task };
            }
            let lock = self.shared.name;
            trail.record(LockWaiting { lock, task, held_by: state.held_by.clone() });
            let (go, turn) = oneshot::channel();
            state.came += 1;
            let number = state.came;
            state.waiting.push_back(Waiter { number, task, go });
            self.shared.room.enter();
            (turn, InRow { shared: &self.shared, number })
        };
        let guard = turn.await.expect("a waiter leaves the row only when its turn comes");
        trail.record(LockTaken { lock: self.shared.name, task });
        guard
    }

    /// Takes it if nobody holds it or waits for it.
    pub(crate) fn take_if_free(&self, task: &'static str) -> Option<LockGuard> {
        let mut state = self.shared.lock();
        state.has_place().then(|| {
            state.held_by.push(task);
            LockGuard { shared: Arc::clone(&self.shared), task }
        })
    }

    /// Whether somebody holds it.
    pub(crate) fn is_held(&self) -> bool {
        !self.shared.lock().held_by.is_empty()
    }

    /// From now on `places` callers hold it at a time. Those that hold it keep it.
    pub(crate) fn set_places(&self, places: usize) {
        self.shared.lock().places = places;
        self.shared.let_go();
    }
}

impl Shared {
    /// Gives free places to those who wait.
    fn let_go(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            if state.held_by.len() >= state.places {
                return;
            }
            let Some(Waiter { task, go, .. }) = state.waiting.pop_front() else { return };
            state.held_by.push(task);
            drop(state);
            self.room.leave();
            // If the waiter is gone the guard comes back, and its drop frees the place again.
            drop(go.send(LockGuard { shared: Arc::clone(self), task }));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Consistent after every statement under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has_place(&self) -> bool {
        self.held_by.len() < self.places && self.waiting.is_empty()
    }
}

/// A caller's place among those who wait. One that gives up leaves it.
struct InRow<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Drop for InRow<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if let Some(place) = state.waiting.iter().position(|one| one.number == self.number) {
            state.waiting.remove(place);
            self.shared.room.leave();
        }
    }
}

impl Drop for LockGuard {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            if let Some(index) = state.held_by.iter().position(|task| *task == self.task) {
                state.held_by.remove(index);
            }
        }
        self.shared.let_go();
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("Lock")
            .field("name", &self.shared.name)
            .field("held_by", &state.held_by)
            .field("waiting", &state.waiting.len())
            .finish()
    }
}

impl fmt::Debug for LockGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("name", &self.shared.name)
            .field("task", &self.task)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use ground::{Actor, Ledger, Timestamp, VirtualClock};

    use super::*;

    fn trail() -> Trail {
        let time = VirtualClock::starting_at(Timestamp::from_unix(0));
        Ledger::new(time.clock()).trail(Actor::Runner)
    }

    #[tokio::test]
    async fn who_comes_first_is_served_first_and_the_room_knows_who_waits() {
        let (room, trail) = (WaitingRoom::default(), trail());
        let lock = Arc::new(Lock::new(LockName::Plugin, &room));
        let first = lock.take("first", &trail).await;
        let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
        for (number, task) in ["second", "third"].into_iter().enumerate() {
            let (lock, trail, done) = (Arc::clone(&lock), trail.clone(), done.clone());
            tokio::spawn(async move {
                let _guard = lock.take(task, &trail).await;
                done.send(task)
            });
            room.holds(number + 1).await;
        }
        assert!(lock.is_held() && lock.take_if_free("a fourth").is_none());
        drop(first);
        assert_eq!(order.recv().await, Some("second"));
        assert_eq!(order.recv().await, Some("third"));
        room.holds(0).await;
        let said: Vec<_> = trail
            .ledger()
            .events()
            .iter()
            .filter_map(|event| event.fact::<LockWaiting>().map(|f| (f.task, f.held_by.clone())))
            .collect();
        assert_eq!(said, [("second", vec!["first"]), ("third", vec!["first"])]);
    }

    #[tokio::test]
    async fn a_waiter_that_gives_up_does_not_keep_the_lock() {
        let (room, trail) = (WaitingRoom::default(), trail());
        let lock = Arc::new(Lock::new(LockName::HostExtauth, &room));
        let first = lock.take("first", &trail).await;
        let waiter = tokio::spawn({
            let (lock, trail) = (Arc::clone(&lock), trail.clone());
            async move { drop(lock.take("second", &trail).await) }
        });
        room.holds(1).await;
        waiter.abort();
        assert!(waiter.await.unwrap_err().is_cancelled());
        room.holds(0).await;
        drop(first);
        assert!(lock.take_if_free("third").is_some());
        room.holds(0).await;
    }

    #[tokio::test]
    async fn places_can_be_added_while_somebody_waits() {
        let (room, trail) = (WaitingRoom::default(), trail());
        let lock = Arc::new(Lock::with_places(LockName::Login, 1, &room));
        let first = lock.take("login", &trail).await;
        let second = tokio::spawn({
            let (lock, trail) = (Arc::clone(&lock), trail.clone());
            async move { lock.take("login", &trail).await }
        });
        room.holds(1).await;
        lock.set_places(2);
        let second = second.await.unwrap();
        assert!(lock.take_if_free("login").is_none());
        drop((first, second));
        assert!(!lock.is_held());
    }
}
