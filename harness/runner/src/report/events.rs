//! The event file: line-delimited JSON, one header and then one line per event.
//!
//! ```text
//! {"format":"trustrig-events","version":1,"seed":7}
//! {"case":"toggle-on-and-off@landed","n":1,"at":"2026-08-21T02:00:23Z","actor":"runner","kind":"scenario.step","data":{…}}
//! ```
//!
//! `n` counts the events of a case from 1, `cause` is the `n` of the event that led to this one.
//! Events stand in causal order, so two runs with one seed give the same file apart from fields
//! named `port` and `wall_ms` and the ports of addresses. Fields may be added within version 1;
//! none is removed or changes its meaning.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use ground::{Event, EventId};
use serde_json::{Value, json};

use crate::SuiteReport;

/// Version of the event file's format.
pub const EVENTS_VERSION: u32 = 1;

/// Writes the events of all cases.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_events(report: &SuiteReport, out: &mut impl Write) -> io::Result<()> {
    let header = json!({
        "format": "trustrig-events", "version": EVENTS_VERSION, "seed": report.seed,
    });
    writeln!(out, "{header}")?;
    for case in &report.cases {
        let mut numbers: BTreeMap<EventId, usize> = BTreeMap::new();
        for (index, event) in case.events.iter().enumerate() {
            numbers.insert(event.id, index + 1);
            let mut line = json!({
                "case": case.name.to_string(),
                "n": index + 1,
                "at": event.at,
                "actor": event.actor.to_string(),
                "kind": event.kind(),
                "data": event.fields(),
            });
            if let Some(cause) = event.cause.and_then(|cause| numbers.get(&cause)) {
                line["cause"] = json!(cause);
            }
            writeln!(out, "{line}")?;
        }
    }
    out.flush()
}

/// One event as a line for people: `02:00:23 dc:dc1 ldap.request operation=search base=…`.
pub fn describe(event: &Event) -> String {
    let time = event.at.to_date_time();
    let mut line = format!(
        "{:02}:{:02}:{:02} {} {}",
        time.hour(),
        time.minute(),
        time.second(),
        event.actor,
        event.kind()
    );
    for (name, value) in event.fields() {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            other => other.to_string(),
        };
        line.push_str(&format!(" {name}={}", shorten(&text)));
    }
    line
}

/// Longest value of a field shown to people, in characters.
const SHOWN_CHARACTERS: usize = 120;

fn shorten(text: &str) -> String {
    let line = text.replace('\n', "\\n");
    if line.chars().count() <= SHOWN_CHARACTERS {
        return line;
    }
    let head: String = line.chars().take(SHOWN_CHARACTERS).collect();
    format!("{head}…")
}
