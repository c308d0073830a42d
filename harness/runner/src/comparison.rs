//! What becomes of a connection under each model of trust when the world changes (seed-systems.md).
//!
//! A cell of the comparison is a scenario: the model's world, a step that connects, the steps of the change, and the
//! first step again. Nothing is written down but what happens: how the last step ends is what the cell says.

mod change;
mod directory;
mod ordered;
mod page;
mod pinned;
mod transfer;
mod xapi;

use std::{path::Path, sync::Arc};

use scenario::{Colour, Profile, Source};
use sim_host::samba::facts::TlsVerdict;

pub use change::{Change, Partner};

use crate::{
    Case, CaseName, Place, SnapshotMode,
    catalogue::join_all,
    expect::{self, StepView},
    load::vocabulary,
    samba_client::SambaClient,
    snapshot::Snapshots,
    steps::{self, Done},
    suite::seed_of,
    world::World,
};

/// A model of trust as the comparison knows it.
#[derive(Debug)]
pub struct Model {
    /// Short name, for columns.
    pub id: &'static str,
    /// What it is, in a line.
    pub title: &'static str,
    /// Why one end believes the other.
    pub belief: &'static str,
    /// World and steps before the first connection, in the language of scenarios.
    before: &'static str,
    /// The action that connects.
    connect: &'static str,
    /// The steps of a change.
    change: fn(Change) -> &'static str,
    /// What a reader should know of how changes are made here.
    notes: &'static [&'static str],
}

impl Model {
    /// An earlier change that is made by the same steps: whoever calls sees no difference.
    pub fn same_as(&self, change: Change) -> Option<Change> {
        let steps = (self.change)(change);
        let earlier = Change::ALL.into_iter().take_while(|other| *other != change);
        earlier.into_iter().find(|other| (self.change)(*other) == steps)
    }
}

/// The models, in the order of the request.
pub const MODELS: [&Model; 5] =
    [&transfer::MODEL, &xapi::MODEL, &pinned::MODEL, &ordered::MODEL, &directory::MODEL];

/// What became of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It comes about as before.
    GoesOn,
    /// One of the two ends refuses.
    Refused {
        /// The reason or code.
        reason: String,
        /// What the refusing end says.
        words: String,
    },
}

/// A model and a change.
#[derive(Debug)]
pub struct Cell {
    /// The model.
    pub model: &'static Model,
    /// The change.
    pub change: Change,
    /// What became of the connection.
    pub fate: Fate,
}

impl Cell {
    /// Whether a person who knows who answers would have wanted it so.
    pub fn is_right(&self) -> bool {
        (self.fate == Fate::GoesOn) == (self.change.partner() == Partner::Same)
    }
}

/// All cells, by changes and then models.
#[derive(Debug)]
pub struct Comparison {
    /// The cells.
    pub cells: Vec<Cell>,
}

/// A cell whose scenario cannot be played to its last step.
#[derive(Debug, thiserror::Error)]
#[error("{model}, {change}: {what}")]
pub struct ComparisonError {
    model: &'static str,
    change: &'static str,
    what: String,
}

/// Plays every change under every model.
///
/// # Errors
///
/// A scenario does not come to its last step: the machine refuses ports or files, or a bug of ours.
pub async fn compare(seed: u64) -> Result<Comparison, ComparisonError> {
    let mut cells = Vec::new();
    for change in Change::ALL {
        // The worlds of a change know nothing of each other.
        let playing = MODELS.map(|model| async move {
            let played = match case_of(model, change) {
                Ok(case) => play(case, seed).await,
                Err(mistakes) => Err(mistakes),
            };
            let fate = played.map_err(|what| ComparisonError {
                model: model.id,
                change: change.id(),
                what,
            })?;
            Ok(Cell { model, change, fate })
        });
        for cell in join_all(playing.into()).await {
            cells.push(cell?);
        }
    }
    Ok(Comparison { cells })
}

/// The scenario of a cell, as `trustrig run` plays it.
pub fn scenario_text(model: &Model, change: Change) -> String {
    let Model { id, before, connect, .. } = model;
    let title = change.title();
    let steps = (model.change)(change).trim();
    format!(
        "version = 1\n\
         id = \"compare-{id}-{change_id}\"\n\
         title = \"{title}\"\n\
         profiles = [\"landed\"]\n\n\
         {before}\n\n\
         [[step]]\nname = \"it connects\"\n{connect}\n\n\
         {steps}\n\n\
         [[step]]\nname = \"it connects once more\"\n{connect}\nexpect.any_outcome = true\n",
        change_id = change.id(),
        before = before.trim(),
    )
}

fn case_of(model: &Model, change: Change) -> Result<Case, String> {
    let text = scenario_text(model, change);
    let id = format!("compare-{}-{}", model.id, change.id());
    let scenario = scenario::parse(&id, &text, &vocabulary())
        .map_err(|mistakes| mistakes.render(Colour::Plain))?;
    Ok(Case {
        name: CaseName { scenario: id.clone(), profile: Profile::Landed },
        path: Path::new(&id).join("scenario.toml"),
        scenario: Arc::new(scenario),
        source: Source::new(&id, &text),
    })
}

async fn play(case: Case, seed: u64) -> Result<Fate, String> {
    let seed = seed_of(&case.name, seed);
    let mut world = World::build(&case, seed, SambaClient::Model)
        .await
        .map_err(|error| format!("no world: {error}"))?;
    let fate = play_steps(&case, &mut world).await;
    world.stop().await;
    fate
}

/// The fate of the connection that the last step makes; all that comes before must be as expected.
async fn play_steps(case: &Case, world: &mut World) -> Result<Fate, String> {
    let mut snapshots = Snapshots::new(case.path.clone(), SnapshotMode::Check);
    let mut fate = Fate::GoesOn;
    for (index, step) in case.scenario.steps.iter().enumerate() {
        let place = Place { step: index + 1, title: step.title() };
        let done = steps::apply(world, &place, step).await.map_err(|e| format!("{place}: {e}"))?;
        let failures = expect::judge(&StepView { case, step, world, done: &done }, &mut snapshots);
        if let Some(mut failure) = failures.into_iter().next() {
            failure.place = Some(place);
            return Err(failure.to_string());
        }
        fate = Fate::of(&done);
    }
    Ok(fate)
}

impl Fate {
    fn of(done: &Done) -> Self {
        if let Some(refusal) = &done.refusal {
            return Self::Refused { reason: refusal.reason.clone(), words: refusal.words.clone() };
        }
        let Err(error) = &done.result else { return Self::GoesOn };
        // xapi says a code; why is what its Samba client has concluded.
        let verdicts = done.events.iter().filter_map(|event| event.fact::<TlsVerdict>());
        let words = verdicts.flat_map(|verdict| &verdict.reasons).next();
        let words = words.cloned().unwrap_or_else(|| error.params.join("; "));
        Self::Refused { reason: error.code.clone(), words }
    }
}
