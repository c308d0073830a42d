//! The causal timeline of a case over virtual time: one line for each thing that a person cares
//! about.
//!
//! Steps stand in their order. What a step led to stands below it, cause by cause: who called whom,
//! which DC answered, how a certificate was judged and why, which message was raised or cleared. What
//! an earlier step began and this one let go on is told where it happened. A line tells of one thing
//! and of all that belongs to it: a call with its end, a connection with its handshake, its verdict
//! and what passed over it ([`flows`]). What repeats itself is told once and counted.
//!
//! This is a reader of the ledger and knows facts by their kinds and fields alone, as the event
//! file has them; [`words`] has the sentence of each. A kind that has none is told by its fields.
//!
//! Hosts of one call take turns, so the order of arrival is the same in every run where it counts;
//! what races (a host and its DC) makes one line.

mod flows;
mod names;
mod tree;
mod words;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use ground::{Actor, Event, Timestamp};

use self::{flows::Flows, names::Names, tree::Tree, words::Told};
use crate::{CaseReport, Outcome};

/// The timeline of a case, or of some of its steps. Displays as lines: time, indentation, sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeline {
    /// How many lines there are before those that are shown.
    omitted: usize,
    lines: Vec<Line>,
}

/// Lines shown of a failure.
const FAILURE_LINES: usize = 60;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    at: Timestamp,
    depth: usize,
    text: String,
}

impl Timeline {
    /// Of the whole case.
    pub fn of(case: &CaseReport) -> Self {
        Self::told(case, |_| true)
    }

    /// Of the steps of a case that did not hold; of the last one, if the case broke. The end of
    /// it, where there is much of it.
    pub fn of_failure(case: &CaseReport) -> Self {
        let steps: BTreeSet<usize> = match &case.outcome {
            Outcome::Broken(_) | Outcome::WrongInput(_) => {
                let last = Tree::new(&case.events).windows.last().and_then(|window| window.step);
                last.into_iter().collect()
            }
            Outcome::Failed(failures) => {
                let judged = failures.iter().filter(|failure| !failure.unaccepted);
                judged.filter_map(|failure| Some(failure.place.as_ref()?.step)).collect()
            }
            Outcome::Passed | Outcome::Skipped(_) => return Self::default(),
        };
        let mut timeline = Self::told(case, |step| step.is_some_and(|step| steps.contains(&step)));
        timeline.omitted = timeline.lines.len().saturating_sub(FAILURE_LINES);
        timeline.lines.drain(..timeline.omitted);
        timeline
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn told(case: &CaseReport, wanted: impl Fn(Option<usize>) -> bool) -> Self {
        let tree = Tree::new(&case.events);
        let names = Names::of(&case.events, &case.addresses);
        let mut timeline = Self::default();
        for window in tree.windows.iter().filter(|window| wanted(window.step)) {
            let mut teller =
                Teller { tree: &tree, flows: Flows::new(&tree, &names), names: &names };
            for entry in teller.entries(&window.roots, None) {
                timeline.add(entry, 0);
            }
            for (step, events) in &window.continued {
                let Some(first) = events.first() else { continue };
                let inside = teller.entries(events, Some(&first.actor));
                let head = teller.entry(first, None, format!("step {step} goes on"));
                timeline.add(Entry { inside, ..head }, 1);
            }
        }
        timeline
    }

    fn add(&mut self, entry: Entry, depth: usize) {
        let Entry { at, text, again, inside, .. } = entry;
        let text = match again {
            None => text,
            Some((times, until)) => {
                let plural = if times == 1 { "once" } else { &format!("{times} times") };
                format!("{text} (and {plural} more, until {})", shown(until))
            }
        };
        self.lines.push(Line { at, depth, text });
        for entry in inside {
            self.add(entry, depth + 1);
        }
    }
}

impl fmt::Display for Timeline {
    /// A line has a time only where it differs from the one above.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.omitted > 0 {
            writeln!(f, "{:WIDTH$}  … {} lines before", "", self.omitted)?;
        }
        let mut before = String::new();
        for line in &self.lines {
            let at = shown(line.at);
            let time = if at == before { "" } else { &at };
            writeln!(f, "{time:WIDTH$}  {:indent$}{}", "", line.text, indent = 2 * line.depth)?;
            before = at;
        }
        Ok(())
    }
}

/// Characters of a time.
const WIDTH: usize = "2026-08-21 02:00:23".len();

fn shown(at: Timestamp) -> String {
    let text = Timestamp::from_unix(at.unix()).to_string();
    text.trim_end_matches('Z').replacen('T', " ", 1)
}

/// One thing that happened, with what it led to.
#[derive(Clone, Debug)]
struct Entry {
    at: Timestamp,
    text: String,
    /// How many times more the same happened, and when for the last time.
    again: Option<(usize, Timestamp)>,
    /// Whether it is one of a row whose others may stand in between.
    periodic: bool,
    inside: Vec<Entry>,
}

impl Entry {
    fn at(at: Timestamp) -> Self {
        Self { at, text: String::new(), again: None, periodic: false, inside: Vec::new() }
    }

    fn tells_as(&self, other: &Self) -> bool {
        self.text == other.text
            && self.inside.len() == other.inside.len()
            && self.inside.iter().zip(&other.inside).all(|(a, b)| a.tells_as(b))
            && self.again.map(|(times, _)| times) == other.again.map(|(times, _)| times)
    }
}

/// Turns events into entries.
struct Teller<'t> {
    tree: &'t Tree<'t>,
    flows: Flows<'t>,
    names: &'t Names,
}

impl<'t> Teller<'t> {
    /// What is told of `events`, which have one cause, below a line about `speaker`.
    fn entries(&mut self, events: &[&'t Event], speaker: Option<&Actor>) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut rest = events;
        while let Some((event, after)) = rest.split_first() {
            rest = after;
            if let Some(flow) = self.flows.told(event) {
                entries.extend(flow.map(|flow| {
                    let inside = flow.inside.into_iter();
                    let inside =
                        inside.map(|line| self.entry(event, Some(&event.actor), line)).collect();
                    Entry { inside, ..self.entry(event, speaker, flow.line) }
                }));
                continue;
            }
            match words::told(event, self.tree, self.names) {
                Told::Line(text) => {
                    let about = words::speaker(event);
                    let inside = self.entries(self.tree.effects(event), Some(&about));
                    let periodic = words::is_periodic(event);
                    if periodic && inside.is_empty() {
                        continue;
                    }
                    let entry = self.entry(event, speaker, text);
                    entries.push(Entry { periodic, inside, ..entry });
                }
                Told::Files(path) => {
                    let files = rest.iter().map_while(|next| words::file_after(event, next));
                    let paths: Vec<String> = std::iter::once(path).chain(files).collect();
                    rest = &rest[paths.len() - 1..];
                    let text = words::files(event, &paths);
                    entries.push(self.entry(event, speaker, text));
                }
                Told::Nothing => {
                    entries.append(&mut self.entries(self.tree.effects(event), speaker));
                }
            }
        }
        fold(entries)
    }

    fn entry(&self, event: &Event, speaker: Option<&Actor>, text: String) -> Entry {
        let text = self.names.put_into(&text);
        let text = match words::speaker(event) {
            Actor::Runner => text,
            about if Some(&about) == speaker => text,
            Actor::Dc(name) | Actor::Host(name) => format!("{name}: {text}"),
        };
        Entry { text, ..Entry::at(event.at) }
    }
}

/// Counts what repeats itself: the same entries in a row, and the same runs of a periodic task,
/// which take turns with those of others.
fn fold(entries: Vec<Entry>) -> Vec<Entry> {
    let mut folded: Vec<Entry> = Vec::new();
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries {
        let known = match entry.periodic {
            true => last.get(&entry.text).copied(),
            false => folded.len().checked_sub(1),
        };
        let plain = |known: &Entry| Entry { again: None, ..known.clone() };
        match known.filter(|&known| plain(&folded[known]).tells_as(&entry)) {
            Some(known) => {
                let (times, _) = folded[known].again.unwrap_or((0, entry.at));
                folded[known].again = Some((times + 1, entry.at));
            }
            None => {
                if entry.periodic {
                    last.insert(entry.text.clone(), folded.len());
                }
                folded.push(entry);
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests;
