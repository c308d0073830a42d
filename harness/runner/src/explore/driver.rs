//! Plays one sequence and keeps what is found.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ground::Ledger;
use scenario::{Source, Vocabulary};
use sim_host::Quirk;
use tokio::{sync::oneshot, task::JoinHandle};

use super::plan::Plan;
use crate::{
    Case, CaseName, Place, RunOptions, SambaClient, expect::StepView, invariants, load::vocabulary,
    steps, suite::seed_of, world::World,
};

/// What can be found, told apart from other findings.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Broken {
    /// A sequence that cannot be played to its end: a panic, a hang, a machine that refuses, or
    /// a step that the generator should not have drawn.
    Case {
        /// The action at which it ended.
        action: String,
    },
    /// An invariant that no quirk excuses.
    Invariant {
        /// Its name.
        name: &'static str,
        /// The action after which it does not hold.
        action: String,
    },
}

/// What came of a sequence.
#[derive(Debug, Default)]
pub(super) struct Played {
    /// Steps that were played.
    pub(super) steps: u64,
    /// What was found, each once, in order of what it is.
    pub(super) broken: BTreeSet<Broken>,
    /// The first time each was found: number of the step from 0, and how.
    pub(super) first: BTreeMap<Broken, (usize, String)>,
    /// Quirks that excuse a step: its number from 0.
    pub(super) excuses: Vec<(usize, BTreeSet<Quirk>)>,
    /// How often each action ended how: with success (an empty code) or with an error code.
    pub(super) ends: BTreeMap<(String, String), u64>,
}

impl Played {
    fn find(&mut self, broken: Broken, step: usize, what: String) {
        self.first.entry(broken.clone()).or_insert((step, what));
        self.broken.insert(broken);
    }
}

/// A sequence in which nothing happens for longer hangs. There is no limit to all of it: a year of
/// hosts whose AD does not come up, which try again every five minutes (§14), takes many minutes.
const SILENCE_LIMIT: Duration = Duration::from_secs(300);

/// The words of the language, collected once.
static VOCABULARY: LazyLock<Vocabulary> = LazyLock::new(vocabulary);

/// Reads the text of `plan`.
///
/// # Errors
///
/// The mistakes of the text, for people.
pub(super) fn read(plan: &Plan) -> Result<Case, String> {
    let text = plan.to_toml();
    let scenario = scenario::parse(&plan.id, &text, &VOCABULARY)
        .map_err(|mistakes| mistakes.render(scenario::Colour::Plain))?;
    Ok(Case {
        name: CaseName { scenario: plan.id.clone(), profile: plan.profile },
        path: Path::new(&plan.id).join("scenario.toml"),
        scenario: Arc::new(scenario),
        source: Source::new(&plan.id, &text),
    })
}

/// Plays `plan` as `trustrig run` would, but for what it makes of breaches: with `excuses`, every
/// quirk that is on excuses what it is declared to break.
pub(super) async fn play(plan: &Plan, excuses: bool) -> Played {
    let case = match read(plan) {
        Ok(case) => case,
        Err(mistakes) => {
            let mut played = Played::default();
            played.find(Broken::Case { action: "read".to_owned() }, 0, mistakes);
            return played;
        }
    };
    let shared = Arc::new(Mutex::new(Played::default()));
    let (tell, told) = oneshot::channel();
    let playing = tokio::spawn(play_case(case.clone(), excuses, Arc::clone(&shared), tell));
    let trouble = end_of(playing, told).await;
    let mut played = std::mem::take(&mut *lock(&shared));
    if let Some(trouble) = trouble {
        // What is not counted yet is the step that did not end.
        let step = usize::try_from(played.steps).unwrap_or(usize::MAX);
        let at = case.scenario.steps.get(step);
        let action = at.map_or_else(|| "end".to_owned(), |step| step.action.name());
        played.find(Broken::Case { action }, step, trouble);
    }
    played
}

/// Why the case could not be played to its end, if that is so; `ledger` arrives when its world is built.
async fn end_of(
    mut playing: JoinHandle<Option<String>>,
    mut ledger: oneshot::Receiver<Ledger>,
) -> Option<String> {
    let (mut known, mut last) = (None, None);
    loop {
        match tokio::time::timeout(SILENCE_LIMIT, &mut playing).await {
            Ok(Ok(trouble)) => return trouble,
            Ok(Err(panic)) => return Some(format!("the case panicked: {panic}")),
            Err(_) => {
                known = known.or_else(|| ledger.try_recv().ok());
                let now = known.as_ref().and_then(Ledger::last);
                if now == last {
                    playing.abort();
                    let limit = SILENCE_LIMIT.as_secs();
                    return Some(format!("nothing has happened in the case for {limit} s"));
                }
                last = now;
            }
        }
    }
}

fn lock(played: &Mutex<Played>) -> MutexGuard<'_, Played> {
    // Counts and findings are sound after every statement.
    played.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why the case could not be played to its end, if that is so.
async fn play_case(
    case: Case,
    excuses: bool,
    played: Arc<Mutex<Played>>,
    ledger: oneshot::Sender<Ledger>,
) -> Option<String> {
    let seed = seed_of(&case.name, RunOptions::SEED);
    let mut world = match World::build(&case, seed, SambaClient::Model).await {
        Ok(world) => world,
        Err(error) => return Some(format!("no world: {error}")),
    };
    // Nobody waits for it any more when the case is given up.
    let _ = ledger.send(world.ledger.clone());
    let trouble = play_steps(&case, &mut world, excuses, &played).await;
    world.stop().await;
    trouble
}

async fn play_steps(
    case: &Case,
    world: &mut World,
    excuses: bool,
    played: &Mutex<Played>,
) -> Option<String> {
    let mut memory = invariants::Memories::default();
    let quirks: BTreeSet<Quirk> = world.quirks.iter().filter(|_| excuses).collect();
    for (number, step) in case.scenario.steps.iter().enumerate() {
        let place = Place { step: number + 1, title: step.title() };
        memory.prepare(world, step);
        let done = match steps::apply(world, &place, step).await {
            Ok(done) => done,
            Err(error) => return Some(format!("{place}: {error}")),
        };
        let judged =
            invariants::judge(&StepView { case, step, world, done: &done }, &mut memory, &quirks);
        drop(done.events);
        if let Some(last) = world.ledger.last() {
            // A sequence of many months has many gigabytes of events. Nobody asks for those of steps that
            // are judged: who wants to see them runs the scenario of what is found.
            world.ledger.forget_until(last);
        }
        let mut played = lock(played);
        played.steps += 1;
        let end = done.result.err().map(|error| error.code).unwrap_or_default();
        *played.ends.entry((step.action.name(), end)).or_default() += 1;
        if !judged.excuses.is_empty() {
            played.excuses.push((number, judged.excuses));
        }
        for (name, what) in judged.breaches {
            let action = step.action.name();
            played.find(Broken::Invariant { name, action }, number, what);
        }
    }
    None
}
