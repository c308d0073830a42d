//! The model against fake DCs: what it prints is what the real client printed for the same cause.

use fake_dc_directory::Flavour;
use ground::Secret;
use sim_host::{Credentials, SambaCommand, Wbinfo};

use crate::{
    support::{self, Host, Step, Transcript, assert_same, probe, transcript},
    world::{World, replay},
};

impl Transcript {
    /// The first step whose words begin so.
    fn step(&self, words: &[&str]) -> Step {
        let step = self
            .steps
            .iter()
            .find(|step| words.iter().all(|word| step.argv.iter().any(|found| found == word)));
        step.unwrap_or_else(|| panic!("no step with {words:?}")).clone()
    }
}

const AS_USER: &[&str] = &["net", "ads", "search"];
const AS_MACHINE: &[&str] = &["net", "ads", "search", "--machine-pass"];
const LOOKUP: &[&str] = &["net", "ads", "lookup"];
const KDC: &[&str] = &["net", "lookup", "kdc"];
const JOIN: &[&str] = &["net", "ads", "join"];
const LEAVE: &[&str] = &["net", "ads", "leave"];
const NAME_TO_SID: &[&str] = &["wbinfo", "-n", "krbtgt"];

async fn joined(world: &World) -> Host {
    let host = world.host();
    let output = host.run(transcript!("success").step(JOIN).command().unwrap()).await;
    assert!(output.succeeded(), "{output:?}");
    assert!(host.run(SambaCommand::RestartWinbind).await.succeeded());
    host
}

#[tokio::test]
async fn discovery_needs_no_trust() {
    let world = World::sound().await;
    let host = world.host();
    let transcript = transcript!("success");
    replay(&world, &host, &transcript.step(KDC)).await;
    replay(&world, &host, &transcript.step(LOOKUP)).await;
    replay(&world, &host, &transcript!("unknown-domain").step(KDC)).await;
}

#[tokio::test]
async fn a_sound_dc_is_probed_joined_and_left() {
    let world = World::sound().await;
    let host = world.host();
    let transcript = transcript!("success");
    replay(&world, &host, &transcript.step(AS_USER)).await;
    let join = transcript.step(JOIN);
    let output = host.run(join.command().unwrap()).await;
    assert_eq!((&*output.stdout, output.exit), (&*join.stdout, 0), "{}", output.stderr);
    let shape = |text: &str| -> Vec<String> {
        // Values that are the domain's own, and lines that are not part of the contract.
        let differs = |line: &&str| !line.starts_with("added") && !line.contains("account_rid");
        text.lines().filter(differs).map(str::to_owned).collect()
    };
    assert_eq!(shape(&output.stderr), shape(&join.stderr));
    replay(&world, &host, &transcript.step(AS_MACHINE)).await;
    assert!(host.run(SambaCommand::RestartWinbind).await.succeeded());
    replay(&world, &host, &transcript.step(NAME_TO_SID)).await;

    replay(&world, &host, &transcript.step(&["net", "ads", "sid", "S-1-5-21-1-2-3-999999"])).await;

    let transcript = transcript!("leave");
    replay(&world, &host, &transcript.step(LEAVE)).await;
    replay(&world, &host, &transcript.step(AS_MACHINE)).await;
}

#[tokio::test]
async fn rejected_certificates() {
    for (transcript, fault) in [
        (transcript!("ca-missing"), "anchor.unknown-root"),
        (transcript!("expired-leaf"), "time.leaf-expired"),
        (transcript!("wrong-name"), "name.other-host"),
    ] {
        let world = World::sound().await;
        let host = joined(&world).await;
        world.domain.set_faults("dc1", [fault]).unwrap();
        for step in [LOOKUP, AS_USER, AS_MACHINE, NAME_TO_SID] {
            replay(&world, &host, &transcript.step(step)).await;
        }
    }
}

#[tokio::test]
async fn handshakes_that_fail() {
    let world = World::sound().await;
    let host = joined(&world).await;
    for (fault, transcript) in [
        ("handshake.close-on-hello", transcript!("closing-server")),
        ("handshake.alert-on-hello", transcript!("alerting-server-tls13-only")),
    ] {
        world.domain.set_faults("dc1", [fault]).unwrap();
        for step in [AS_USER, AS_MACHINE] {
            replay(&world, &host, &transcript.step(step)).await;
        }
    }
}

#[tokio::test]
async fn sealed_ldap_does_not_look_at_certificates() {
    let world = World::with(&[&["time.leaf-expired"]]).await;
    let host = joined_sealed(&world).await;
    let transcript = transcript!("wrapping-seal");
    for step in [LOOKUP, AS_USER, AS_MACHINE, NAME_TO_SID] {
        replay(&world, &host, &transcript.step(step)).await;
    }
}

async fn joined_sealed(world: &World) -> Host {
    let host = world.host();
    host.set("client ldap sasl wrapping", "seal");
    let output = host.run(transcript!("success").step(JOIN).command().unwrap()).await;
    assert!(output.succeeded(), "{output:?}");
    assert!(host.run(SambaCommand::RestartWinbind).await.succeeded());
    host
}

#[tokio::test]
async fn refused_accounts() {
    let world = World::sound().await;
    let host = world.host();
    let transcript = transcript!("wrong-password");
    replay(&world, &host, &transcript.step(AS_USER)).await;
    let join = transcript.step(JOIN);
    let output = host.run(join.command().unwrap()).await;
    assert_eq!((&*output.stdout, output.exit), (&*join.stdout, 255), "{}", output.stderr);
}

#[tokio::test]
async fn a_machine_account_that_is_gone() {
    // Only Windows tells an unknown account from a wrong password in a simple bind.
    let world = World::of(Flavour::WindowsServer2022, &[&[]]).await;
    let host = joined(&world).await;
    world.delete("CN=XS1,CN=Computers,DC=lab,DC=example");
    replay(&world, &host, &transcript!("machine-account-deleted").step(AS_MACHINE)).await;
    // It is made again by joining again.
    let join = transcript!("success").step(JOIN);
    assert!(host.run(join.command().unwrap()).await.succeeded());
    replay(&world, &host, &transcript!("success").step(AS_MACHINE)).await;
}

/// The five modes over the faults that tell them apart: accepted or not.
#[tokio::test]
async fn five_modes() {
    const MODES: [&str; 5] =
        ["no_check", "ca_only", "ca_and_name_if_available", "ca_and_name", "as_strict_as_possible"];
    let world = World::sound().await;
    let host = world.host();
    for (fault, accepted) in [
        (None, [true, true, true, true, false]),
        (Some("name.other-host"), [true, true, false, false, false]),
        (Some("time.leaf-expired"), [true, false, false, false, false]),
        (Some("anchor.unknown-root"), [true, false, false, false, false]),
    ] {
        world.domain.set_faults("dc1", fault).unwrap();
        for (mode, accepted) in MODES.into_iter().zip(accepted) {
            host.set("tls verify peer", mode);
            let output = host.run(probe()).await;
            assert_eq!(output.succeeded(), accepted, "{fault:?} {mode}: {}", output.stderr);
        }
    }
}

#[tokio::test]
async fn the_bundle_that_smb_conf_names_decides() {
    let world = World::sound().await;
    let host = world.host();
    assert!(host.run(probe()).await.succeeded());
    host.set("tls cafile", "/etc/trusted-certs/other.pem");
    let output = host.run(probe()).await;
    assert!(output.stderr.contains("requires 'tls trust system cas'"), "{}", output.stderr);
    let system = "/etc/pki/tls/certs/ca-bundle.crt";
    host.root.write(system, world.domain.ca_pem().as_bytes(), 0o644).unwrap();
    assert!(host.run(probe()).await.succeeded());
    host.set("tls trust system cas", "no");
    assert!(!host.run(probe()).await.succeeded());
    host.set("tls ca directories", "/etc/trusted-certs/missing, /etc/trusted-certs");
    assert!(host.run(probe()).await.succeeded());
}

#[tokio::test]
async fn a_join_is_over_when_the_first_dc_is_not_trusted() {
    let world = World::with(&[&["time.leaf-expired"], &[]]).await;
    let host = world.host();
    let join = SambaCommand::AdsJoin {
        domain: "lab.example".into(),
        user: "Administrator".into(),
        password: Secret::new("Passw0rd!Lab1"),
        netbios_name: "XS1".into(),
        server: None,
        ou: None,
        dns_hostname: None,
    };
    let output = host.run(join.clone()).await;
    let text = "Windows cannot verify the digital signature for this file. The signing certificate \
                for this file has been revoked.";
    assert_eq!(output.stdout, format!("Failed to join domain: failed to connect to AD: {text}\n"));
    assert!(
        output
            .stderr
            .contains(&format!("error_string             : 'failed to connect to AD: {text}'"))
    );
    assert_eq!(output.exit, 255);
    let dc2 = world.domain.dc("dc2").unwrap().ip().to_string();
    assert!(!host.facts().iter().any(|fact| fact.starts_with("tcp.") && fact.contains(&dc2)));
    assert_eq!(host.root.list("/var/lib/samba/private").unwrap(), [""; 0]);

    // A DC that does not answer the ping is passed over.
    world.domain.set_faults("dc1", ["discovery.cldap-silent"]).unwrap();
    let output = host.run(join).await;
    assert!(output.succeeded(), "{output:?}");
}

#[tokio::test]
async fn what_is_recorded_depends_on_the_seed_alone() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let world = World::with(&[&[], &["time.leaf-expired"]]).await;
        let host = joined(&world).await;
        host.run(transcript!("success").step(AS_MACHINE).command().unwrap()).await;
        let second = world.domain.dc("dc2").unwrap().ip();
        host.run(support::probe_at(second.into())).await;
        world.domain.stop().await;
        let lines: Vec<_> = world
            .ledger
            .causal_order()
            .iter()
            .map(|event| format!("{} {} {:?}", event.actor, event.kind(), event.fields()))
            .collect();
        runs.push(lines);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].iter().any(|line| line.contains("tls.verdict") && line.contains("0x402")));
}

#[tokio::test]
async fn a_host_without_secrets_has_no_winbind() {
    let world = World::sound().await;
    let host = world.host();
    assert_eq!(host.run(SambaCommand::RestartWinbind).await.exit, 1);
    let name = || SambaCommand::Wbinfo(Wbinfo::NameToSid { name: "KRBTGT".into() });
    assert!(host.run(name()).await.stderr.contains("WBC_ERR_WINBIND_NOT_AVAILABLE"));
    let host = joined(&world).await;
    assert!(host.run(name()).await.succeeded());
    assert!(host.run(SambaCommand::WipeSecrets).await.succeeded());
    assert!(host.run(name()).await.stderr.contains("WBC_ERR_DOMAIN_NOT_FOUND"));
    assert!(host.run(SambaCommand::StopWinbind).await.succeeded());
    let machine = SambaCommand::AdsSearch {
        server: support::DC.into(),
        credentials: Credentials::Machine,
        filter: "(name=krbtgt)".into(),
        attributes: vec![],
    };
    assert_same(&host.run(machine).await, &transcript!("leave").step(AS_MACHINE));
}
