//! The schema and the parser say the same.

use std::sync::LazyLock;

use scenario::{Diagnostics, Mistake, parse, schema};
use serde_json::{Value, json};

use crate::{SOUND, vocabulary};

const COMMITTED: &str = include_str!("../../schema/scenario-v1.schema.json");

#[test]
fn the_committed_schema_is_fresh() {
    let committed: Value = serde_json::from_str(COMMITTED).expect("the committed schema is JSON");
    assert!(
        committed == schema(),
        "the committed schema is stale; refresh it with\n    \
         trustrig schema > harness/scenario/schema/scenario-v1.schema.json"
    );
}

#[test]
fn the_schema_is_valid_itself() {
    assert!(jsonschema::draft7::meta::is_valid(&schema()));
}

#[test]
fn every_key_is_described() {
    fn undescribed(path: &str, schema: &Value, found: &mut Vec<String>) {
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (key, property) in properties {
            // A key of the map `config` means what xapi-flows.md says.
            if property["description"].is_null() && !path.ends_with("AuthConfig") {
                found.push(format!("{path}.{key}"));
            }
        }
    }
    let schema = schema();
    let mut found = Vec::new();
    undescribed("scenario", &schema, &mut found);
    for (name, definition) in schema["definitions"].as_object().unwrap() {
        undescribed(name, definition, &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_sound_scenario_passes_both() {
    assert!(parse("sound.toml", SOUND, &vocabulary()).is_ok());
    assert_eq!(accepts(SOUND), Some(true));
}

/// Whether the schema accepts `text`; `None` if it is no TOML.
pub(crate) fn accepts(text: &str) -> Option<bool> {
    static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        jsonschema::options()
            .should_validate_formats(true)
            .build(&schema())
            .expect("the schema is valid")
    });
    let document: toml::Table = text.parse().ok()?;
    Some(VALIDATOR.is_valid(&to_json(toml::Value::Table(document))))
}

/// Asserts that the schema refuses `text` exactly if it can know of one of `mistakes`.
pub(crate) fn assert_agrees(text: &str, mistakes: &Diagnostics) {
    let Some(accepted) = accepts(text) else {
        assert!(mistakes.iter().all(|one| matches!(one.mistake(), Mistake::Syntax { .. })));
        return;
    };
    let within = |mistake: &Mistake| match mistake {
        // Words of the language itself are in the schema; names and other crates' words are not.
        Mistake::Unknown { what, .. } => {
            let own = [
                "direction of trust",
                "kind of trust",
                "liveness",
                "profile",
                "purpose",
                "verdict class",
            ];
            own.contains(what)
        }
        // Two profiles are a set; paths that climb and keys that need each other are beyond it.
        Mistake::Malformed { what, text, .. } => {
            !["command", "member", "owner", "partner", "server"].contains(what)
                && !text.contains("..")
        }
        Mistake::MissingKey { key } => !matches!(*key, "key" | "chain" | "password"),
        Mistake::BadValue { .. }
        | Mistake::Duplicate { .. }
        | Mistake::Limit { .. }
        | Mistake::ManagerAndAgent { .. }
        | Mistake::Misplaced { .. }
        | Mistake::NeverRuns { .. }
        | Mistake::NoCall { .. }
        | Mistake::NoHost { .. }
        | Mistake::NoRefusal { .. }
        | Mistake::NoProgram { .. }
        | Mistake::NotInstalled { .. }
        | Mistake::NoValue { .. } => false,
        _ => true,
    };
    let refused = mistakes.iter().any(|one| within(one.mistake()));
    assert_eq!(accepted, !refused, "{mistakes}");
}

fn to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(boolean) => json!(boolean),
        toml::Value::Datetime(time) => json!(time.to_string()),
        toml::Value::Array(items) => items.into_iter().map(to_json).collect(),
        toml::Value::Table(table) => {
            table.into_iter().map(|(key, value)| (key, to_json(value))).collect()
        }
    }
}
