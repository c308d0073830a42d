//! What must be true after every step of every scenario, whether or not its author thought of it.
//!
//! A step that edits a file by hand may break an invariant about that file; the invariant is then
//! not judged for that host until xapi has rewritten the file.

use crate::{Failure, expect::StepView};

/// An invariant: its name, and what breaks it.
type Invariant = (&'static str, fn(&StepView<'_>) -> Vec<String>);

const INVARIANTS: &[Invariant] = &[
    ("no secret in the ledger", no_secret_in_the_ledger),
    ("hosts agree after a successful call of the pool", hosts_agree),
    ("smb.conf agrees with the database", smb_conf_agrees),
    ("trust stores agree with the records", stores_agree),
];

/// The invariants that do not hold after the step.
pub(crate) fn check(view: &StepView<'_>) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (name, check) in INVARIANTS {
        failures.extend(check(view).into_iter().map(|what| Failure {
            place: None,
            what: format!("the invariant `{name}` is broken: {what}"),
            picture: None,
            diff: None,
            unaccepted: false,
            events: Vec::new(),
        }));
    }
    failures
}

fn no_secret_in_the_ledger(view: &StepView<'_>) -> Vec<String> {
    let leaks = |event: &&ground::Event| {
        let text = serde_json::Value::Object(event.fields()).to_string();
        view.world.secrets.iter().any(|secret| text.contains(secret.as_str()))
    };
    view.done
        .events
        .iter()
        .filter(leaks)
        .map(|event| format!("a fact of the kind {} holds a password", event.kind()))
        .collect()
}

fn hosts_agree(view: &StepView<'_>) -> Vec<String> {
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
        .map(|(host, state)| format!("{first} has {expected}; {host} has {state}"))
        .collect()
}

fn smb_conf_agrees(view: &StepView<'_>) -> Vec<String> {
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
                broken.push(format!("{} lacks the line `{line}`", host.name()));
            }
        }
    }
    broken
}

fn stores_agree(view: &StepView<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let certificates = view.world.pool.certificates();
    for host in view.world.pool.hosts() {
        if was_edited(view, host.name(), "/etc/trusted-certs") {
            continue;
        }
        for kind in ["ca", "pinned"] {
            for purpose in ["general", "licensing", "ldaps"] {
                let mut expected: Vec<String> = certificates
                    .iter()
                    .filter(|certificate| certificate.is_trusted())
                    .filter(|certificate| certificate.kind.name() == kind)
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
                    broken.push(format!(
                        "{}:{folder} holds {found:?}, the database says {expected:?}",
                        host.name()
                    ));
                }
                let bundle = format!("/etc/trusted-certs/{kind}-bundle-{purpose}.pem");
                let exists = host.root().exists(&bundle).unwrap_or(false);
                if exists == found.is_empty() {
                    let (is, should) =
                        if exists { ("exists", "be absent") } else { ("is absent", "exist") };
                    broken.push(format!("{}:{bundle} {is} and should {should}", host.name()));
                }
            }
        }
    }
    broken
}

/// Whether somebody changed `path` or something below it by hand.
fn was_edited(view: &StepView<'_>, host: &str, path: &str) -> bool {
    let edited = view.world.edited.get(host);
    edited.is_some_and(|edited| edited.iter().any(|edit| edit.starts_with(path)))
}
