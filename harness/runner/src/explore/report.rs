//! What came of an exploration.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use super::driver::{Broken, Played};

/// What came of an exploration.
#[derive(Debug, Default)]
pub struct ExploreReport {
    /// Sequences that were played.
    pub sequences: u64,
    /// Steps that were played.
    pub steps: u64,
    /// How often each action ended with each error code; an empty code is success.
    pub ends: BTreeMap<(String, String), u64>,
    /// How often each quirk excused a breach.
    pub excuses: BTreeMap<&'static str, u64>,
    /// What was found.
    pub found: Vec<Found>,
    /// Real time from start to end.
    pub wall: Duration,
    /// In how many sequences each was found.
    times: BTreeMap<Broken, u64>,
}

/// One finding: the first sequence that shows it, cut down.
#[derive(Debug)]
pub struct Found {
    /// What is broken, and after which action.
    pub what: String,
    /// In how many sequences it was found.
    pub times: u64,
    /// How it shows in the scenario.
    pub how: String,
    /// Steps of the scenario.
    pub steps: usize,
    /// The scenario.
    pub path: PathBuf,
    /// Whether `trustrig run` fails on it with the same words; if not, the scenario is the one
    /// that was drawn.
    pub repeats: bool,
}

/// How far an exploration is.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Sequences that were played.
    pub sequences: u64,
    /// Sequences there will be.
    pub of: u64,
    /// Steps that were played.
    pub steps: u64,
    /// Different findings.
    pub found: usize,
    /// Those that the last sequence was the first to make, one line each or more.
    pub fresh: Vec<String>,
    /// Real time since the start.
    pub wall: Duration,
}

impl Progress {
    /// Steps in a second of real time.
    pub fn rate(&self) -> f64 {
        rate(self.steps, self.wall)
    }
}

impl ExploreReport {
    /// Whether nothing was found.
    pub fn held(&self) -> bool {
        self.found.is_empty()
    }

    /// Steps in a second of real time.
    pub fn rate(&self) -> f64 {
        rate(self.steps, self.wall)
    }

    pub(super) fn add(&mut self, played: Played) {
        self.sequences += 1;
        self.steps += played.steps;
        for (end, count) in played.ends {
            *self.ends.entry(end).or_default() += count;
        }
        for quirk in played.excuses.into_iter().flat_map(|(_, quirks)| quirks) {
            *self.excuses.entry(quirk.name()).or_default() += 1;
        }
        for broken in played.first.into_keys() {
            *self.times.entry(broken).or_default() += 1;
        }
    }

    pub(super) fn times(&self, broken: &Broken) -> u64 {
        self.times.get(broken).copied().unwrap_or_default()
    }

    pub(super) fn progress(&self, of: u64, wall: Duration, fresh: Vec<String>) -> Progress {
        let (sequences, steps, found) = (self.sequences, self.steps, self.times.len());
        Progress { sequences, of, steps, found, fresh, wall }
    }
}

fn rate(steps: u64, wall: Duration) -> f64 {
    // Exact up to 2^53 steps.
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let steps = steps as f64;
    steps / wall.as_secs_f64().max(f64::EPSILON)
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Case { action } => write!(f, "the sequence cannot go on at {action}"),
            Self::Invariant { name, action } => {
                write!(f, "the invariant `{name}` is broken after {action}")
            }
        }
    }
}
