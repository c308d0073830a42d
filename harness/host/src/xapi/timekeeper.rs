//! Who moves the time of a world (`ground::VirtualClock`).
//!
//! A world has several callers: the step that is being done, calls in the background, and the duties
//! of the hosts. While one of them moves, time stands still. When all stand still, whatever comes
//! next happens: a caller that has slept long enough goes on, or a host begins a duty. So one thing
//! happens after the other, each at its own time, and two runs agree.

use std::{pin::pin, sync::Arc, time::Duration};

use ground::{Timestamp, Trail, VirtualClock, WaitingRoom};

use crate::xapi::{Due, Pool, Rig};

/// Hosts that have duties.
pub trait Duties {
    /// What comes next on any of them.
    fn next_due(&self) -> Option<Due>;

    /// Begins what is due. It goes on by itself, as a caller of its own.
    fn begin_due(&self, due: Due, trail: &Trail);
}

impl Duties for Arc<Pool> {
    fn next_due(&self) -> Option<Due> {
        Pool::next_due(self)
    }

    fn begin_due(&self, due: Due, trail: &Trail) {
        if self.pass_over(&due, trail) {
            return;
        }
        let (pool, trail, moving) = (Self::clone(self), trail.clone(), self.waiting_room().begin());
        tokio::spawn(async move {
            pool.perform(due, &trail).await;
            drop(moving);
        });
    }
}

impl Duties for Arc<Rig> {
    fn next_due(&self) -> Option<Due> {
        self.pools().iter().filter_map(|pool| pool.next_due()).min()
    }

    fn begin_due(&self, due: Due, trail: &Trail) {
        if let Some(pool) = self.pool_of(&due.host) {
            pool.begin_due(due, trail);
        }
    }
}

/// Moves the time of a world.
#[derive(Clone, Debug)]
pub struct Timekeeper {
    time: VirtualClock,
}

/// A caller waits for something that nobody will do, however much time goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nobody can go on")]
pub struct Stuck;

impl Timekeeper {
    /// From now on nobody else moves this time.
    pub fn new(time: VirtualClock) -> Self {
        time.drive();
        Self { time }
    }

    /// Lets as much time go by as the caller needs to come to its end, and no more.
    ///
    /// # Errors
    ///
    /// If the caller waits for something that time does not bring.
    pub async fn attend<T>(
        &self,
        hosts: &impl Duties,
        trail: &Trail,
        caller: impl Future<Output = T>,
    ) -> Result<T, Stuck> {
        let moving = self.room().begin();
        let ended = self.await_end(hosts, trail, caller).await;
        drop(moving);
        ended
    }

    /// The same for the end of a caller that was begun before.
    ///
    /// # Errors
    ///
    /// As above.
    pub async fn await_end<T>(
        &self,
        hosts: &impl Duties,
        trail: &Trail,
        end: impl Future<Output = T>,
    ) -> Result<T, Stuck> {
        let room = self.room();
        let mut end = pin!(end);
        loop {
            tokio::select! {
                biased;
                outcome = &mut end => return Ok(outcome),
                () = room.is_at_rest() => {}
            }
            let is_stuck = self.time.next_timer().is_none();
            let until = if is_stuck { self.now() } else { END_OF_TIME };
            if !self.let_next_go_on(hosts, trail, until) {
                return Err(Stuck);
            }
        }
    }

    /// Lets so much time go by: everybody goes on, and every host does its duties, at its own time.
    pub async fn advance(&self, hosts: &impl Duties, trail: &Trail, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        let until = Timestamp::from_unix_micros(self.now().unix_micros().saturating_add(micros));
        self.pass(hosts, trail, until).await;
    }

    /// Lets everything happen that is due already, until nothing moves any more.
    pub async fn settle(&self, hosts: &impl Duties, trail: &Trail) {
        self.pass(hosts, trail, self.now()).await;
    }

    async fn pass(&self, hosts: &impl Duties, trail: &Trail, until: Timestamp) {
        let room = self.room();
        loop {
            room.is_at_rest().await;
            if !self.let_next_go_on(hosts, trail, until) {
                break;
            }
        }
        self.time.move_to(until);
    }

    /// Whoever sleeps comes before the duties of the same time.
    fn let_next_go_on(&self, hosts: &impl Duties, trail: &Trail, until: Timestamp) -> bool {
        let timer = self.time.next_timer().filter(|at| *at <= until);
        let due = hosts.next_due().filter(|due| due.at <= until);
        match (timer, due) {
            (None, None) => return false,
            (Some(at), due) if due.as_ref().is_none_or(|due| at <= due.at) => self.time.ring_next(),
            (_, Some(due)) => {
                self.time.move_to(due.at);
                hosts.begin_due(due, trail);
            }
            (Some(_), None) => self.time.ring_next(),
        }
        true
    }

    fn now(&self) -> Timestamp {
        self.time.clock().now()
    }

    fn room(&self) -> WaitingRoom {
        self.time.clock().waiting_room().clone()
    }
}

const END_OF_TIME: Timestamp = Timestamp::from_unix(i64::MAX);
