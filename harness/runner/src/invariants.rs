//! What must be true after every step of every scenario, whether or not its author thought of it.
//!
//! Three things may break an invariant, and each is known by name. Somebody changes a file by hand:
//! what is about that file is not judged until it is in order again, or xapi has written it anew
//! ([`memory`]). A quirk of xapi: the step says so (`excused_by`), and the breach is excused until
//! it heals. A documented failure leaves something behind: the invariant itself says which.

mod accounts;
mod database;
mod files;
mod joins;
mod look;
mod memory;
mod pools;
mod secrets;
mod smb_conf;
mod stores;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use sim_host::Quirk;

pub(crate) use self::memory::Memories;

use self::look::Look;
use crate::{Failure, expect::StepView};

/// Something that must be true.
struct Invariant {
    name: &'static str,
    /// Quirks that are known to break it.
    quirks: &'static [Quirk],
    check: fn(&Look<'_>) -> Vec<Breach>,
}

/// One way in which an invariant is broken.
struct Breach {
    /// The host it is about; empty for the pool.
    host: String,
    what: String,
}

impl Breach {
    fn new(host: &str, what: String) -> Self {
        Self { host: host.to_owned(), what }
    }

    fn of_pool(what: String) -> Self {
        Self::new("", what)
    }
}

/// The invariant that holds at every moment.
const SECRETS: &str = "no secret is told";

const INVARIANTS: &[Invariant] = &[
    Invariant { name: SECRETS, quirks: &[], check: secrets::none_is_told },
    Invariant {
        name: "hosts agree after a successful call of the pool",
        quirks: &[],
        check: database::hosts_agree,
    },
    Invariant {
        name: "smb.conf agrees with the database",
        quirks: &[Quirk::SetLdapsNoRestoreOnHardFailure],
        check: smb_conf::agrees_with_the_database,
    },
    Invariant {
        name: "smb.conf of a host without AD is kept only if it shall be",
        quirks: &[Quirk::EnableProbeFailureKeepsConf],
        check: smb_conf::is_kept_only_if_it_shall_be,
    },
    Invariant {
        name: "trust stores agree with the records",
        quirks: &[
            Quirk::DuplicatePurposeSelfClash,
            Quirk::InstallLeavesRow,
            Quirk::UninstallAcceptsLegacy,
        ],
        check: stores::agree_with_the_records,
    },
    Invariant {
        name: "bundles agree with the files",
        quirks: &[],
        check: stores::bundles_agree_with_the_files,
    },
    Invariant {
        name: "members have the stores of the coordinator",
        quirks: &[Quirk::DuplicatePurposeSelfClash, Quirk::InstallLeavesRow],
        check: stores::members_have_those_of_the_coordinator,
    },
    Invariant {
        name: "the database is on disk as it is in memory",
        quirks: &[],
        check: database::is_on_disk,
    },
    Invariant {
        name: "references lead to records",
        quirks: &[],
        check: database::references_lead_to_records,
    },
    Invariant {
        name: "the fields of external authentication go together",
        quirks: &[],
        check: database::fields_go_together,
    },
    Invariant {
        name: "nothing half done is left behind",
        quirks: &[],
        check: files::nothing_half_done_is_left,
    },
    Invariant { name: "a host knows its pool", quirks: &[], check: pools::hosts_know_their_pool },
    Invariant {
        name: "a failed join leaves no certificates behind",
        quirks: &[Quirk::JoinKeepsExchangedCertificates],
        check: joins::failed_joins_leave_no_certificates,
    },
    Invariant {
        name: "a failed join leaves nothing behind",
        quirks: &[],
        check: joins::failed_joins_leave_nothing,
    },
    Invariant {
        name: "sessions of AD end with it",
        quirks: &[],
        check: pools::sessions_of_ad_end_with_it,
    },
    Invariant {
        name: "one alert tells of the end of a certificate",
        quirks: &[],
        check: pools::one_alert_about_an_object,
    },
    Invariant {
        name: "a host with AD has its machine account",
        quirks: &[Quirk::PerHostNamesShared],
        check: accounts::exist,
    },
];

/// What is newly broken after a step.
#[derive(Debug)]
pub(crate) struct Judged {
    /// What nothing excuses: the invariant, and how it is broken.
    pub(crate) breaches: Vec<(&'static str, String)>,
    /// Quirks that were needed as an excuse.
    pub(crate) excuses: BTreeSet<Quirk>,
}

/// Judges every invariant; a breach is accepted if it is declared that one of `quirks` breaks it.
pub(crate) fn judge(
    view: &StepView<'_>,
    memories: &mut Memories,
    quirks: &BTreeSet<Quirk>,
) -> Judged {
    let mut judged = Judged { breaches: Vec::new(), excuses: BTreeSet::new() };
    let mut broken = BTreeSet::new();
    let mut learnt = Vec::new();
    // A call in the background may be in the middle of things.
    let at_rest =
        |invariant: &&Invariant| view.world.backgrounds.is_empty() || invariant.name == SECRETS;
    for pool in view.world.rig.pools() {
        let look = Look::at(view, pool, memories);
        for invariant in INVARIANTS.iter().filter(at_rest) {
            let excuse = invariant.quirks.iter().find(|quirk| quirks.contains(quirk));
            for breach in (invariant.check)(&look) {
                let key = (look.pool.reference().clone(), invariant.name, breach.host);
                match excuse {
                    _ if memories.is_broken(&key) => {}
                    Some(quirk) => {
                        judged.excuses.insert(*quirk);
                    }
                    None => judged.breaches.push((invariant.name, breach.what)),
                }
                broken.insert(key);
            }
        }
        learnt.push(look.into_learnt());
    }
    memories.set_broken(broken);
    learnt.into_iter().for_each(|learnt| memories.learn(learnt));
    judged
}

/// The invariants that do not hold after a step of a scenario, and excuses that excuse nothing.
pub(crate) fn check(view: &StepView<'_>, memories: &mut Memories) -> Vec<Failure> {
    let quirks = &view.world.quirks;
    let named: BTreeSet<Quirk> = view
        .step
        .excused_by
        .iter()
        // The parser checked the names against the same table.
        .filter_map(|name| name.as_str().parse().ok())
        .filter(|quirk| quirks.has(*quirk))
        .collect();
    let Judged { breaches, excuses } = judge(view, memories, &named);
    let broken = breaches
        .into_iter()
        .map(|(name, what)| failure(format!("the invariant `{name}` is broken: {what}")));
    let idle = named.difference(&excuses).map(|quirk| {
        failure(format!("the quirk `{}` is named as an excuse, and broke nothing", quirk.name()))
    });
    broken.chain(idle).collect()
}

fn failure(what: String) -> Failure {
    Failure { place: None, what, picture: None, diff: None, unaccepted: false }
}
