//! The ledger: 1,000 events of ten hosts and their DC.

use std::hint::black_box;

use ground::{Actor, Ledger, VirtualClock, fact};
use serde::Serialize;

use super::{NOW, expect};
use crate::HotPath;

#[derive(Debug, Serialize)]
struct Noted {
    number: usize,
}
fact!(Noted, "budgets.noted");

pub(super) fn paths() -> Vec<HotPath> {
    let full = filled();
    let whole = |events: usize| expect(events == 1_000, || format!("{events} events"));
    vec![
        HotPath::new("ledger/append-1000", move || whole(filled().events().len())),
        HotPath::new("ledger/causal-order-of-1000", move || {
            whole(black_box(&full).causal_order().len())
        }),
    ]
}

fn filled() -> Ledger {
    let ledger = Ledger::new(VirtualClock::starting_at(NOW).clock());
    for host in 0..10 {
        let host = ledger.trail(Actor::Host(format!("host{host}")));
        for number in 0..50 {
            let asks = host.begin(Noted { number });
            asks.of(Actor::Dc("dc1".to_owned())).record(Noted { number });
        }
    }
    ledger
}
