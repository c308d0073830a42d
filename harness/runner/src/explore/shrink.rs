//! Makes a sequence that shows something as short as it can be, and a scenario file of it.

use std::{fs, io, path::PathBuf};

use serde_json::{Value, json};

use super::{
    Exploration, Found,
    driver::{self, Broken, Played},
    plan::Plan,
};
use crate::{Outcome, RunOptions, Suite};

/// Most candidates that are played for one finding.
const CANDIDATES_MAX: usize = 2_000;

/// Shrinks `plan`, which shows `broken`, and writes it to the folder of the exploration.
pub(super) async fn to_scenario(
    exploration: &Exploration,
    broken: &Broken,
    number: u64,
    plan: Plan,
    times: u64,
) -> io::Result<Found> {
    let mut shrinker = Shrinker { broken, excuses: exploration.excuses, plan, played: 0 };
    shrinker.shrink().await;
    let mut plan = shrinker.plan;
    let played = driver::play(&plan, exploration.excuses).await;
    let how = played.first.get(broken).map(|(_, how)| how.clone()).unwrap_or_default();
    excuse(&mut plan, &played);
    let first_line = how.lines().next().unwrap_or_default();
    plan.comment = vec![
        format!("Found by `trustrig explore --seed {}`, sequence {number}:", exploration.seed),
        format!("{broken}: {first_line}"),
    ];
    let path = write(exploration, &plan)?;
    let repeats = fails_with(&path, &how).await;
    Ok(Found { what: broken.to_string(), times, how, steps: plan.steps.len(), path, repeats })
}

/// Writes the scenario of `plan` to the folder of the exploration.
pub(super) fn write(exploration: &Exploration, plan: &Plan) -> io::Result<PathBuf> {
    let folder = exploration.out.join(&plan.id);
    fs::create_dir_all(&folder)?;
    let path = folder.join("scenario.toml");
    fs::write(&path, plan.to_toml())?;
    Ok(path)
}

/// Names the quirks that excuse other breaches in the steps that need them.
fn excuse(plan: &mut Plan, played: &Played) {
    for (step, quirks) in &played.excuses {
        let names: Vec<&str> = quirks.iter().map(|quirk| quirk.name()).collect();
        if let Some(step) = plan.steps.get_mut(*step) {
            step["excused_by"] = json!(names);
        }
    }
}

/// Whether a run of the file fails with these words.
async fn fails_with(path: &std::path::Path, how: &str) -> bool {
    let Ok(suite) = Suite::load(&[path.to_owned()]) else { return false };
    let report = crate::run(&suite, &RunOptions::default(), &mut |_| {}).await;
    report.cases.iter().any(|case| match &case.outcome {
        Outcome::Failed(failures) => failures.iter().any(|failure| failure.what.contains(how)),
        Outcome::Broken(what) | Outcome::WrongInput(what) => what.contains(how),
        Outcome::Passed | Outcome::Skipped(_) => false,
    })
}

struct Shrinker<'b> {
    broken: &'b Broken,
    excuses: bool,
    /// The smallest plan so far that shows it.
    plan: Plan,
    /// Candidates that were played.
    played: usize,
}

impl Shrinker<'_> {
    /// Steps in ever smaller chunks, then everything else piece by piece, until nothing more can
    /// go.
    async fn shrink(&mut self) {
        loop {
            let before = self.plan.clone();
            self.drop_steps().await;
            self.drop_pieces().await;
            if self.plan == before || self.played >= CANDIDATES_MAX {
                return;
            }
        }
    }

    async fn drop_steps(&mut self) {
        let mut size = self.plan.steps.len().div_ceil(2);
        while size > 0 {
            // From the end: what comes after the finding goes at once.
            let mut end = self.plan.steps.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let mut candidate = self.plan.clone();
                candidate.steps.drain(start..end);
                self.take_if_shown(candidate).await;
                end = start;
            }
            size /= 2;
        }
    }

    /// Items of lists and keys of tables, in the world and in every step.
    async fn drop_pieces(&mut self) {
        for step in (0..self.plan.steps.len()).rev() {
            for path in pieces(&self.plan.steps[step]) {
                let mut candidate = self.plan.clone();
                remove(&mut candidate.steps[step], &path);
                self.take_if_shown(candidate).await;
            }
        }
        for path in pieces(&self.plan.world) {
            let mut candidate = self.plan.clone();
            remove(&mut candidate.world, &path);
            self.take_if_shown(candidate).await;
        }
    }

    /// A candidate that is no scenario shows nothing.
    async fn take_if_shown(&mut self, candidate: Plan) {
        if self.played >= CANDIDATES_MAX
            || candidate == self.plan
            || candidate.steps.is_empty()
            || driver::read(&candidate).is_err()
        {
            return;
        }
        self.played += 1;
        if driver::play(&candidate, self.excuses).await.broken.contains(self.broken) {
            self.plan = candidate;
        }
    }
}

/// The way to a value in a tree: keys of tables, and numbers of items.
type Way = Vec<String>;

/// Everything that can be taken out of `tree`, the deepest and last first, so that removing one
/// moves none of those that follow. What says how a step is judged stays.
fn pieces(tree: &Value) -> Vec<Way> {
    let mut ways = Vec::new();
    let children: Vec<(String, &Value)> = match tree {
        Value::Object(fields) => fields.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(number, item)| (number.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (key, child) in children.into_iter().rev().filter(|(key, _)| key != "expect") {
        for mut way in pieces(child) {
            way.insert(0, key.clone());
            ways.push(way);
        }
        ways.push(vec![key]);
    }
    ways
}

fn remove(tree: &mut Value, way: &[String]) {
    let Some((last, parents)) = way.split_last() else { return };
    let mut at = Some(tree);
    for key in parents {
        at = at.and_then(|tree| match tree {
            Value::Array(items) => items.get_mut(key.parse::<usize>().unwrap_or(usize::MAX)),
            other => other.get_mut(key),
        });
    }
    match at {
        Some(Value::Object(fields)) => {
            fields.remove(last);
        }
        Some(Value::Array(items)) => {
            if let Some(index) = last.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
}
