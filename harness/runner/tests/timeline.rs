//! The timeline of a whole case, as `trustrig run --timeline` prints it.

use runner::{RunOptions, Suite, report::Timeline};

const CASE: &str = r#"
version = 1
id = "timeline"
title = "One DC of two shows a certificate of another CA; a toggle is held while time passes"
profiles = ["landed"]

[[world.domain]]
name = "corp.example"
dc = [{ name = "dc1", faults = ["anchor.unknown-root"] }, { name = "dc2" }]

[[world.host]]
name = "host1"
[[world.host]]
name = "host2"

[[step]]
name = "install the root for ldaps"
pool.install_trusted_certificate = { ca = true, cert = { root = "corp.example" }, purpose = ["ldaps"] }

[[step]]
name = "enable AD"
pool.enable_external_auth = { service_name = "corp.example", auth_type = "AD", config = { user = "Administrator", pass = "Passw0rd!Lab1" } }

[[step]]
name = "winbind of host2 will not restart for now"
host.hold_program = { host = "host2", program = "systemctl restart winbind" }

[[step]]
name = "turn LDAPS on"
background = true
pool.external_auth_set_ldaps = { ldaps = true }

[[step]]
clock.advance = "90s"

[[step]]
name = "dc2 falls silent"
dc.set_faults = { dc = "dc2", faults = ["net.refuse"] }

[[step]]
name = "winbind restarts"
host.release_program = { host = "host2", program = "systemctl restart winbind" }
"#;

/// What is told of the first case, which must hold; the same if it is played again.
async fn told(suite: &Suite) -> String {
    let mut told = Vec::new();
    for _ in 0..2 {
        let report = runner::run(suite, &RunOptions::default(), &mut |_| {}).await;
        assert!(report.held(), "{:?}", report.cases[0].outcome);
        told.push(Timeline::of(&report.cases[0]).to_string());
    }
    assert_eq!(told[0], told[1], "one seed tells one story");
    told.swap_remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_told_step_by_step_and_cause_by_cause() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, CASE).unwrap();
    let suite = Suite::load(&[file]).unwrap();
    insta::assert_snapshot!(told(&suite).await);
}

/// A model beside xapi: who shows which key to whom, and what each makes of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_case_of_pinned_keys_is_told() {
    let scenarios = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    let file = format!("{scenarios}/pinned-second-layer-of-keys-passes-a-proxy/scenario.toml");
    let suite = Suite::load(&[file.into()]).unwrap();
    insta::assert_snapshot!(told(&suite).await);
}
