//! What must be true after every step of every scenario, whether or not its author thought of it.
//!
//! A step that edits a file by hand may break an invariant about that file; the invariant is then
//! not judged for that host until xapi has rewritten the file. A quirk of xapi may break one, too:
//! the step says so by the quirk's name (`excused_by`), and the breach is excused until it heals.

use std::collections::BTreeSet;

use sim_host::Quirk;

use crate::{Failure, expect::StepView};

/// Something that must be true.
struct Invariant {
    name: &'static str,
    /// Quirks that are known to break it.
    quirks: &'static [Quirk],
    check: fn(&StepView<'_>) -> Vec<Breach>,
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
}

/// The invariant that holds at every moment.
const SECRETS: &str = "no secret in the ledger";

const INVARIANTS: &[Invariant] = &[
    Invariant { name: SECRETS, quirks: &[], check: no_secret_in_the_ledger },
    Invariant {
        name: "hosts agree after a successful call of the pool",
        quirks: &[],
        check: hosts_agree,
    },
    Invariant {
        name: "smb.conf agrees with the database",
        quirks: &[Quirk::SetLdapsNoRestoreOnHardFailure],
        check: smb_conf_agrees,
    },
    Invariant {
        name: "trust stores agree with the records",
        quirks: &[Quirk::DuplicatePurposeSelfClash, Quirk::InstallLeavesRow],
        check: stores_agree,
    },
];

/// What is remembered from step to step.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// What was broken after the last step, by invariant and host: reported once, or excused.
    broken: BTreeSet<(&'static str, String)>,
}

/// What is newly broken after a step.
#[derive(Debug)]
pub(crate) struct Judged {
    /// What nothing excuses: the invariant, and how it is broken.
    pub(crate) breaches: Vec<(&'static str, String)>,
    /// Quirks that were needed as an excuse.
    pub(crate) excuses: BTreeSet<Quirk>,
}

/// Judges every invariant; a breach is accepted if it is declared that one of `quirks` breaks it.
pub(crate) fn judge(view: &StepView<'_>, memory: &mut Memory, quirks: &BTreeSet<Quirk>) -> Judged {
    let mut judged = Judged { breaches: Vec::new(), excuses: BTreeSet::new() };
    let mut broken = BTreeSet::new();
    // A call in the background may be in the middle of things.
    let at_rest =
        |invariant: &&Invariant| view.world.backgrounds.is_empty() || invariant.name == SECRETS;
    for invariant in INVARIANTS.iter().filter(at_rest) {
        let excuse = invariant.quirks.iter().find(|quirk| quirks.contains(quirk));
        for breach in (invariant.check)(view) {
            let key = (invariant.name, breach.host);
            match excuse {
                _ if memory.broken.contains(&key) => {}
                Some(quirk) => {
                    judged.excuses.insert(*quirk);
                }
                None => judged.breaches.push((invariant.name, breach.what)),
            }
            broken.insert(key);
        }
    }
    memory.broken = broken;
    judged
}

/// The invariants that do not hold after a step of a scenario, and excuses that excuse nothing.
pub(crate) fn check(view: &StepView<'_>, memory: &mut Memory) -> Vec<Failure> {
    let quirks = view.world.pool.quirks();
    let named: BTreeSet<Quirk> = view
        .step
        .excused_by
        .iter()
        // The parser checked the names against the same table.
        .filter_map(|name| name.as_str().parse().ok())
        .filter(|quirk| quirks.has(*quirk))
        .collect();
    let Judged { breaches, excuses } = judge(view, memory, &named);
    let broken = breaches
        .into_iter()
        .map(|(name, what)| failure(format!("the invariant `{name}` is broken: {what}")));
    let idle = named.difference(&excuses).map(|quirk| {
        failure(format!("the quirk `{}` is named as an excuse, and broke nothing", quirk.name()))
    });
    broken.chain(idle).collect()
}

fn failure(what: String) -> Failure {
    let (place, picture, diff, events) = (None, None, None, Vec::new());
    Failure { place, what, picture, diff, unaccepted: false, events }
}

fn no_secret_in_the_ledger(view: &StepView<'_>) -> Vec<Breach> {
    let sessions = view.world.pool.open_sessions();
    let leaks = |event: &&ground::Event| {
        let text = serde_json::Value::Object(event.fields()).to_string();
        let secrets = view.world.secrets.iter().map(String::as_str);
        secrets
            .chain(sessions.iter().map(|session| session.reference.as_str()))
            .any(|secret| text.contains(secret))
    };
    view.done
        .events
        .iter()
        .filter(leaks)
        .map(|event| {
            Breach::new(
                "",
                format!("a fact of the kind {} holds a password or a session", event.kind()),
            )
        })
        .collect()
}

fn hosts_agree(view: &StepView<'_>) -> Vec<Breach> {
    use scenario::{Action, PoolCall};
    let concerns = matches!(
        view.step.action.value,
        Action::Pool(
            PoolCall::EnableExternalAuth(_)
                | PoolCall::DisableExternalAuth(_)
                | PoolCall::ExternalAuthSetLdaps(_)
        )
    );
    if !concerns || view.done.result.is_err() {
        return Vec::new();
    }
    let mut states: Vec<(String, String)> = Vec::new();
    for record in view.world.pool.database_view().hosts {
        let state = format!(
            "type `{}`, service `{}`, ldaps {}",
            record.external_auth_type,
            record.external_auth_service_name,
            record.ldaps()
        );
        states.push((record.name_label, state));
    }
    let Some((first, expected)) = states.first().cloned() else { return Vec::new() };
    states
        .into_iter()
        .filter(|(_, state)| *state != expected)
        .map(|(host, state)| {
            Breach::new(&host, format!("{first} has {expected}; {host} has {state}"))
        })
        .collect()
}

fn smb_conf_agrees(view: &StepView<'_>) -> Vec<Breach> {
    let mut broken = Vec::new();
    let records = view.world.pool.database_view();
    for host in view.world.pool.hosts() {
        let Some(record) = records.host(host.reference()) else { continue };
        if record.external_auth_type != "AD"
            || was_edited(view, host.name(), sim_host::smb_conf::PATH)
        {
            continue;
        }
        let text = host.root().read_text_if_present(sim_host::smb_conf::PATH);
        let text = text.ok().flatten().unwrap_or_default();
        let wrapping = if record.ldaps() { "ldaps" } else { "seal" };
        for line in [
            format!("client ldap sasl wrapping = {wrapping}"),
            format!("realm = {}", record.external_auth_service_name),
        ] {
            if !text.lines().any(|found| found == line) {
                let what = format!("{} lacks the line `{line}`", host.name());
                broken.push(Breach::new(host.name(), what));
            }
        }
    }
    broken
}

fn stores_agree(view: &StepView<'_>) -> Vec<Breach> {
    let mut broken = Vec::new();
    let certificates = view.world.pool.certificates();
    for host in view.world.pool.hosts() {
        if was_edited(view, host.name(), "/etc/trusted-certs") {
            continue;
        }
        let mut breach = |what: String| broken.push(Breach::new(host.name(), what));
        for (kind, purpose) in STORES {
            let mut expected: Vec<String> = certificates
                .iter()
                .filter(|certificate| certificate.is_trusted() && certificate.kind.name() == kind)
                .filter(|certificate| match purpose {
                    "general" => certificate.purpose.is_empty(),
                    _ => certificate.purpose.iter().any(|p| p.name() == purpose),
                })
                .map(sim_host::Certificate::file_name)
                .collect();
            expected.sort();
            let folder = format!("/etc/trusted-certs/{kind}-{purpose}");
            let mut found = host.root().list(&folder).unwrap_or_default();
            found.retain(|name| name.ends_with(".pem"));
            if expected != found {
                let name = host.name();
                breach(format!("{name}:{folder} holds {found:?}, the database says {expected:?}"));
            }
            let bundle = format!("/etc/trusted-certs/{kind}-bundle-{purpose}.pem");
            let exists = host.root().exists(&bundle).unwrap_or(false);
            if exists == found.is_empty() {
                let is = if exists { "exists" } else { "is absent" };
                breach(format!("{}:{bundle} {is}, with {} files", host.name(), found.len()));
            }
        }
    }
    broken
}

/// Kind and purpose of the trusted directories (xapi-flows.md §2.1).
const STORES: [(&str, &str); 6] = [
    ("ca", "general"),
    ("ca", "ldaps"),
    ("ca", "licensing"),
    ("pinned", "general"),
    ("pinned", "ldaps"),
    ("pinned", "licensing"),
];

/// Whether somebody changed `path` or something below it by hand.
fn was_edited(view: &StepView<'_>, host: &str, path: &str) -> bool {
    let edited = view.world.edited.get(host);
    edited.is_some_and(|edited| edited.iter().any(|edit| edit.starts_with(path)))
}
