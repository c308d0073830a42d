//! `trustrig client join` against the services of two simulated pools, over TLS.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::{
    fs,
    net::Ipv4Addr,
    process::{Command, Output},
    sync::Arc,
};

use fake_dc::Domain;
use ground::{Actor, Ledger, Secret, Seed, Skew, Timestamp, VirtualClock};
use serde_json::Value;
use sim_host::{
    AuthConfig, Call, HostConfig, Network, Pool, PoolConfig, Profile, Quirks, Rig, SharedNetwork,
};
use xenapi_wire::{Options, Server, serve};

const ROOT_PASSWORD: &str = "xenroot!7";
const JOIN_PASSWORD: &str = "Passw0rd!Lab1";
const DOMAIN: &str = "corp.example";

/// A pool that reaches AD over LDAPS, and a host alone.
struct World {
    rig: Arc<Rig>,
    servers: Vec<Server>,
    directory: tempfile::TempDir,
    _domain: Domain,
}

impl World {
    async fn new(profile: Profile) -> Self {
        let time = VirtualClock::starting_at(Timestamp::from_unix(1_767_508_709));
        let ledger = Ledger::new(time.clock());
        let domain = Domain::builder(DOMAIN)
            .seed(Seed::new(1))
            .clock(time.clock())
            .ledger(ledger.clone())
            .start()
            .await
            .unwrap();
        let mut network = Network::default();
        for dc in domain.dcs() {
            network.nameservers.push(dc.dns());
            network.translations.insert((dc.ip(), 88).into(), dc.kdc());
            network.translations.insert((dc.ip(), 389).into(), dc.ldap());
            network.translations.insert((dc.ip(), 636).into(), dc.ldaps());
        }
        let directory = tempfile::tempdir().unwrap();
        let trail = ledger.trail(Actor::Runner);
        let rig = Rig::new();
        let mut servers = Vec::new();
        for (number, name) in [(1, "host1"), (9, "host9")] {
            let host = HostConfig {
                name: name.into(),
                hostname: None,
                address: Ipv4Addr::new(192, 0, 2, number).into(),
                root: directory.path().join(name),
                network: SharedNetwork::new(network.clone()),
                clock: time.clock(),
                skew: Skew::default(),
                xapi_conf: None,
                programs: None,
            };
            let config = PoolConfig {
                name: format!("pool of {name}"),
                profile,
                quirks: Quirks::of(profile),
                seed: Seed::new(number.into()),
                root_password: Secret::new(ROOT_PASSWORD),
                hosts: vec![host],
                trail: trail.clone(),
            };
            let pool = rig.create_pool(config).unwrap();
            let server = serve(Arc::clone(&pool), Options::new(trail.clone())).await.unwrap();
            fs::write(directory.path().join(format!("{name}.pem")), shown(&pool)).unwrap();
            servers.push(server);
        }
        let coordinator = (Ipv4Addr::new(192, 0, 2, 1), 443).into();
        network.translations.insert(coordinator, servers[0].address());
        rig.host("host9").unwrap().set_network(network);
        let pool = rig.pool_of("host1").unwrap();
        let config = [("user", "Administrator"), ("pass", JOIN_PASSWORD), ("ldaps", "true")];
        let config = config.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let config = AuthConfig(config.into());
        for call in [
            Call::PoolInstallTrustedCertificate {
                pool: None,
                ca: true,
                certificate: domain.ca_pem().to_owned(),
                purpose: vec!["ldaps".to_owned()],
            },
            Call::PoolEnableExternalAuth {
                pool: None,
                config,
                service_name: DOMAIN.to_owned(),
                auth_type: "AD".to_owned(),
            },
        ] {
            pool.call(call, &trail).await.unwrap();
        }
        for (name, text) in [("root", ROOT_PASSWORD), ("domain", JOIN_PASSWORD), ("wrong", "x")] {
            fs::write(directory.path().join(name), format!("{text}\n")).unwrap();
        }
        Self { rig, servers, directory, _domain: domain }
    }

    async fn join(&self, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trustrig"));
        command.current_dir(self.directory.path()).args(["client", "join"]);
        for (option, at) in [("--pool", 0), ("--joiner", 1)] {
            command.args([option, &self.servers[at].address().to_string()]);
        }
        command.args(["--coordinator", "192.0.2.1"]);
        command.args(["--pool-password", "root", "--joiner-password", "root"]);
        command.args(["--domain-user", "Administrator"]).args(more);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Whether host9 is in the pool of host1.
    fn has_joined(&self) -> bool {
        self.rig.pool_of("host1").unwrap().host("host9").is_some()
    }
}

fn shown(pool: &Pool) -> String {
    let pem = pool.hosts()[0].certificate_and_key(None).unwrap();
    let pem = String::from_utf8(pem).unwrap();
    pem[pem.find("-----BEGIN CERTIFICATE-----").unwrap()..].to_owned()
}

fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).into_owned();
    for secret in [ROOT_PASSWORD, JOIN_PASSWORD] {
        assert!(!text.contains(secret), "{text}");
    }
    text
}

const CERTIFICATES: [&str; 4] =
    ["--joiner-certificate", "host9.pem", "--pool-certificate", "host1.pem"];

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_joined_call_by_call() {
    for (profile, copy, calls) in [
        (
            Profile::DesignV1,
            "download-list",
            ["download_trusted_certificates", "install_trusted_certificate"],
        ),
        (Profile::Landed, "sync", ["get_server_certificate", "sync_trusted_certificates_from"]),
    ] {
        let world = World::new(profile).await;
        let options = ["--domain-password", "domain", "--copy", copy];
        let output = world.join(&[&options[..], &CERTIFICATES].concat()).await;
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}{}", text(&output.stderr));
        let order = [
            "joiner  pool.join(master_address: 192.0.2.1, master_username: root, master_password: ***)",
            "! POOL_JOINING_EXTERNAL_AUTH_MISMATCH",
            calls[0],
            calls[1],
            "config: {user: Administrator, pass: ***, ldaps: true}",
            "joiner  pool.join(",
            "the host has joined",
        ];
        let mut rest = said.as_str();
        for part in order {
            let at = rest.find(part);
            assert!(at.is_some(), "{part} in {rest}");
            rest = &rest[at.unwrap() + part.len()..];
        }
        assert!(world.has_joined());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_is_taken_back_and_told() {
    let world = World::new(Profile::DesignV1).await;
    let options = ["--domain-password", "wrong", "--copy", "download-list", "--json"];
    let output = world.join(&[&options[..], &CERTIFICATES].concat()).await;
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let told: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert_eq!(told["joined"], false);
    assert_eq!(told["left"], Value::Array(Vec::new()));
    let steps = told["steps"].as_array().unwrap();
    let failed = steps.iter().find(|step| step["method"] == "pool.enable_external_auth").unwrap();
    assert_eq!(failed["error"][0], "POOL_AUTH_ENABLE_FAILED");
    let undone = steps.iter().filter(|step| step["method"] == "pool.uninstall_trusted_certificate");
    assert_eq!(undone.map(|step| &step["at"]).collect::<Vec<_>>(), ["joiner"]);
    assert!(!world.has_joined());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_another_certificate_is_not_talked_to() {
    let world = World::new(Profile::Landed).await;
    let swapped = ["--joiner-certificate", "host1.pem", "--pool-certificate", "host9.pem"];
    let output = world.join(&[&["--domain-password", "domain"][..], &swapped].concat()).await;
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("the server shows another certificate than the expected one"), "{said}");
    let output = world.join(&["--domain-password", "domain"]).await;
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.contains("--joiner-certificate") && said.contains("--any-certificate"), "{said}");
    let output = world.join(&["--domain-password", "nowhere", "--any-certificate"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(!world.has_joined());
}
