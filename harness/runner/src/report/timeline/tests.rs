//! Rules of the timeline that a real case shows only now and then.

use std::{collections::BTreeMap, net::IpAddr, path::PathBuf, time::Duration};

use ground::{Actor, Ledger, Trail, VirtualClock, fact};
use serde::Serialize;

use super::*;
use crate::CaseName;

#[derive(Debug, Serialize)]
struct Step {
    number: usize,
    title: &'static str,
}
fact!(Step, "scenario.step");

#[derive(Debug, Serialize)]
struct Duty {
    duty: &'static str,
}
fact!(Duty, "xapi.duty");

#[derive(Debug, Serialize)]
struct Unheard {
    colour: &'static str,
    of: &'static str,
    nothing: Option<u8>,
}
fact!(Unheard, "test.unheard");

#[derive(Debug, Serialize)]
struct Written {
    change: &'static str,
    class: &'static str,
    object: &'static str,
    value: BTreeMap<&'static str, &'static str>,
}
fact!(Written, "database.written");

const REFERENCE: &str = "OpaqueRef:79496f4a-0325-44f5-bb12-5e0510e6384e";

struct World {
    time: VirtualClock,
    ledger: Ledger,
    runner: Trail,
}

impl World {
    fn new() -> Self {
        let time = VirtualClock::starting_at(Timestamp::from_unix(1_787_277_623));
        let ledger = Ledger::new(time.clock());
        let runner = ledger.trail(Actor::Runner);
        Self { time, ledger, runner }
    }

    fn step(&self, number: usize) -> Trail {
        self.runner.begin(Step { number, title: "a step" }).of(Actor::Host("host1".to_owned()))
    }

    fn case(&self, outcome: Outcome) -> CaseReport {
        CaseReport {
            name: CaseName { scenario: "s".to_owned(), profile: scenario::Profile::Landed },
            path: PathBuf::new(),
            outcome,
            events: self.ledger.causal_order(),
            addresses: BTreeMap::<IpAddr, String>::new(),
            wall: Duration::ZERO,
        }
    }

    fn told(&self) -> String {
        Timeline::of(&self.case(Outcome::Passed)).to_string()
    }
}

fn unheard(colour: &'static str) -> Unheard {
    Unheard { colour, of: REFERENCE, nothing: None }
}

#[test]
fn runs_of_a_task_that_tell_the_same_are_counted_although_others_take_turns() {
    let world = World::new();
    let step = world.step(1);
    for colour in ["red", "red", "blue", "red"] {
        world.time.advance(Duration::from_secs(300));
        step.begin(Duty { duty: "revalidate-sessions" }).record(unheard(colour));
        step.begin(Duty { duty: "refresh-subjects" }).record(unheard("green"));
        step.record(Duty { duty: "nothing-to-do" });
    }
    insta::assert_snapshot!(world.told());
}

#[test]
fn an_object_is_called_by_its_name_and_what_has_no_sentence_is_told_by_its_fields() {
    let world = World::new();
    let value = BTreeMap::from([("fingerprint_sha256", "17:D4:A3:64:DD:FF"), ("type", "ca")]);
    world.step(1).record(Written {
        change: "created",
        class: "Certificate",
        object: REFERENCE,
        value,
    });
    world.step(2).record(unheard("red"));
    insta::assert_snapshot!(world.told());
}

#[test]
fn what_an_earlier_step_began_is_told_where_it_happened() {
    let world = World::new();
    let began = world.step(1).begin(unheard("red"));
    world.step(2);
    began.record(unheard("blue"));
    insta::assert_snapshot!(world.told());
}

#[test]
fn of_a_case_that_broke_the_end_of_its_last_step_is_told() {
    let world = World::new();
    world.step(1).record(unheard("red"));
    let last = world.step(2);
    for number in 0..100 {
        last.record(unheard(if number % 2 == 0 { "blue" } else { "green" }));
    }
    let told = Timeline::of_failure(&world.case(Outcome::Broken("why".to_owned()))).to_string();
    assert!(told.contains("… 41 lines before"), "{told}");
    assert_eq!(told.lines().count(), FAILURE_LINES + 1);
    assert!(!told.contains("red"), "{told}");
    assert!(Timeline::of_failure(&world.case(Outcome::Passed)).is_empty());
}
