//! Virtual time, passed in everywhere.
//!
//! A [`VirtualClock`] moves in one of two ways. By itself, as it is made: a program that sleeps
//! moves it at once. Driven, after [`VirtualClock::drive`]: who sleeps stands still until the driver
//! moves time to where the next one goes on, so that several callers share one time, and each goes
//! on at its own.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::{
    Timestamp, WaitingRoom,
    timers::{Meanwhile, Timer, Timers},
};

/// The clock of a world, held by whoever may move time.
///
/// ```
/// use std::time::Duration;
///
/// use ground::{Timestamp, VirtualClock};
///
/// let world = VirtualClock::starting_at(Timestamp::from_unix(1_000));
/// let slow_dc = world.clock().offset_by(-300);
/// world.advance(Duration::from_secs(60));
/// assert_eq!(world.clock().now().unix(), 1_060);
/// assert_eq!(slow_dc.now().unix(), 760);
/// ```
#[derive(Clone, Debug)]
pub struct VirtualClock {
    hands: Arc<Hands>,
}

/// Where a virtual clock stands.
#[derive(Debug)]
struct Hands {
    micros: AtomicI64,
    driven: AtomicBool,
    timers: Arc<Timers>,
}

impl Hands {
    fn now(&self) -> i64 {
        self.micros.load(Ordering::SeqCst)
    }

    /// Everybody whose time has come goes on.
    fn advance(&self, by: Duration) {
        let now = self.micros.fetch_add(micros_of(by), Ordering::SeqCst);
        while self.timers.ring(now.saturating_add(micros_of(by))) {}
    }

    /// A timer for the time at which `missing` has gone by; none if that is now.
    fn timer(&self, missing: i64, meanwhile: Meanwhile) -> Option<Timer> {
        let at = self.now().saturating_add(missing);
        (missing > 0).then(|| self.timers.begin(at, meanwhile))
    }
}

impl VirtualClock {
    /// A clock that stands still at `start` until it is advanced.
    pub fn starting_at(start: Timestamp) -> Self {
        let hands = Hands {
            micros: AtomicI64::new(start.micros),
            driven: AtomicBool::new(false),
            timers: Arc::default(),
        };
        Self { hands: Arc::new(hands) }
    }

    /// Moves time forward for every reader at once.
    pub fn advance(&self, by: Duration) {
        self.hands.advance(by);
    }

    /// From now on whoever sleeps waits until the caller of this moves time.
    pub fn drive(&self) {
        self.hands.driven.store(true, Ordering::SeqCst);
    }

    /// When the next of those who wait goes on.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.hands.timers.next().map(|micros| Timestamp { micros })
    }

    /// Moves time to where the next of those who wait goes on, and lets that one go on.
    pub fn ring_next(&self) {
        if let Some(next) = self.hands.timers.next() {
            let now = self.hands.micros.fetch_max(next, Ordering::SeqCst).max(next);
            self.hands.timers.ring(now);
        }
    }

    /// Moves time forward to `at` and lets nobody go on; never back.
    pub fn move_to(&self, at: Timestamp) {
        self.hands.micros.fetch_max(at.micros, Ordering::SeqCst);
    }

    /// A reader of this clock.
    pub fn clock(&self) -> Clock {
        Clock {
            source: Source::Virtual(Arc::clone(&self.hands)),
            offset_micros: 0,
            skews: Vec::new(),
        }
    }
}

/// How wrong one clock goes, held by whoever may set it wrong while others read it.
///
/// ```
/// use ground::{Skew, Timestamp, VirtualClock};
///
/// let world = VirtualClock::starting_at(Timestamp::from_unix(1_000));
/// let skew = Skew::default();
/// let host = world.clock().skewed_by(&skew);
/// skew.set(-300);
/// assert_eq!((world.clock().now().unix(), host.now().unix()), (1_000, 700));
/// skew.set(0);
/// assert_eq!(host.now().unix(), 1_000);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Skew {
    micros: Arc<AtomicI64>,
}

impl Skew {
    /// From now on its clock is wrong by `seconds` (negative: behind).
    pub fn set(&self, seconds: i64) {
        self.micros.store(seconds.saturating_mul(1_000_000), Ordering::SeqCst);
    }

    /// How wrong its clock is, in seconds.
    pub fn seconds(&self) -> i64 {
        self.micros.load(Ordering::SeqCst) / 1_000_000
    }
}

/// What a component reads the time from.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    offset_micros: i64,
    /// What somebody may change while this clock is read.
    skews: Vec<Skew>,
}

#[derive(Clone, Debug)]
enum Source {
    System(WaitingRoom),
    Virtual(Arc<Hands>),
}

impl Clock {
    /// The machine's own clock. Only a binary that serves real clients passes this in.
    pub fn system() -> Self {
        Self { source: Source::System(WaitingRoom::default()), offset_micros: 0, skews: Vec::new() }
    }

    /// The same clock, wrong by `seconds` (negative: behind).
    #[must_use]
    pub fn offset_by(&self, seconds: i64) -> Self {
        Self {
            offset_micros: self.offset_micros.saturating_add(seconds.saturating_mul(1_000_000)),
            ..self.clone()
        }
    }

    /// The same clock, as wrong as `skew` says at each moment.
    #[must_use]
    pub fn skewed_by(&self, skew: &Skew) -> Self {
        let mut skewed = self.clone();
        skewed.skews.push(skew.clone());
        skewed
    }

    /// Whether this is the machine's own clock, and right at this moment.
    pub fn is_system(&self) -> bool {
        matches!(self.source, Source::System(_))
            && self.offset_micros == 0
            && self.skews.iter().all(|skew| skew.micros.load(Ordering::SeqCst) == 0)
    }

    /// Who stands still in the world of this clock.
    pub fn waiting_room(&self) -> &WaitingRoom {
        match &self.source {
            Source::System(room) => room,
            Source::Virtual(hands) => hands.timers.room(),
        }
    }

    /// Lets `time` go by, as a program does that sleeps. In a virtual world nothing is waited for:
    /// the world's clock moves forward, for everybody, or, where somebody drives it, is moved so far.
    pub async fn sleep(&self, time: Duration) {
        match &self.source {
            Source::System(_) => tokio::time::sleep(time).await,
            Source::Virtual(hands) if hands.driven.load(Ordering::SeqCst) => {
                if let Some(mut timer) = hands.timer(micros_of(time), Meanwhile::StandsStill) {
                    timer.rung().await;
                }
            }
            Source::Virtual(hands) => hands.advance(time),
        }
    }

    /// Waits until it is `at` or later on this clock; in a virtual world, until somebody has moved
    /// time so far. To be wrong from now on makes no difference to who waits already.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use std::time::Duration;
    ///
    /// use ground::{Timestamp, VirtualClock};
    ///
    /// let world = VirtualClock::starting_at(Timestamp::from_unix(1_000));
    /// let clock = world.clock();
    /// let later = tokio::spawn(async move { clock.reaches(Timestamp::from_unix(1_005)).await });
    /// world.clock().waiting_room().holds(1).await;
    /// world.clock().sleep(Duration::from_secs(5)).await;
    /// later.await.unwrap();
    /// # });
    /// ```
    pub async fn reaches(&self, at: Timestamp) {
        match &self.source {
            Source::System(_) => tokio::time::sleep(self.until(at)).await,
            Source::Virtual(hands) => {
                let missing = at.micros.saturating_sub(self.now().micros);
                if let Some(mut timer) = hands.timer(missing, Meanwhile::StandsStill) {
                    timer.rung().await;
                }
            }
        }
    }

    /// The outcome of `work`, unless it is `at` or later on this clock before there is one: then the
    /// work is broken off.
    pub async fn limit<T>(&self, at: Timestamp, work: impl Future<Output = T>) -> Option<T> {
        let mut timer = match &self.source {
            Source::System(_) => return tokio::time::timeout(self.until(at), work).await.ok(),
            Source::Virtual(hands) => {
                hands.timer(at.micros.saturating_sub(self.now().micros), Meanwhile::Works)
            }
        };
        let is_over = async {
            if let Some(timer) = &mut timer {
                timer.rung().await;
            }
        };
        // Broken off before the timer is dropped: until then its caller counts as moving.
        let work = pin!(work);
        tokio::select! {
            biased;
            outcome = work => Some(outcome),
            () = is_over => None,
        }
    }

    fn until(&self, at: Timestamp) -> Duration {
        let missing = at.micros.saturating_sub(self.now().micros);
        Duration::from_micros(u64::try_from(missing).unwrap_or(0))
    }

    /// The present as if this clock had never been wrong: what a program goes by that measures how
    /// much time has gone.
    pub fn steady(&self) -> Timestamp {
        let right = Self { offset_micros: 0, skews: Vec::new(), source: self.source.clone() };
        right.now()
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        let micros = match &self.source {
            Source::System(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
            Source::Virtual(hands) => hands.now(),
        };
        let skew = self.skews.iter().map(|skew| skew.micros.load(Ordering::SeqCst));
        let offset = skew.fold(self.offset_micros, i64::saturating_add);
        Timestamp { micros: micros.saturating_add(offset) }
    }
}

fn micros_of(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (VirtualClock, Clock) {
        let world = VirtualClock::starting_at(Timestamp::from_unix(1_000));
        let clock = world.clock();
        (world, clock)
    }

    #[tokio::test]
    async fn who_sleeps_in_a_driven_world_goes_on_at_its_own_time() {
        let (world, clock) = world();
        world.drive();
        let (said, mut order) = tokio::sync::mpsc::unbounded_channel();
        let room = clock.waiting_room().clone();
        for seconds in [30_u64, 10, 10] {
            let (clock, said, moving) = (clock.clone(), said.clone(), room.begin());
            tokio::spawn(async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                said.send(clock.now().unix()).unwrap();
                drop(moving);
            });
            room.is_at_rest().await;
        }
        assert_eq!(world.next_timer(), Some(Timestamp::from_unix(1_010)));
        for expected in [1_010, 1_010, 1_030] {
            world.ring_next();
            room.is_at_rest().await;
            assert_eq!(order.try_recv(), Ok(expected));
        }
        assert_eq!(world.next_timer(), None);
        room.holds(0).await;
    }

    #[tokio::test]
    async fn a_limit_breaks_off_what_takes_too_long() {
        let (world, clock) = world();
        world.drive();
        let room = clock.waiting_room().clone();
        for (takes, expected) in [(19, Some(())), (21, None)] {
            let (worker, moving) = (clock.clone(), room.begin());
            let work = tokio::spawn(async move {
                let end = worker.now().plus_seconds(20);
                let outcome = worker.limit(end, worker.sleep(Duration::from_secs(takes))).await;
                drop(moving);
                (outcome, worker.now())
            });
            room.is_at_rest().await;
            let began = clock.now();
            world.ring_next();
            room.is_at_rest().await;
            let now = began.plus_seconds(takes.min(20).cast_signed());
            assert_eq!(work.await.unwrap(), (expected, now));
            assert_eq!(world.next_timer(), None);
            room.holds(0).await;
        }
    }

    #[tokio::test]
    async fn who_gives_up_is_not_counted() {
        let (_, clock) = world();
        let room = clock.waiting_room().clone();
        let waits = clock.clone();
        let caller = tokio::spawn(async move { waits.reaches(Timestamp::from_unix(2_000)).await });
        room.holds(1).await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        room.holds(0).await;
    }

    #[test]
    fn steady_time_is_that_of_the_world() {
        let (_, clock) = world();
        let skew = Skew::default();
        skew.set(-300);
        let wrong = clock.offset_by(50).skewed_by(&skew);
        assert_eq!((wrong.now().unix(), wrong.steady().unix()), (750, 1_000));
    }
}
