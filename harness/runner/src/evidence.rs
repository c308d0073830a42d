//! What the bundled scenarios show of xapi: which of them ends with an error code, and which runs
//! with a quirk on or off. They are part of the program, see `build.rs`.
//!
//! A scenario that the suite passes is evidence: a step that expects a code has seen it. A quirk counts
//! as shown where a scenario states it in `[world.quirks]`; the test `evidence` turns each stated
//! quirk round and demands that the scenario then fails.

mod markdown;

use std::collections::{BTreeMap, BTreeSet};

use scenario::{Outcome, Pattern, Scenario, Step};
use serde::Serialize;
use sim_host::{ErrorCode, Quirk};

pub use self::markdown::{codes_page, quirks_page};
use crate::catalogue::bundled;

/// Ids of scenarios by the profile in which they show something.
pub type Witnesses = BTreeMap<&'static str, BTreeSet<String>>;

/// An error code and the scenarios in which a call ends with it.
#[derive(Clone, Debug, Serialize)]
pub struct CodeEvidence {
    /// The code.
    #[serde(flatten)]
    pub code: ErrorCode,
    /// Ids of scenarios, by the name of the profile.
    pub scenarios: Witnesses,
    /// Why no call can end with it, where that is so.
    pub never: Option<&'static str>,
}

/// A quirk and the scenarios that state it.
#[derive(Clone, Debug, Serialize)]
pub struct QuirkEvidence {
    /// Its id: `Q3`.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is, on and off.
    pub about: &'static str,
    /// Names of the profiles in which it is on unless a pool says otherwise.
    pub on_in: Vec<&'static str>,
    /// Ids of the scenarios that state that it is on.
    pub on: BTreeSet<String>,
    /// Ids of the scenarios that state that it is off.
    pub off: BTreeSet<String>,
    /// Why no scenario can tell its two sides apart.
    pub never: Option<&'static str>,
}

/// The catalogue of error codes with its evidence.
pub fn codes() -> Vec<CodeEvidence> {
    let mut seen: BTreeMap<String, Witnesses> = BTreeMap::new();
    for scenario in bundled() {
        for profile in scenario.played_profiles() {
            for step in scenario.steps.iter().filter(|step| step.runs_in(profile)) {
                for code in codes_of(step) {
                    let profiles = seen.entry(code).or_default();
                    profiles.entry(profile.as_str()).or_default().insert(scenario.id.to_string());
                }
            }
        }
    }
    sim_host::error_codes()
        .into_iter()
        .map(|code| {
            let scenarios = seen.remove(&code.code).unwrap_or_default();
            let never = why_never(&code.code);
            CodeEvidence { code, scenarios, never }
        })
        .collect()
}

/// The quirks with their evidence.
pub fn quirks() -> Vec<QuirkEvidence> {
    let stating = |quirk: Quirk, wanted: bool| {
        let states = |scenario: &&Scenario| {
            scenario.world.quirks.iter().any(|(name, on)| {
                *on == wanted && name.as_str().parse::<Quirk>().ok() == Some(quirk)
            })
        };
        bundled().iter().filter(states).map(|scenario| scenario.id.to_string()).collect()
    };
    Quirk::ALL
        .iter()
        .map(|quirk| QuirkEvidence {
            id: quirk.id(),
            name: quirk.name(),
            about: quirk.about(),
            on_in: sim_host::Profile::ALL
                .into_iter()
                .filter(|profile| quirk.default_in(*profile))
                .map(sim_host::Profile::name)
                .collect(),
            on: stating(*quirk, true),
            off: stating(*quirk, false),
            never: why_alike(*quirk),
        })
        .collect()
}

/// The codes that a step has seen if it passes: of its own call, or of one below it, whose result is
/// in the ledger.
fn codes_of(step: &Step) -> Vec<String> {
    let mut codes = Vec::new();
    if let Outcome::Error(error) = &step.expect.outcome {
        codes.push(error.code.to_string());
    }
    for fact in step.expect.seen.iter().filter(|fact| fact.kind.as_str() == "xapi.result") {
        if let Some(Pattern::Exact(code)) = fact.fields.get("error") {
            codes.push(code.clone());
        }
    }
    codes
}

/// Why no call can end with the code; `None` if one can.
fn why_never(code: &str) -> Option<&'static str> {
    match code {
        "JOINING_HOST_CONNECTION_FAILED" | "JOINING_HOST_SERVICE_FAILED" => {
            return Some(
                "at port 443 of every address of a scenario is a host's service, or nothing",
            );
        }
        "POOL_JOINING_POOL_BUNDLE_EMPTY_AFTER_IMPORT" => {
            return Some("the answer that is imported holds the joiner's own certificate");
        }
        _ => {}
    }
    let code = code.strip_prefix("POOL_").unwrap_or(code);
    if let Some(suffix) = code.strip_prefix("AUTH_DISABLE_FAILED") {
        return (!suffix.is_empty())
            .then_some("what disable remembers is a failed leave, which has no suffix (§8)");
    }
    match code.strip_prefix("AUTH_ENABLE_FAILED")? {
        "_PERMISSION_DENIED" | "_UNAVAILABLE" | "_INVALID_OU" => {
            Some("published, but no text of a program has this tag (§6.6)")
        }
        "_INVALID_ACCOUNT" => Some(
            "with Kerberos required, Samba 4.22 calls an unknown or malformed account an invalid \
             parameter",
        ),
        _ => None,
    }
}

/// Why the hosts behave the same with the quirk and without; `None` if they do not.
fn why_alike(quirk: Quirk) -> Option<&'static str> {
    (quirk == Quirk::OneBadKdcLineFailsAll).then_some(
        "`net lookup kdc` of Samba 4.22 drops the port of the SRV record and prints 88 in every line, \
         with the fault `discovery.srv-wrong-port`, too",
    )
}
