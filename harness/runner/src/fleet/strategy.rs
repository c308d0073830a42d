//! The strategies: pure functions from a domain's DCs to an order and a pace.

mod last_good_first;
mod parallel;
mod sequential;
mod sequential_with_timeout;
mod srv_weighted;
mod staggered;

use std::{fmt, num::NonZeroUsize, str::FromStr, time::Duration};

use ground::Seed;

/// How the DCs of a domain are asked until one passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strategy {
    /// The DC that passed last time, then the others one after the other.
    LastGoodFirst,
    /// All at once.
    Parallel,
    /// One after the other, each for as long as Samba waits: what xapi does.
    Sequential,
    /// One after the other, each for a given time at most.
    SequentialWithTimeout,
    /// One after the other, in an order drawn by priority and weight of the SRV records (RFC 2782).
    SrvWeighted,
    /// The next one after a short delay, or at once when one has failed (RFC 8305).
    Staggered,
}

/// A DC that can be asked, as DNS tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Priority of its SRV record: the lowest first.
    pub priority: u16,
    /// Weight of its SRV record.
    pub weight: u16,
}

/// What the strategies can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StrategySettings {
    /// Time between two attempts of [`Strategy::Staggered`]: the Connection Attempt Delay.
    pub attempt_delay: Duration,
    /// Most attempts at a time of [`Strategy::Parallel`] and [`Strategy::Staggered`]; all if `None`.
    pub in_flight_max: Option<NonZeroUsize>,
    /// Longest attempt of [`Strategy::SequentialWithTimeout`].
    pub attempt_limit: Duration,
    /// The DC that passed last time, by its number, for [`Strategy::LastGoodFirst`].
    pub last_good: Option<usize>,
}

impl Default for StrategySettings {
    /// 250 ms between attempts (RFC 8305, section 8), no limit at a time, 3 s for an attempt.
    fn default() -> Self {
        Self {
            attempt_delay: Duration::from_millis(250),
            in_flight_max: None,
            attempt_limit: Duration::from_secs(3),
            last_good: None,
        }
    }
}

/// In which order and at which pace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Numbers of candidates, each once.
    pub order: Vec<usize>,
    /// When the next one is asked.
    pub pacing: Pacing,
}

/// When the next attempt begins: after a failure at once, else after the delay, if there is room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// Attempts at a time.
    pub in_flight_max: NonZeroUsize,
    /// Time between the beginnings of two attempts while none fails.
    pub delay: Duration,
    /// Time after which an attempt is given up.
    pub attempt_limit: Option<Duration>,
}

impl Pacing {
    /// One at a time, without a limit of its own.
    const ONE_BY_ONE: Self =
        Self { in_flight_max: NonZeroUsize::MIN, delay: Duration::ZERO, attempt_limit: None };
}

impl Strategy {
    /// All of them; that of xapi first.
    pub const ALL: [Self; 6] = [
        Self::Sequential,
        Self::SequentialWithTimeout,
        Self::Parallel,
        Self::Staggered,
        Self::LastGoodFirst,
        Self::SrvWeighted,
    ];

    /// Its name: `last-good-first`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LastGoodFirst => "last-good-first",
            Self::Parallel => "parallel",
            Self::Sequential => "sequential",
            Self::SequentialWithTimeout => "sequential-with-timeout",
            Self::SrvWeighted => "srv-weighted",
            Self::Staggered => "staggered",
        }
    }

    /// What it decides about `candidates`, which are in the order of xapi. `seed` draws lots.
    pub fn plan(self, candidates: &[Candidate], settings: &StrategySettings, seed: &Seed) -> Plan {
        match self {
            Self::LastGoodFirst => last_good_first::plan(candidates.len(), settings.last_good),
            Self::Parallel => parallel::plan(candidates.len(), settings.in_flight_max),
            Self::Sequential => sequential::plan(candidates.len()),
            Self::SequentialWithTimeout => {
                sequential_with_timeout::plan(candidates.len(), settings.attempt_limit)
            }
            Self::SrvWeighted => srv_weighted::plan(candidates, seed),
            Self::Staggered => {
                let StrategySettings { attempt_delay, in_flight_max, .. } = *settings;
                staggered::plan(candidates.len(), attempt_delay, in_flight_max)
            }
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Text that is no name of a [`Strategy`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no strategy{}; the strategies are {}", nearest(.text), names())]
pub struct UnknownStrategy {
    /// The text.
    pub text: String,
}

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|strategy| strategy.name() == text);
        known.ok_or_else(|| UnknownStrategy { text: text.to_owned() })
    }
}

fn names() -> String {
    Strategy::ALL.map(Strategy::name).join(", ")
}

fn nearest(text: &str) -> String {
    let distance = |name: &str| strsim::damerau_levenshtein(text, name);
    let nearest = Strategy::ALL.map(Strategy::name).into_iter().min_by_key(|name| distance(name));
    match nearest {
        Some(name) if distance(name) * 3 <= name.len() => format!(", did you mean `{name}`"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(records: &[(u16, u16)]) -> Vec<Candidate> {
        let candidate = |&(priority, weight): &(u16, u16)| Candidate { priority, weight };
        records.iter().map(candidate).collect()
    }

    #[test]
    fn every_strategy_asks_each_dc_once() {
        let records: Vec<_> = (0..97).map(|n| (n % 3, n % 7 * 10)).collect();
        let candidates = candidates(&records);
        let settings = StrategySettings { last_good: Some(40), ..StrategySettings::default() };
        for strategy in Strategy::ALL {
            for seed in 0..20 {
                let mut order = strategy.plan(&candidates, &settings, &Seed::new(seed)).order;
                order.sort_unstable();
                assert_eq!(order, (0..97).collect::<Vec<_>>(), "{strategy}");
            }
        }
    }

    #[test]
    fn the_last_good_one_is_first_and_the_others_keep_their_order() {
        let candidates = candidates(&[(0, 0); 4]);
        let plan = |last_good| {
            let settings = StrategySettings { last_good, ..StrategySettings::default() };
            Strategy::LastGoodFirst.plan(&candidates, &settings, &Seed::new(1)).order
        };
        assert_eq!(plan(Some(2)), [2, 0, 1, 3]);
        assert_eq!(plan(None), [0, 1, 2, 3]);
        assert_eq!(plan(Some(9)), [0, 1, 2, 3], "it is not there any more");
    }

    /// RFC 2782: the lowest priority first; within one, as often first as its share of the weight.
    #[test]
    fn lots_are_drawn_by_weight_within_a_priority() {
        let candidates = candidates(&[(10, 100), (0, 10), (0, 30), (0, 0)]);
        let settings = StrategySettings::default();
        let mut first = [0_u32; 4];
        for seed in 0..2_000 {
            let order = Strategy::SrvWeighted.plan(&candidates, &settings, &Seed::new(seed)).order;
            assert_eq!(order[3], 0, "priority 10 is behind the others");
            first[order[0]] += 1;
        }
        assert!((1_350..1_650).contains(&first[2]), "{first:?}");
        assert!((350..650).contains(&first[1]), "{first:?}");
        assert!(first[3] < 100, "a weight of 0 has a small chance: {first:?}");
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest() {
        let error = "stagered".parse::<Strategy>().unwrap_err().to_string();
        assert!(
            error.starts_with("`stagered` is no strategy, did you mean `staggered`; the strategies are sequential,"),
            "{error}"
        );
        for strategy in Strategy::ALL {
            assert_eq!(strategy.name().parse(), Ok(strategy));
        }
    }
}
