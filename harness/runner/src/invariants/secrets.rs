//! Passwords, session references and private keys stay where they belong.

use serde_json::Value;

use super::{Breach, look::Look};
use crate::report::describe;

/// Nothing that is recorded or shown holds a secret: no event, no error, no output of a program, no
/// message, and so no report, which is made of them.
pub(super) fn none_is_told(look: &Look<'_>) -> Vec<Breach> {
    let done = look.view.done;
    let mut breaches = Vec::new();
    let mut told = |by: String| {
        breaches
            .push(Breach::of_pool(format!("{by} holds a password, a session or a private key")));
    };
    for event in &done.events {
        let fields = event.fields();
        if fields.values().any(|value| look.tells(value)) || look.tells_text(&describe(event)) {
            told(format!("a fact of the kind {}", event.kind()));
        }
    }
    // SESSION_INVALID tells its caller the handle that the caller has sent (§16.3).
    if let Err(error) = &done.result
        && error.code != "SESSION_INVALID"
        && error.params.iter().any(|param| look.tells_text(param))
    {
        told(format!("a parameter of the error {}", error.code));
    }
    if let Some(output) = &done.output
        && (look.tells_text(&output.stdout) || look.tells_text(&output.stderr))
    {
        told("what the program printed".to_owned());
    }
    for message in look.records.messages.iter().filter(|m| look.tells_text(&m.body)) {
        told(format!("a message {}", message.name));
    }
    breaches
}

impl Look<'_> {
    fn tells(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => self.tells_text(text),
            Value::Array(items) => items.iter().any(|item| self.tells(item)),
            Value::Object(fields) => {
                fields.iter().any(|(key, value)| self.tells_text(key) || self.tells(value))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn tells_text(&self, text: &str) -> bool {
        let ours = self.view.world.secrets.iter().chain(&self.secrets).chain(&self.sessions);
        text.contains(PRIVATE_KEY) || ours.into_iter().any(|secret| text.contains(secret.as_str()))
    }
}

/// Part of the marker of every private key in PEM.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";
