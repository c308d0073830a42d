//! Passwords, session references and private keys stay where they belong.

use std::fmt::Write as _;

use ground::Event;
use serde_json::Value;

use super::{Breach, look::Look};

/// Events whose words are looked through at once: to look for a secret costs more than to read on.
const EVENTS_AT_ONCE: usize = 256;

/// Nothing that is recorded or shown holds a secret: no event, no error, no output of a program, no
/// message, and so no report, which is made of them.
pub(super) fn none_is_told(look: &Look<'_>) -> Vec<Breach> {
    let done = look.view.done;
    let mut breaches = Vec::new();
    let mut told = |by: String| {
        breaches
            .push(Breach::of_pool(format!("{by} holds a password, a session or a private key")));
    };
    for events in done.events.chunks(EVENTS_AT_ONCE) {
        let mut words = String::new();
        events.iter().for_each(|event| write_words(event, &mut words));
        if !look.tells_text(&words) {
            continue;
        }
        for event in events {
            words.clear();
            write_words(event, &mut words);
            if look.tells_text(&words) {
                told(format!("a fact of the kind {}", event.kind()));
            }
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

/// Everything that a report can show of an event, unshortened and as it is: names and values of its
/// fields, and what they are made of.
fn write_words(event: &Event, words: &mut String) {
    // Writing to a string cannot fail.
    let _ = write!(words, "{} {}", event.actor, event.kind());
    for (name, value) in event.fields() {
        words.push(' ');
        words.push_str(&name);
        words.push('=');
        write_value(&value, words);
    }
    words.push('\n');
}

fn write_value(value: &Value, words: &mut String) {
    match value {
        Value::String(text) => words.push_str(text),
        Value::Array(items) => {
            for item in items {
                words.push('\n');
                write_value(item, words);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                words.push('\n');
                words.push_str(name);
                words.push('=');
                write_value(value, words);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            let _ = write!(words, "{value}");
        }
    }
}

impl Look<'_> {
    fn tells_text(&self, text: &str) -> bool {
        let ours = self.view.world.secrets.iter().chain(&self.secrets).chain(&self.sessions);
        text.contains(PRIVATE_KEY) || ours.into_iter().any(|secret| text.contains(secret.as_str()))
    }
}

/// Part of the marker of every private key in PEM.
const PRIVATE_KEY: &str = "PRIVATE KEY-----";
