//! Runs the cases of a suite, several at a time.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    num::NonZeroUsize,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use ground::{Event, Seed};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    Case, CaseName, CaseReport, Failure, Outcome, Place, SnapshotMode, Suite, SuiteReport,
    expect::{self, StepView},
    invariants,
    samba_client::{ProgramAbandoned, SambaClient, needs_the_model},
    snapshot::Snapshots,
    steps,
    world::World,
};

/// How to run a suite.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Drives every choice of the run.
    pub seed: u64,
    /// Cases at a time.
    pub jobs: NonZeroUsize,
    /// What to do about snapshots that differ.
    pub snapshots: SnapshotMode,
    /// Who runs the hosts' Samba commands. The real programs need the rights of
    /// [`sim_host::real::inside`].
    pub samba_client: SambaClient,
}

impl RunOptions {
    /// The seed of a run for which nobody gives one.
    pub const SEED: u64 = 1;
}

/// The seed of one case.
pub(crate) fn seed_of(name: &CaseName, seed: u64) -> Seed {
    Seed::new(seed).child(&name.to_string())
}

impl Default for RunOptions {
    /// Seed [`RunOptions::SEED`], twice as many cases at a time as there are processors, snapshots only checked.
    fn default() -> Self {
        let processors = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            seed: Self::SEED,
            jobs: processors.saturating_mul(NonZeroUsize::MIN.saturating_add(1)),
            snapshots: SnapshotMode::Check,
            samba_client: SambaClient::Model,
        }
    }
}

/// Runs every case of `suite`; `finished` is told of each as it ends, in no fixed order.
pub async fn run(
    suite: &Suite,
    options: &RunOptions,
    finished: &mut (dyn FnMut(&CaseReport) + Send),
) -> SuiteReport {
    let started = Instant::now();
    let places = Arc::new(Semaphore::new(options.jobs.get()));
    let mut running = JoinSet::new();
    for case in suite.cases() {
        let (case, options, places) = (case.clone(), options.clone(), Arc::clone(&places));
        running.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire_owned().await;
            run_case(&case, &options).await
        });
    }
    let mut cases = Vec::new();
    while let Some(joined) = running.join_next().await {
        let report = match joined {
            Ok(report) => report,
            // A bug of ours outside the case's own task: nothing to report about can be trusted.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => continue,
        };
        finished(&report);
        cases.push(report);
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    SuiteReport { seed: options.seed, cases, wall: started.elapsed() }
}

/// Longest real time that a case may take: far above what any takes, so that a hang is reported.
const CASE_LIMIT: Duration = Duration::from_secs(120);
/// The same with the real programs, which wait as long as they wait.
const REAL_CASE_LIMIT: Duration = Duration::from_secs(900);

async fn run_case(case: &Case, options: &RunOptions) -> CaseReport {
    let started = Instant::now();
    let seed = seed_of(&case.name, options.seed);
    let limit = match options.samba_client {
        SambaClient::Model => CASE_LIMIT,
        SambaClient::Net { .. } => REAL_CASE_LIMIT,
    };
    let steps = tokio::spawn(play(case.clone(), seed, options.clone()));
    let abort = steps.abort_handle();
    let Played { outcome, events, addresses } = match tokio::time::timeout(limit, steps).await {
        Ok(Ok(played)) => played,
        Ok(Err(panic)) => Played::not(Outcome::Broken(format!("the case panicked: {panic}"))),
        Err(_) => {
            abort.abort();
            Played::not(Outcome::Broken(format!("the case took over {} s", limit.as_secs())))
        }
    };
    CaseReport {
        name: case.name.clone(),
        path: case.path.clone(),
        outcome,
        events,
        addresses,
        wall: started.elapsed(),
    }
}

/// What came of playing a case.
struct Played {
    outcome: Outcome,
    events: Vec<Event>,
    addresses: BTreeMap<IpAddr, String>,
}

impl Played {
    /// Of a case that has no world, or whose world is lost.
    fn not(outcome: Outcome) -> Self {
        Self { outcome, events: Vec::new(), addresses: BTreeMap::new() }
    }
}

async fn play(case: Case, seed: Seed, options: RunOptions) -> Played {
    if let (SambaClient::Net { .. }, Some(reason)) = (options.samba_client, needs_the_model(&case))
    {
        return Played::not(Outcome::Skipped(reason));
    }
    let mut world = match World::build(&case, seed, options.samba_client).await {
        Ok(world) => world,
        Err(error) => {
            let outcome = unplayable(error.to_string(), error.is_wrong_input(), error.remedy());
            return Played::not(outcome);
        }
    };
    let outcome = play_steps(&case, &mut world, options.snapshots).await;
    let ledger = world.ledger.clone();
    let dcs = world.domains().flat_map(fake_dc::Domain::dcs);
    let addresses = dcs.map(|dc| (dc.ip().into(), dc.name().to_owned())).collect();
    world.stop().await;
    Played { outcome, events: ledger.causal_order(), addresses }
}

async fn play_steps(case: &Case, world: &mut World, mode: SnapshotMode) -> Outcome {
    let folder = case.path.parent().unwrap_or(case.path.as_ref());
    let mut snapshots =
        Snapshots::new(folder.join("snapshots").join(case.name.profile.as_str()), mode);
    let mut unaccepted = Vec::new();
    let mut memory = invariants::Memories::default();
    for (index, step) in case.scenario.steps.iter().enumerate() {
        if !step.runs_in(case.name.profile) {
            continue;
        }
        let place = Place { step: index + 1, title: step.title() };
        memory.prepare(world, step);
        let done = match steps::apply(world, &place, step).await {
            Ok(done) => done,
            Err(error) => {
                let what = format!("{place}: {error}");
                return unplayable(what, error.is_wrong_input(), error.remedy());
            }
        };
        let abandoned = done.events.iter().find_map(|event| event.fact::<ProgramAbandoned>());
        if let Some(ProgramAbandoned { command, seconds }) = abandoned {
            let reason = format!("{place}: `{command}` was still running after {seconds} s");
            return Outcome::Skipped(reason);
        }
        let view = StepView { case, step, world, done: &done };
        let mut failures = expect::judge(&view, &mut snapshots);
        failures.extend(invariants::check(&view, &mut memory));
        if !failures.is_empty() {
            for failure in &mut failures {
                failure.place = Some(place.clone());
            }
            let goes_on = failures.iter().all(|failure| failure.unaccepted);
            unaccepted.append(&mut failures);
            if !goes_on {
                return Outcome::Failed(unaccepted);
            }
        }
    }
    let failure = |path: std::path::PathBuf| Failure {
        place: None,
        what: format!("no step asks for the snapshot {}; delete the file", path.display()),
        picture: None,
        diff: None,
        unaccepted: true,
    };
    unaccepted.extend(snapshots.unreferenced().into_iter().map(failure));
    if unaccepted.is_empty() { Outcome::Passed } else { Outcome::Failed(unaccepted) }
}

fn unplayable(mut what: String, wrong_input: bool, remedy: Option<String>) -> Outcome {
    if let Some(remedy) = remedy {
        what.push_str("\n  help: ");
        what.push_str(&remedy);
    }
    if wrong_input { Outcome::WrongInput(what) } else { Outcome::Broken(what) }
}
