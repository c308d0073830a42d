//! The events of a case by step and by cause.

use std::collections::BTreeMap;

use ground::{Event, EventId};

/// What happened during one step.
#[derive(Debug, Default)]
pub(super) struct Window<'e> {
    /// Its number; `None` before the first.
    pub(super) step: Option<usize>,
    /// The step itself, and what has no cause.
    pub(super) roots: Vec<&'e Event>,
    /// What is caused by what happened during earlier steps, by their numbers.
    pub(super) continued: BTreeMap<usize, Vec<&'e Event>>,
}

/// All events, each below its cause if both happened during one step.
#[derive(Debug)]
pub(super) struct Tree<'e> {
    pub(super) windows: Vec<Window<'e>>,
    effects: BTreeMap<EventId, Vec<&'e Event>>,
}

impl<'e> Tree<'e> {
    pub(super) fn new(events: &'e [Event]) -> Self {
        let mut ordered: Vec<&Event> = events.iter().collect();
        ordered.sort_by_key(|event| event.id);
        let mut windows = vec![Window::default()];
        let mut effects: BTreeMap<EventId, Vec<&Event>> = BTreeMap::new();
        let mut window_of: BTreeMap<EventId, usize> = BTreeMap::new();
        for event in ordered {
            if let Some(step) = step(event) {
                windows.push(Window { step: Some(step), ..Window::default() });
            }
            let now = windows.len() - 1;
            window_of.insert(event.id, now);
            match event.cause.and_then(|cause| Some((cause, *window_of.get(&cause)?))) {
                Some((cause, began)) if began == now => {
                    effects.entry(cause).or_default().push(event);
                }
                Some((_, began)) => {
                    let step = windows[began].step.unwrap_or_default();
                    windows[now].continued.entry(step).or_default().push(event);
                }
                None => windows[now].roots.push(event),
            }
        }
        Self { windows, effects }
    }

    /// What `event` has led to during the same step, in order of arrival.
    pub(super) fn effects(&self, event: &Event) -> &[&'e Event] {
        self.effects.get(&event.id).map_or(&[], Vec::as_slice)
    }

    /// Whether the cause of `event` is of the same step.
    pub(super) fn has_cause(&self, event: &Event) -> bool {
        let beside = event.cause.and_then(|cause| self.effects.get(&cause));
        beside.is_some_and(|beside| beside.iter().any(|other| other.id == event.id))
    }
}

/// The number of the step that begins with `event`.
fn step(event: &Event) -> Option<usize> {
    if event.kind() != "scenario.step" {
        return None;
    }
    event.fields().get("number")?.as_u64().and_then(|number| usize::try_from(number).ok())
}
