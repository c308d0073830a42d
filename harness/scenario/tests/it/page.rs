//! The reference page tells the truth and tells all of it.

use std::{collections::BTreeSet, fs};

use scenario::{parse, schema};
use serde_json::Value;

use crate::{schema::accepts, vocabulary};

const PAGE: &str = include_str!("../../LANGUAGE.md");

#[test]
fn every_example_is_sound() {
    let examples: Vec<&str> = PAGE
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();
    assert_eq!(examples.len(), 5);
    for example in &examples {
        // An example that only shows steps is continued from the first, which is whole.
        let text = if example.contains("version = 1") {
            (*example).to_owned()
        } else {
            format!("{}{example}", examples[0])
        };
        let parsed = parse("LANGUAGE.md", &text, &vocabulary());
        assert!(parsed.is_ok(), "{}", parsed.unwrap_err());
        assert_eq!(accepts(&text), Some(true), "{text}");
    }
}

#[test]
fn every_word_of_the_language_is_explained() {
    fn collect(schema: &Value, words: &mut BTreeSet<String>) {
        match schema {
            Value::Object(map) => {
                let keys = map.get("properties").and_then(Value::as_object);
                words.extend(keys.into_iter().flat_map(|keys| keys.keys().cloned()));
                let listed = map.get("enum").and_then(Value::as_array);
                words.extend(
                    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned),
                );
                map.values().for_each(|value| collect(value, words));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
            _ => {}
        }
    }
    let mut words = BTreeSet::new();
    collect(&schema(), &mut words);
    assert!(words.len() > 80, "{words:?}");
    let prose: String = PAGE.split("```").step_by(2).collect();
    let explained: BTreeSet<&str> =
        prose.split('`').skip(1).step_by(2).flat_map(|code| code.split(['.', ' '])).collect();
    let missing: Vec<_> = words.iter().filter(|word| !explained.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "LANGUAGE.md does not explain {missing:?}");
}

/// Reasons are named by the models of trust, which this crate does not know; but scenarios name them.
#[test]
fn every_reason_of_a_bundled_scenario_is_explained() {
    let explained: BTreeSet<&str> = PAGE.split('`').skip(1).step_by(2).collect();
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    let mut missing = BTreeSet::new();
    let mut found = 0;
    for folder in fs::read_dir(scenarios).unwrap().map(Result::unwrap) {
        let Ok(text) = fs::read_to_string(folder.path().join("scenario.toml")) else { continue };
        let scenario: toml::Table = toml::from_str(&text).unwrap();
        let steps = scenario.get("step").and_then(toml::Value::as_array);
        for step in steps.into_iter().flatten() {
            let refused = step.get("expect").and_then(|expect| expect.get("refused"));
            let reason = refused.and_then(|refused| refused.get("reason")?.as_str());
            found += usize::from(reason.is_some());
            let unknown = reason.filter(|reason| !explained.contains(reason));
            missing.extend(unknown.map(str::to_owned));
        }
    }
    assert!(found > 50, "{found} refusals are expected in {scenarios}");
    assert!(missing.is_empty(), "LANGUAGE.md does not explain {missing:?}");
}
