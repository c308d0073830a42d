//! A scenario as a tree of values, which can be drawn, cut down, and written as text.

use std::fmt::Write as _;

use scenario::Profile;
use serde_json::{Map, Value, json};

/// A scenario that is not text yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) id: String,
    pub(super) profile: Profile,
    /// The table `world`; `host` and `domain` are lists of tables.
    pub(super) world: Value,
    /// The steps, each a table.
    pub(super) steps: Vec<Value>,
    /// What stands above the scenario, line by line.
    pub(super) comment: Vec<String>,
}

impl Plan {
    pub(super) fn new(id: String, profile: Profile, world: Value, steps: Vec<Value>) -> Self {
        Self { id, profile, world, steps, comment: Vec::new() }
    }

    /// The scenario file.
    pub(super) fn to_toml(&self) -> String {
        let mut text = String::new();
        for line in &self.comment {
            text += &format!("# {line}\n");
        }
        text += "version = 1\n";
        text += &format!("id = {}\n", quoted(&self.id));
        text += "title = \"A random sequence of steps\"\n";
        text += &format!("profiles = [{}]\n", quoted(self.profile.as_str()));
        table(&mut text, "world", &self.world);
        for step in &self.steps {
            table(&mut text, "[step]", step);
        }
        text
    }
}

/// A table with its header; lists of tables in it get headers of their own.
fn table(text: &mut String, header: &str, table: &Value) {
    let empty = Map::new();
    let fields = table.as_object().unwrap_or(&empty);
    let (lists, plain): (Vec<_>, Vec<_>) =
        fields.iter().partition(|(_, value)| is_list_of_tables(value) && header == "world");
    if header.starts_with('[') || !plain.is_empty() {
        // Writing to a string does not fail, here and below.
        let _ = write!(text, "\n[{header}]\n");
    }
    for (key, value) in plain {
        let (path, value) = dotted(key, value);
        let _ = writeln!(text, "{path} = {}", inline(value));
    }
    for (key, list) in lists {
        for item in list.as_array().into_iter().flatten() {
            self::table(text, &format!("[{header}.{key}]"), item);
        }
    }
}

fn is_list_of_tables(value: &Value) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_object))
}

/// Tables of one key are written with dots, up to the parameters of an action.
fn dotted<'v>(key: &str, value: &'v Value) -> (String, &'v Value) {
    let mut fields = value.as_object().into_iter().flatten();
    match (fields.next(), fields.next()) {
        (Some((inner, value)), None) => (format!("{key}.{inner}"), value),
        _ => (key.to_owned(), value),
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(k, value)| format!("{} = {}", key(k), inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// A key, in quotes if it needs them.
fn key(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !text.is_empty() && text.chars().all(is_bare) { text.to_owned() } else { quoted(text) }
}

/// A basic string of TOML, whose escapes are those of JSON but for the delete character.
fn quoted(text: &str) -> String {
    json!(text).to_string().replace('\u{7f}', "\\u007f")
}
