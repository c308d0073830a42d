//! What the runner holds against a scenario, seen through the library's public face.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

use runner::{Outcome, RunOptions, Suite, SuiteReport};

const JOINED: &str = r#"
[[step]]
pool.install_trusted_certificate = { ca = true, cert = { root = "corp.example" }, purpose = ["ldaps"] }

[[step]]
pool.enable_external_auth = { service_name = "corp.example", auth_type = "AD", config = { user = "Administrator", pass = "Passw0rd!Lab1", ldaps = "true" } }
"#;

async fn run(steps: &str) -> SuiteReport {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tested.toml");
    let head = r#"
version = 1
id = "tested"
title = "A scenario of the tests"
profiles = ["landed"]

[[world.domain]]
name = "corp.example"
dc = [{ name = "dc1" }]

[[world.host]]
name = "host1"
"#;
    std::fs::write(&path, format!("{head}{steps}")).unwrap();
    let suite = Suite::load(&[path]).unwrap();
    runner::run(&suite, &RunOptions::default(), &mut |_| {}).await
}

/// What did not hold, one line each.
async fn failures(steps: &str) -> Vec<String> {
    let report = run(steps).await;
    match &report.cases[0].outcome {
        Outcome::Passed => Vec::new(),
        Outcome::Failed(failures) => failures.iter().map(|f| f.what.clone()).collect(),
        Outcome::Broken(cause) | Outcome::Skipped(cause) | Outcome::WrongInput(cause) => {
            panic!("not run: {cause}")
        }
    }
}

#[tokio::test]
async fn a_sound_world_passes_and_records_who_answered() {
    let report = run(JOINED).await;
    assert!(report.held(), "{:?}", report.cases[0].outcome);
    let kinds: Vec<&str> = report.cases[0].events.iter().map(ground::Event::kind).collect();
    for kind in ["scenario.step", "xapi.call", "smb-conf.written", "tls.verdict", "ldap.searched"] {
        assert!(kinds.contains(&kind), "{kind} is missing");
    }
}

#[tokio::test]
async fn a_misspelt_field_cannot_make_never_hold() {
    let steps = format!(
        "{JOINED}expect.never = [{{ kind = \"ldap.request\", fields = {{ operatoin = \"add\" }} }}]"
    );
    assert_eq!(
        failures(&steps).await,
        ["no fact of the kind ldap.request has a field `operatoin`"]
    );
}

#[tokio::test]
async fn what_must_never_happen_is_shown_when_it_does() {
    let steps = format!(
        "{JOINED}expect.never = [{{ kind = \"ldap.request\", dc = \"dc1\", fields = {{ operation = \"add\" }} }}]"
    );
    let failures = failures(&steps).await;
    assert_eq!(failures.len(), 1);
    assert!(failures[0].starts_with("expected never to see this: "), "{failures:?}");
    assert!(failures[0].contains("dc:dc1 ldap.request operation=add"), "{failures:?}");
}

#[tokio::test]
async fn an_invariant_is_judged_though_no_step_asks() {
    let steps = format!(
        r#"{JOINED}
[[step]]
dc.set_faults = {{ dc = "dc1", faults = ["discovery.srv-empty"] }}

[[step]]
pool.external_auth_set_ldaps = {{ ldaps = false }}
expect.error = {{ code = "AUTH_SET_LDAPS_FAILED" }}
"#
    );
    assert_eq!(
        failures(&steps).await,
        ["the invariant `smb.conf agrees with the database` is broken: host1 lacks the line \
             `client ldap sasl wrapping = ldaps`"]
    );
}

#[tokio::test]
async fn an_excuse_that_excuses_nothing_fails() {
    let steps = format!("{JOINED}excused_by = [\"set_ldaps_no_restore_on_hard_failure\"]\n");
    assert_eq!(
        failures(&steps).await,
        ["the quirk `set_ldaps_no_restore_on_hard_failure` is named as an excuse, and broke \
             nothing"]
    );
}

#[tokio::test]
async fn a_step_that_cannot_be_applied_is_wrong_input() {
    let steps = r#"
[[step]]
file.edit = { host = "host1", path = "/etc/hosts", find = "no such text", with = "" }
"#;
    let report = run(steps).await;
    assert!(report.wrong_input());
    let Outcome::WrongInput(cause) = &report.cases[0].outcome else { panic!("must be refused") };
    assert!(cause.contains("`no such text` does not occur in host1:/etc/hosts"), "{cause}");
}

/// Hosts of one pool do not call each other over the wire.
#[tokio::test]
async fn a_proxy_that_nobody_would_meet_is_wrong_input() {
    let report = run("\n[[step]]\npki.insert_proxy = { host = \"host1\", ca = \"ca2\" }\n").await;
    let Outcome::WrongInput(cause) = &report.cases[0].outcome else { panic!("must be refused") };
    assert!(cause.contains("nobody would meet a proxy before `host1`"), "{cause}");
}

#[tokio::test]
async fn a_joined_form_that_must_not_stay_is_an_invariant_broken() {
    let steps = r#"
[[step]]
file.write = { host = "host1", path = "/etc/xapi.conf", text = "winbind_keep_configuration = false" }

[[step]]
xapi.restart = { host = "host1" }

[[step]]
pool.install_trusted_certificate = { ca = true, cert = { other_root = "corp.example" }, purpose = ["ldaps"] }

[[step]]
pool.enable_external_auth = { service_name = "corp.example", auth_type = "AD", config = { user = "Administrator", pass = "Passw0rd!Lab1", ldaps = "true" } }
expect.error = { code = "POOL_AUTH_ENABLE_FAILED_INVALID_TRUSTED_CERTS" }
"#;
    let broken = "the invariant `smb.conf of a host without AD is kept only if it shall be` is \
                  broken: host1 has no AD and keeps the joined form of /etc/samba/smb.conf";
    assert_eq!(failures(steps).await, [broken]);
    let excused = format!("{steps}excused_by = [\"enable_probe_failure_keeps_conf\"]\n");
    assert_eq!(failures(&excused).await, [""; 0]);
}
