//! This crate and GnuTLS itself, asked the same questions.
//!
//! `gnutls/judge.c` is built against the installed libgnutls. Where there is no C compiler or no
//! libgnutls the tests say so and do nothing, unless the tools are promised
//! (`TRUSTRIG_REQUIRE_TOOLS`). Everything must agree, apart from the [`Difference`]s, which are
//! listed with their reasons.

mod catalogue;
mod chains;
mod files;
mod gnutls;
#[path = "../support/maker.rs"]
mod maker;
mod odd;
mod priorities;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use chains::{Dice, random_case};
use gnutls::{Difference, Gnutls};

/// Chains judged by both; about half of them hold a certificate twice.
const CHAINS: u32 = 6_000;

#[test]
fn random_chains_agree_with_gnutls() {
    let Some(mut gnutls) = Gnutls::start() else { return };
    let at = support::now();
    let mut disagreements = Vec::new();
    let mut repeats = 0;
    let mut accepted = 0;
    let mut known: BTreeMap<Difference, u32> = BTreeMap::new();
    for number in 0..CHAINS {
        let case = random_case(&mut Dice(u64::from(number)));
        let (ours, theirs) = (case.judge(at), gnutls.verify(&case, at));
        repeats += u32::from(case.has_repeats());
        accepted += u32::from(theirs == "0x0");
        if let Some(difference) = ours.difference {
            *known.entry(difference).or_default() += 1;
        }
        if !ours.agrees(&theirs) {
            let answer = ours.answer;
            disagreements.push(format!("{number}: ours {answer}, GnuTLS {theirs}\n{}", case.story));
        }
    }
    let agreeing = CHAINS as usize - disagreements.len();
    support::say(&format!(
        "GnuTLS {}: {agreeing} of {CHAINS} chains agree ({repeats} hold a certificate twice, \
         {accepted} are accepted)",
        gnutls.version()
    ));
    for (difference, count) in known {
        support::say(&format!("  {count} with {difference:?} apart: {}", difference.reason()));
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}
