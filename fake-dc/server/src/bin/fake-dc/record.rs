//! The ledger as a file: line-delimited JSON, written while things happen.
//!
//! ```text
//! {"format":"fake-dc-events","version":1,"seed":0}
//! {"n":1,"at":"2026-08-21T02:00:23Z","actor":"dc:dc1","kind":"dc.connection","data":{…}}
//! ```
//!
//! `n` counts the events of the run from 1, `cause` is the `n` of the event that led to this one.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use ground::{Event, EventId, Ledger};
use serde_json::{Value, json};

use crate::error::Failure;

/// A file that events go to.
pub(crate) struct Record {
    out: BufWriter<File>,
    written: Option<EventId>,
}

impl Record {
    pub(crate) fn create(path: &Path, seed: u64) -> Result<Self, Failure> {
        let create = || {
            let mut out = BufWriter::new(File::create(path)?);
            let head = json!({ "format": "fake-dc-events", "version": 1, "seed": seed });
            writeln!(out, "{head}")?;
            out.flush()?;
            Ok(out)
        };
        match create() {
            Ok(out) => Ok(Self { out, written: None }),
            Err(source) => Err(Failure::Write { path: path.to_owned(), source }),
        }
    }

    /// Writes events as they happen, for ever.
    pub(crate) async fn follow(&mut self, ledger: &Ledger) -> io::Result<()> {
        loop {
            let events = ledger.next_after(self.written).await;
            self.write(&events)?;
        }
    }

    /// Writes what has happened since.
    pub(crate) fn finish(&mut self, ledger: &Ledger) -> io::Result<()> {
        self.write(&ledger.events_after(self.written))
    }

    fn write(&mut self, events: &[Event]) -> io::Result<()> {
        for event in events {
            writeln!(self.out, "{}", line(event))?;
            self.written = Some(event.id);
        }
        self.out.flush()
    }
}

/// An event as JSON.
pub(crate) fn line(event: &Event) -> Value {
    let mut line = json!({
        "n": event.id,
        "at": event.at,
        "actor": event.actor.to_string(),
        "kind": event.kind(),
        "data": event.fields(),
    });
    if let Some(cause) = event.cause {
        line["cause"] = json!(cause);
    }
    line
}
