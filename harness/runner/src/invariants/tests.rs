//! Each invariant sees the world broken. Here it is done behind its back: as a scenario would do it,
//! by `file.write`, the change is known and nothing is judged.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use ground::{Seed, Trail};
use scenario::Source;
use serde_json::{Value, json};

use super::{INVARIANTS, Memories, judge};
use crate::{Case, CaseName, Place, SambaClient, expect::StepView, load, steps, world::World};

/// Two hosts with AD over LDAPS, one certificate each for LDAPS and for general use, and a last
/// step that does nothing to hosts.
const SCENARIO: &str = r#"
version = 1
id = "broken-by-hand"
title = "A sound pool"
profiles = ["landed"]

[world]
xapi_conf = "winbind_keep_configuration = false"

[[world.domain]]
name = "corp.example"
dc = [{ name = "dc1" }]

[[world.host]]
name = "host1"

[[world.host]]
name = "host2"

[[step]]
pool.install_trusted_certificate = { ca = true, cert = { root = "corp.example" }, purpose = ["ldaps"] }

[[step]]
pool.install_trusted_certificate = { ca = true, cert = { root = "corp.example" } }

[[step]]
pool.enable_external_auth = { service_name = "corp.example", auth_type = "AD", config = { user = "Administrator", pass = "Passw0rd!Lab1", ldaps = "true" } }

[[step]]
clock.advance = "1s"
"#;

const LDAPS_DIRECTORY: &str = "/etc/trusted-certs/ca-ldaps";
const DATABASE: &str = "/var/lib/xcp/state.json";

/// A world after all but the last step, and what is remembered of it.
struct Tested {
    case: Case,
    world: World,
    memory: Memories,
}

impl Tested {
    async fn sound() -> Self {
        let scenario = scenario::parse("broken-by-hand", SCENARIO, &load::vocabulary()).unwrap();
        let name =
            CaseName { scenario: scenario.id.to_string(), profile: scenario::Profile::Landed };
        let case = Case {
            name,
            path: Path::new("broken-by-hand.toml").to_owned(),
            scenario: Arc::new(scenario),
            source: Source::new("broken-by-hand", SCENARIO),
        };
        let world = World::build(&case, Seed::new(1), SambaClient::Model).await.unwrap();
        let mut tested = Self { case, world, memory: Memories::default() };
        for step in 0..tested.case.scenario.steps.len() - 1 {
            assert_eq!(tested.breaches(step).await, [""; 0], "step {step}");
        }
        tested
    }

    /// Names and texts of what is broken after a step.
    async fn breaches(&mut self, number: usize) -> Vec<String> {
        let step = &self.case.scenario.steps[number];
        let place = Place { step: number + 1, title: step.title() };
        let done = steps::apply(&mut self.world, &place, step).await.unwrap();
        if let Err(error) = &done.result {
            panic!("step {number}: {error}");
        }
        let view = StepView { case: &self.case, step, world: &self.world, done: &done };
        let judged = judge(&view, &mut self.memory, &BTreeSet::new());
        judged.breaches.into_iter().map(|(name, what)| format!("{name}: {what}")).collect()
    }

    /// What is broken after the last step, while which nothing happens.
    async fn found(mut self) -> Vec<String> {
        let last = self.case.scenario.steps.len() - 1;
        let found = self.breaches(last).await;
        self.world.stop().await;
        found
    }

    fn write(&self, host: &str, path: &str, text: &str) {
        self.world.host(host).unwrap().root().write(path, text.as_bytes(), 0o644).unwrap();
    }

    /// The name of the only file of a directory.
    fn file(&self, host: &str, directory: &str) -> String {
        let names = self.world.host(host).unwrap().root().list(directory).unwrap();
        format!("{directory}/{}", names[0])
    }

    /// Changes the database behind xapi's back, and lets xapi read it.
    async fn change_database(&self, change: impl FnOnce(&mut Value)) {
        let root = self.world.host("host1").unwrap().root().clone();
        let mut file: Value = serde_json::from_slice(&root.read(DATABASE).unwrap()).unwrap();
        change(&mut file["data"]);
        self.write("host1", DATABASE, &file.to_string());
        let trail: Trail = self.world.trail.clone();
        self.world.pool().unwrap().restart("host1", &trail).await.unwrap();
    }
}

fn assert_found(found: &[String], invariant: &str, what: &str) {
    assert!(INVARIANTS.iter().any(|known| known.name == invariant), "no invariant {invariant}");
    let wanted = |text: &String| text.starts_with(invariant) && text.contains(what);
    assert!(found.iter().any(wanted), "{invariant}, {what}: {found:#?}");
}

#[tokio::test]
async fn a_sound_world_breaks_nothing() {
    assert_eq!(Tested::sound().await.found().await, [""; 0]);
}

#[tokio::test]
async fn a_certificate_that_no_record_names() {
    let tested = Tested::sound().await;
    tested.write("host1", &format!("{LDAPS_DIRECTORY}/stray.pem"), "stray");
    let found = tested.found().await;
    assert_found(&found, "trust stores agree with the records", "stray.pem");
    assert_found(&found, "bundles agree with the files", "ca-bundle-ldaps.pem is not made of");
    assert_found(&found, "members have the stores of the coordinator", "host2");
}

#[tokio::test]
async fn a_certificate_that_is_gone() {
    let tested = Tested::sound().await;
    let path = tested.file("host1", LDAPS_DIRECTORY);
    tested.world.host("host1").unwrap().root().remove(&path).unwrap();
    assert_found(&tested.found().await, "trust stores agree with the records", "holds []");
}

#[tokio::test]
async fn a_bundle_that_is_gone() {
    let tested = Tested::sound().await;
    let bundle = "/etc/trusted-certs/ca-bundle-general.pem";
    tested.world.host("host2").unwrap().root().remove(bundle).unwrap();
    let found = tested.found().await;
    assert_found(&found, "bundles agree with the files", "does not exist beside");
}

#[tokio::test]
async fn a_certificate_that_is_another_on_a_member() {
    let tested = Tested::sound().await;
    let path = tested.file("host2", LDAPS_DIRECTORY);
    tested.write("host2", &path, "another");
    let found = tested.found().await;
    assert_found(&found, "members have the stores of the coordinator", LDAPS_DIRECTORY);
}

#[tokio::test]
async fn a_line_of_smb_conf_that_is_another() {
    for line in ["netbios name = ", "tls cafile = ", "log level = "] {
        let tested = Tested::sound().await;
        let path = sim_host::smb_conf::PATH;
        let root = tested.world.host("host2").unwrap().root().clone();
        let text = root.read_text_if_present(path).unwrap().unwrap();
        tested.write("host2", path, &text.replace(line, &format!("{line}X")));
        assert_found(&tested.found().await, "smb.conf agrees with the database", line);
    }
}

#[tokio::test]
async fn fields_of_a_host_that_contradict_each_other() {
    let tested = Tested::sound().await;
    tested
        .change_database(|data| {
            data["hosts"][1]["external_auth_type"] = json!("");
            let first = &mut data["hosts"][0]["external_auth_configuration"];
            first["ldaps"] = json!("perhaps");
        })
        .await;
    let found = tested.found().await;
    let name = "the fields of external authentication go together";
    assert_found(&found, name, "host2 has no AD and the service name `corp.example`");
    assert_found(&found, name, "says of ldaps: Some(\"perhaps\")");
}

#[tokio::test]
async fn references_that_lead_nowhere() {
    let tested = Tested::sound().await;
    tested
        .change_database(|data| {
            data["pool"]["master"] = json!("OpaqueRef:nowhere");
            data["certificates"][0]["host"] = json!("OpaqueRef:nowhere");
            data["certificates"][1]["uuid"] = data["certificates"][0]["uuid"].clone();
        })
        .await;
    let found = tested.found().await;
    let found = found.join("\n");
    for what in ["the pool's coordinator is no host", "names a wrong host", "shares its uuid"] {
        // One breach of the pool stands for all until it heals.
        let name = "references lead to records: ";
        assert!(found.contains(name) && found.contains(what), "{what}: {found}");
    }
}

#[tokio::test]
async fn a_database_that_was_not_written() {
    let tested = Tested::sound().await;
    let root = tested.world.host("host1").unwrap().root().clone();
    let text = root.read_text_if_present(DATABASE).unwrap().unwrap();
    tested.write("host1", DATABASE, &text.replace("\"AD\"", "\"PAM\""));
    let name = "the database is on disk as it is in memory";
    assert_found(&tested.found().await, name, "differ in [\"hosts\"]");
}

#[tokio::test]
async fn a_machine_account_that_does_not_exist() {
    let tested = Tested::sound().await;
    tested
        .change_database(|data| {
            data["hosts"][1]["external_auth_configuration"]["netbios_name"] = json!("NOBODY");
        })
        .await;
    let name = "a host with AD has its machine account";
    assert_found(&tested.found().await, name, "has no account NOBODY$");
}

#[tokio::test]
async fn a_backup_that_stayed() {
    for path in
        ["/etc/trusted-certs/ca-ldaps.bk/x.pem", "/etc/trusted-certs/ca-bundle-ldaps.pem.tmp"]
    {
        let tested = Tested::sound().await;
        tested.write("host2", path, "x");
        assert_found(&tested.found().await, "nothing half done is left behind", "host2:/etc");
    }
}

#[tokio::test]
async fn a_host_that_belongs_elsewhere() {
    let tested = Tested::sound().await;
    tested.write("host2", "/etc/xensource/pool.conf", "master");
    assert_found(&tested.found().await, "a host knows its pool", "host2:/etc/xensource/pool.conf");
}

#[tokio::test]
async fn two_alerts_about_one_certificate() {
    let tested = Tested::sound().await;
    tested
        .change_database(|data| {
            let alert = |name: &str, id: &str| {
                json!({
                    "reference": format!("OpaqueRef:{id}"), "uuid": id, "name": name,
                    "priority": 3, "cls": "Certificate", "body": "",
                    "obj_uuid": data["certificates"][0]["uuid"],
                    "timestamp": "2026-08-21T02:00:23Z",
                })
            };
            data["messages"] = json!([
                alert("POOL_CA_CERTIFICATE_EXPIRING_30", "00000000-0000-4000-8000-00000000000a"),
                alert("POOL_CA_CERTIFICATE_EXPIRED", "00000000-0000-4000-8000-00000000000b"),
            ]);
        })
        .await;
    let name = "one alert tells of the end of a certificate";
    assert_found(&tested.found().await, name, "2 messages POOL_CA_CERTIFICATE_…");
}

/// Steps in the world of [`SCENARIO`].
fn steps_of(text: &str) -> scenario::Scenario {
    let head = SCENARIO.split("[[step]]").next().unwrap();
    let text = format!("{head}{text}");
    scenario::parse("broken-by-hand", &text, &load::vocabulary()).unwrap()
}

/// What is broken if the first of these steps has just ended so.
fn found_after(
    tested: &mut Tested,
    steps: &scenario::Scenario,
    result: Result<sim_host::CallResult, sim_host::ApiError>,
) -> Vec<String> {
    let done = steps::Done { result, output: None, refusal: None, events: Vec::new() };
    let step = &steps.steps[0];
    let view = StepView { case: &tested.case, step, world: &tested.world, done: &done };
    let judged = judge(&view, &mut tested.memory, &BTreeSet::new());
    judged.breaches.into_iter().map(|(name, what)| format!("{name}: {what}")).collect()
}

#[tokio::test]
async fn a_certificate_that_a_failed_join_left() {
    let mut tested = Tested::sound().await;
    let join = "[[step]]\non = \"host1\"\npool.join = { master_address = \"host2\" }";
    let join = steps_of(join);
    tested.memory.prepare(&tested.world, &join.steps[0]);
    tested.write("host1", "/etc/stunnel/crls/stray.pem", "stray");
    let error = sim_host::ApiError::bare("CRL_ALREADY_EXISTS");
    let found = found_after(&mut tested, &join, Err(error));
    assert_found(&found, "a failed join leaves no certificates behind", "/etc/stunnel/crls");
}

#[tokio::test]
async fn a_record_and_a_file_that_a_failed_join_left() {
    let mut tested = Tested::sound().await;
    let join = "[[step]]\non = \"host1\"\npool.join = { master_address = \"host2\" }";
    let join = steps_of(join);
    tested.memory.prepare(&tested.world, &join.steps[0]);
    tested.change_database(|data| data["hosts"][0]["edition"] = json!("another")).await;
    tested.write("host1", "/etc/xensource/ptoken", "another");
    let error = sim_host::ApiError::bare("CRL_ALREADY_EXISTS");
    let found = found_after(&mut tested, &join, Err(error));
    let name = "a failed join leaves nothing behind";
    assert_found(&found, name, "other hosts in its database");
    assert_found(&found, name, "/etc/xensource/ptoken");
}

#[tokio::test]
async fn a_session_that_outlives_its_domain() {
    let mut tested = Tested::sound().await;
    let login = steps_of(
        r#"
        [[step]]
        subject.create = { account = "Administrator" }
        [[step]]
        subject.add_to_roles = { account = "Administrator", role = "pool-admin" }
        [[step]]
        session.login_with_password = { uname = "Administrator", pwd = "Passw0rd!Lab1" }
        "#,
    );
    for step in &login.steps {
        let place = Place { step: 1, title: step.title() };
        let done = steps::apply(&mut tested.world, &place, step).await.unwrap();
        assert!(done.result.is_ok(), "{:?}", done.result);
    }
    let disable = steps_of("[[step]]\npool.disable_external_auth = { config = {} }");
    let found = found_after(&mut tested, &disable, Ok(sim_host::CallResult::Void));
    assert_found(&found, "sessions of AD end with it", "administrator outlives");
}

#[tokio::test]
async fn a_secret_in_an_event() {
    let mut tested = Tested::sound().await;
    // What the last step tells of itself is taken for a secret.
    tested.world.secrets.push("clock.advance".to_owned());
    let what = "a fact of the kind scenario.step";
    assert_found(&tested.found().await, "no secret is told", what);
}

#[tokio::test]
async fn hosts_that_disagree_after_a_call_of_the_pool() {
    let mut tested = Tested::sound().await;
    let call = tested.case.scenario.steps[2].clone();
    tested
        .change_database(|data| {
            data["hosts"][1]["external_auth_configuration"]["ldaps"] = json!("false");
        })
        .await;
    // As if the call had just ended with success.
    let done = steps::Done {
        result: Ok(sim_host::CallResult::Void),
        output: None,
        refusal: None,
        events: Vec::new(),
    };
    let view = StepView { case: &tested.case, step: &call, world: &tested.world, done: &done };
    let judged = judge(&view, &mut tested.memory, &BTreeSet::new());
    let found: Vec<String> =
        judged.breaches.into_iter().map(|(name, what)| format!("{name}: {what}")).collect();
    let name = "hosts agree after a successful call of the pool";
    assert_found(&found, name, "host2 has type `AD`, ldaps false, service `corp.example`");
}
