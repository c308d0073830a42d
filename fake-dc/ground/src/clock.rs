//! Virtual time, passed in everywhere.

use std::{
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::Notify;

/// A point in time: microseconds since 1970-01-01T00:00:00Z.
///
/// Written in RFC 3339 with `Z`: `2026-08-21T02:00:23Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

impl Timestamp {
    /// The point `seconds` after the Unix epoch.
    pub const fn from_unix(seconds: i64) -> Self {
        Self { micros: seconds.saturating_mul(1_000_000) }
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn unix(self) -> i64 {
        self.micros.div_euclid(1_000_000)
    }

    /// Microseconds since the Unix epoch.
    pub const fn unix_micros(self) -> i64 {
        self.micros
    }

    /// The same point as the `time` crate writes it. Years outside 0–9999 are clamped.
    pub fn to_date_time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.micros) * 1_000).unwrap_or(
            if self.micros < 0 {
                OffsetDateTime::UNIX_EPOCH
            } else {
                time::macros::datetime!(9999-12-31 23:59:59 UTC)
            },
        )
    }

    /// This point moved by `seconds`, which may be negative. Saturates at the ends.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self { micros: self.micros.saturating_add(seconds.saturating_mul(1_000_000)) }
    }

    /// This point moved by `days`, which may be negative.
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_seconds(days.saturating_mul(86_400))
    }

    /// Active Directory's file time: units of 100 ns since 1601-01-01T00:00:00Z.
    pub const fn to_file_time(self) -> i64 {
        self.micros.saturating_add(11_644_473_600_000_000).saturating_mul(10)
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(date_time: OffsetDateTime) -> Self {
        let micros = date_time.unix_timestamp_nanos().div_euclid(1_000);
        // Year 9999 is 2.5e17 microseconds: every OffsetDateTime fits.
        Self { micros: i64::try_from(micros).unwrap_or(i64::MAX) }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_date_time().format(&Rfc3339).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        OffsetDateTime::parse(text, &Rfc3339)
            .map(Self::from)
            .map_err(|_| TimestampError { text: text.to_owned() })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Text that is no RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a time; write it as 2026-08-21T02:00:23Z")]
pub struct TimestampError {
    text: String,
}

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
    moved: Notify,
}

impl Hands {
    fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(micros, Ordering::SeqCst);
        self.moved.notify_waiters();
    }
}

impl VirtualClock {
    /// A clock that stands still at `start` until it is advanced.
    pub fn starting_at(start: Timestamp) -> Self {
        let hands = Hands { micros: AtomicI64::new(start.micros), moved: Notify::new() };
        Self { hands: Arc::new(hands) }
    }

    /// Moves time forward for every reader at once.
    pub fn advance(&self, by: Duration) {
        self.hands.advance(by);
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
    System,
    Virtual(Arc<Hands>),
}

impl Clock {
    /// The machine's own clock. Only a binary that serves real clients passes this in.
    pub fn system() -> Self {
        Self { source: Source::System, offset_micros: 0, skews: Vec::new() }
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
        matches!(self.source, Source::System)
            && self.offset_micros == 0
            && self.skews.iter().all(|skew| skew.micros.load(Ordering::SeqCst) == 0)
    }

    /// Lets `time` go by, as a program does that sleeps. In a virtual world nothing is waited for:
    /// the world's clock moves forward, for everybody.
    pub async fn sleep(&self, time: Duration) {
        match &self.source {
            Source::System => tokio::time::sleep(time).await,
            Source::Virtual(hands) => hands.advance(time),
        }
    }

    /// Waits until it is `at` or later on this clock; in a virtual world, until somebody has moved
    /// time so far.
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
    /// world.clock().sleep(Duration::from_secs(5)).await;
    /// later.await.unwrap();
    /// # });
    /// ```
    pub async fn reaches(&self, at: Timestamp) {
        loop {
            let moved = match &self.source {
                Source::System => None,
                Source::Virtual(hands) => Some(hands.moved.notified()),
            };
            let missing = at.micros.saturating_sub(self.now().micros);
            let Ok(missing @ 1..) = u64::try_from(missing) else { return };
            match moved {
                None => tokio::time::sleep(Duration::from_micros(missing)).await,
                Some(moved) => moved.await,
            }
        }
    }

    /// The present.
    pub fn now(&self) -> Timestamp {
        let micros = match &self.source {
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
            Source::Virtual(hands) => hands.micros.load(Ordering::SeqCst),
        };
        let skew = self.skews.iter().map(|skew| skew.micros.load(Ordering::SeqCst));
        let offset = skew.fold(self.offset_micros, i64::saturating_add);
        Timestamp { micros: micros.saturating_add(offset) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_what_they_write() {
        let text = "2026-08-21T02:00:23Z";
        assert_eq!(text.parse::<Timestamp>().map(|t| t.to_string()).as_deref(), Ok(text));
        assert!("yesterday".parse::<Timestamp>().is_err());
    }

    #[test]
    fn file_time_counts_from_1601() {
        assert_eq!(Timestamp::from_unix(0).to_file_time(), 116_444_736_000_000_000);
    }

    #[test]
    fn far_times_are_printed_not_refused() {
        assert_eq!(Timestamp::from_unix(i64::MAX).to_string(), "9999-12-31T23:59:59Z");
    }
}
