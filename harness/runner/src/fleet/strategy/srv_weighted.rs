//! As xapi does, but in the order that RFC 2782 asks of clients: by priority, and within one by lots
//! that are drawn by weight. (Samba takes the highest weight first, so its clients all begin with the
//! same DC.)

use std::collections::BTreeMap;

use ground::Seed;
use rand::RngExt as _;

use super::{Candidate, Pacing, Plan};

pub(super) fn plan(candidates: &[Candidate], seed: &Seed) -> Plan {
    let mut dice = seed.stream("srv-weighted");
    let mut by_priority: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
    for (number, candidate) in candidates.iter().enumerate() {
        by_priority.entry(candidate.priority).or_default().push(number);
    }
    let weight = |number: usize| u64::from(candidates[number].weight);
    let mut order = Vec::with_capacity(candidates.len());
    for mut waiting in by_priority.into_values() {
        // "Those with weight 0 at the beginning of the list"; the others keep the order of DNS.
        waiting.sort_by_key(|&number| weight(number) > 0);
        while !waiting.is_empty() {
            let sum: u64 = waiting.iter().map(|&number| weight(number)).sum();
            // "A uniform random number between 0 and the sum computed (inclusive)".
            let lot = dice.random_range(0..=sum);
            let mut running = 0;
            let drawn = waiting.iter().position(|&number| {
                running += weight(number);
                running >= lot
            });
            order.push(waiting.remove(drawn.unwrap_or(0)));
        }
    }
    Plan { order, pacing: Pacing::ONE_BY_ONE }
}
