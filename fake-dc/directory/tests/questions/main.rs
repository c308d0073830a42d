//! A few hundred questions, asked of a real Samba AD DC once and of ours in every run.
//!
//! `fixtures/samba-questions/` holds the data of the real DC as LDIF, the questions, and what the
//! DC answered. Ours is loaded with that data and must answer the same, message by message and
//! attribute by attribute. A question whose answer may differ says so, with the reason, where it
//! is asked; it fails once the answers are equal.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "../support/mod.rs"]
mod support;

mod answer;
mod ask;
mod question;

use std::fs;

use ask::{Fake, Real};

#[test]
fn ours_answers_as_the_real_one_did() {
    let questions = question::all();
    let captured = answer::read(&fs::read_to_string(fixture("answers.txt")).unwrap());
    let mut fake = Fake::new();
    let mut wrong = Vec::new();
    for question in &questions {
        let Some(theirs) = captured.get(&question.to_string()) else {
            wrong
                .push(format!("{question}\n  no captured answer; see the README of the fixture\n"));
            continue;
        };
        let ours = fake.ask(question);
        match (&question.differs, &ours == theirs) {
            (None, false) => {
                wrong.push(format!("{question}\n{}", answer::difference(theirs, &ours)));
            }
            (Some(_), true) => wrong.push(format!("{question}\n  does not differ any more\n")),
            _ => {}
        }
    }
    let (count, all) = (wrong.len(), questions.len());
    assert!(wrong.is_empty(), "{count} of {all} questions:\n\n{}", wrong.join("\n"));
}

/// Asks a real DC and keeps its answers. The program that `TRUSTRIG_LIVE_DC` names must carry
/// bytes to its port for LDAPS, with `{port}` for the port.
#[test]
#[ignore = "rewrites a fixture from a real DC"]
fn capture() {
    let program = std::env::var("TRUSTRIG_LIVE_DC").expect("TRUSTRIG_LIVE_DC is not set");
    let mut real = Real::new(program);
    let mut text = String::new();
    for question in question::all() {
        text.push_str(&format!("== {question}\n{}\n", real.ask(&question)));
    }
    fs::write(fixture("answers.txt"), text).unwrap();
}

fn fixture(name: &str) -> std::path::PathBuf {
    support::fixture("../samba-questions").join(name)
}
