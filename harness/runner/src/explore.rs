//! Random sequences of calls, faults, restarts, moves of the clock and changes of files, with the
//! invariants as judge.
//!
//! Every sequence is a scenario: it is drawn as a tree of values ([`plan::Plan`]), written as text,
//! read as any scenario is read, and played. So whatever is found can be run by itself. What is
//! drawn depends on the seed and the number of the sequence alone. A step may end as it likes; what
//! an invariant finds broken is accepted where a quirk that is on is declared to break it, and is a
//! finding otherwise. The first sequence of each finding is shrunk and written as a scenario file,
//! which `trustrig run` shows to fail.
//!
//! To let sequences do more, add a row to a table in [`steps`]'s or [`world`]'s module.

mod between;
mod dice;
mod driver;
mod plan;
mod report;
mod shrink;
mod steps;
mod world;

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, sync::Arc, time::Instant};

use ground::Seed;
use scenario::Profile;
use tokio::{sync::Semaphore, task::JoinSet};

pub use report::{ExploreReport, Found, Progress};

use self::{
    dice::Dice,
    driver::{Broken, Played},
    plan::Plan,
};

/// What to explore.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Drives every choice.
    pub seed: u64,
    /// How many steps to play in all.
    pub steps: u64,
    /// How many of them in one world.
    pub sequence_length: NonZeroUsize,
    /// Only this profile; `None` draws it for each sequence.
    pub profile: Option<Profile>,
    /// Hosts of each pool; `None` draws one to four.
    pub hosts: Option<NonZeroUsize>,
    /// Whether a breach is accepted where a quirk that is on is declared to break the invariant.
    pub excuses: bool,
    /// Sequences at a time.
    pub jobs: NonZeroUsize,
    /// Folder for the scenarios of what is found, which need not exist.
    pub out: PathBuf,
}

/// Longest sequence: a scenario may have no more steps.
pub const SEQUENCE_LENGTH_MAX: usize = scenario::STEPS_MAX;

/// The first sequence of each finding, which is the same however the sequences were scheduled.
type First = BTreeMap<Broken, (u64, Plan)>;

/// Explores; `progressed` is told after every sequence.
///
/// # Errors
///
/// When the scenario of a finding cannot be written.
pub async fn explore(
    exploration: &Exploration,
    progressed: &mut (dyn FnMut(&Progress) + Send),
) -> std::io::Result<ExploreReport> {
    let started = Instant::now();
    let length = u64::try_from(exploration.sequence_length.get()).unwrap_or(u64::MAX);
    let sequences = exploration.steps.div_ceil(length);
    let mut report = ExploreReport::default();
    let mut first = First::new();
    let places = Arc::new(Semaphore::new(exploration.jobs.get()));
    let mut running: JoinSet<(u64, Plan, Played)> = JoinSet::new();
    for number in 0..sequences {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let length = usize::try_from(length.min(exploration.steps - number * length));
        let plan = draw(exploration, number, length.unwrap_or(usize::MAX));
        let excuses = exploration.excuses;
        running.spawn(async move {
            let _place = place;
            let played = driver::play(&plan, excuses).await;
            (number, plan, played)
        });
        while let Some(joined) = running.try_join_next() {
            let fresh = count(exploration, joined, &mut report, &mut first)?;
            progressed(&report.progress(sequences, started.elapsed(), fresh));
        }
    }
    while let Some(joined) = running.join_next().await {
        let fresh = count(exploration, joined, &mut report, &mut first)?;
        progressed(&report.progress(sequences, started.elapsed(), fresh));
    }
    for (broken, (number, plan)) in first {
        let times = report.times(&broken);
        report.found.push(shrink::to_scenario(exploration, &broken, number, plan, times).await?);
    }
    report.wall = started.elapsed();
    Ok(report)
}

/// The sequence of this number.
fn draw(exploration: &Exploration, number: u64, length: usize) -> Plan {
    let id = format!("explored-{}-{number}", exploration.seed);
    let stream = Seed::new(exploration.seed).stream(&format!("sequence {number}"));
    let mut dice = Dice::new(stream);
    let names = world::Names::draw(exploration, &mut dice);
    let world = world::draw(&names, &mut dice);
    let mut steps = steps::opening(&names, &mut dice);
    steps.truncate(length);
    while steps.len() < length {
        steps.push(steps::draw(&names, &mut dice));
    }
    Plan::new(id, names.profile, world, steps)
}

/// Counts what was played, and says what was not found before. The sequence that shows it is
/// written at once, as it is: shrinking it may take long, and a run may be broken off.
fn count(
    exploration: &Exploration,
    joined: Result<(u64, Plan, Played), tokio::task::JoinError>,
    report: &mut ExploreReport,
    first: &mut First,
) -> std::io::Result<Vec<String>> {
    let (number, plan, played) = match joined {
        Ok(played) => played,
        // A bug of ours outside the played case: nothing can be trusted.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => return Ok(Vec::new()),
    };
    let fresh = played.first.iter().filter(|(broken, _)| !first.contains_key(broken));
    let fresh = fresh
        .map(|(broken, (step, how))| format!("{}, step {}: {broken}: {how}", plan.id, step + 1))
        .collect::<Vec<_>>();
    if !fresh.is_empty() {
        shrink::write(exploration, &plan)?;
    }
    for broken in &played.broken {
        let known = first.get(broken).is_some_and(|(known, _)| *known <= number);
        if !known {
            first.insert(broken.clone(), (number, plan.clone()));
        }
    }
    report.add(played);
    Ok(fresh)
}
