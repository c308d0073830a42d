//! The bundled scenarios, and which of them use a fault. They are part of the program, see
//! `build.rs`.

use std::sync::LazyLock;

use scenario::Scenario;
use serde::Serialize;

use crate::vocabulary;

/// A bundled scenario that uses a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// Texts of the bundled scenarios, in order of their ids.
const BUNDLED: &[&str] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The bundled scenarios that set the fault `id` somewhere, in order of their ids.
pub fn stories_of(id: &str) -> Vec<Story> {
    let used = INDEX.iter().filter(|(_, faults)| faults.iter().any(|fault| fault == id));
    used.map(|(story, _)| story.clone()).collect()
}

/// Each bundled scenario with the ids of its faults.
static INDEX: LazyLock<Vec<(Story, Vec<String>)>> = LazyLock::new(|| {
    let indexed = bundled().iter().map(|scenario| {
        let faults = scenario.fault_ids().into_iter().map(str::to_owned).collect();
        (Story { id: scenario.id.to_string(), title: scenario.title.clone() }, faults)
    });
    indexed.collect()
});

/// The bundled scenarios, in order of their ids.
pub(crate) fn bundled() -> &'static [Scenario] {
    &PARSED
}

static PARSED: LazyLock<Vec<Scenario>> = LazyLock::new(|| {
    let vocabulary = vocabulary();
    // One that does not parse fails its own test.
    let parse = |text: &&str| scenario::parse("bundled", text, &vocabulary).ok();
    BUNDLED.iter().filter_map(parse).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bundled_scenario_is_in_the_index() {
        assert!(BUNDLED.len() > 40);
        assert_eq!(INDEX.len(), BUNDLED.len());
        let stories = stories_of("algorithm.ecdsa-p256");
        assert!(stories.iter().any(|story| story.id == "ecdsa-dc"), "{stories:?}");
    }
}
