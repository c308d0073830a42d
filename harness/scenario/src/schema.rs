//! The JSON Schema of the language, for editors.
//!
//! It says as much as a schema can: keys, types, patterns, lists of words. Whether a name exists
//! is beyond it; the parser says that.

use schemars::{JsonSchema as _, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde_json::{Map, Value, json};

use crate::{Scenario, grammar};

/// The schema of version 1 of the language, in JSON Schema draft 7, which editors know best.
pub fn schema() -> Value {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft07());
    let scenario = Scenario::json_schema(&mut generator);
    let mut definitions = generator.take_definitions(true);
    let mut schema = scenario.to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("$schema".into(), json!("http://json-schema.org/draft-07/schema#"));
        schema.insert("title".into(), json!("trustrig scenario, version 1"));
        schema.insert("definitions".into(), Value::Object(std::mem::take(&mut definitions)));
    }
    schema
}

/// Adds a description, which editors show beside the key.
pub(crate) fn described(mut schema: Schema, doc: &[&str]) -> Schema {
    let doc = grammar::doc(doc);
    if doc.is_empty() {
        return schema;
    }
    // Draft 7 ignores what stands beside a `$ref`.
    if schema.get("$ref").is_some() {
        return json_schema!({ "allOf": [schema], "description": doc });
    }
    schema.insert("description".into(), doc.into());
    schema
}

/// The schema of a table while it grows.
pub(crate) struct Table {
    description: String,
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    choice: Option<(Vec<&'static str>, bool)>,
}

impl Table {
    pub(crate) fn new(doc: &[&str]) -> Self {
        Self {
            description: grammar::doc(doc),
            properties: Map::new(),
            required: Vec::new(),
            choice: None,
        }
    }

    /// Adds a key.
    pub(crate) fn field(
        &mut self,
        key: &'static str,
        doc: &[&str],
        schema: Schema,
        optional: bool,
    ) {
        self.properties.insert(key.to_owned(), described(schema, doc).to_value());
        if !optional {
            self.required.push(key);
        }
    }

    /// Adds keys of which exactly one must be there, or at most one if that is optional.
    pub(crate) fn choice(&mut self, options: Vec<(&'static str, Schema)>, optional: bool) {
        self.choice = Some((options.iter().map(|(key, _)| *key).collect(), optional));
        let options = options.into_iter().map(|(key, schema)| (key.to_owned(), schema.to_value()));
        self.properties.extend(options);
    }

    pub(crate) fn finish(self) -> Schema {
        let pure_choice =
            self.choice.as_ref().map_or(0, |(keys, _)| keys.len()) == self.properties.len();
        let mut schema = json_schema!({
            "type": "object",
            "description": self.description,
            "properties": self.properties,
            "additionalProperties": false,
        });
        if !self.required.is_empty() {
            schema.insert("required".into(), json!(self.required));
        }
        match self.choice {
            Some((_, false)) if pure_choice => {
                schema.insert("minProperties".into(), json!(1));
                schema.insert("maxProperties".into(), json!(1));
            }
            Some((keys, optional)) => {
                let there: Vec<Value> =
                    keys.iter().map(|key| json!({ "required": [key] })).collect();
                let mut one_of = there.clone();
                if optional {
                    one_of.push(json!({ "not": { "anyOf": there } }));
                }
                schema.insert("oneOf".into(), json!(one_of));
            }
            None => {}
        }
        schema
    }
}
