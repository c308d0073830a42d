//! DCs that answer wrongly: in LDAP, in netlogon pings, in DNS.

use sim_host::SambaCommand;

use crate::{
    support::{DC, Host, probe},
    world::World,
};

/// What the program prints besides what it always prints.
async fn complaint(host: &Host, command: SambaCommand) -> Vec<String> {
    let output = host.run(command).await;
    let noise = [
        "Reducing LDAP page size",
        "Registered MSG_REQ",
        "return code =",
        "saf_store: ",
        "tstream_tls_sync_read: ",
    ];
    let told = output.stderr.lines().filter(|line| !noise.iter().any(|n| line.starts_with(n)));
    told.map(str::to_owned).collect()
}

/// Whatever keeps a search from its result, libldap has none, and Samba takes that for a limit.
#[tokio::test]
async fn a_search_without_a_result_is_a_time_limit() {
    let world = World::sound().await;
    let host = world.host();
    for (fault, waits) in [
        ("ldap.close-on-search", false),
        ("ldap.reset-mid-search", false),
        ("ldap.truncated-ber", false),
        ("ldap.oversized-message", true),
        ("ldap.search-without-end", true),
    ] {
        world.domain.set_faults("dc1", [fault]).unwrap();
        assert_eq!(
            complaint(&host, probe()).await,
            ["search failed: Time limit exceeded"],
            "{fault}"
        );
        let failed =
            host.facts().into_iter().rfind(|fact| fact.starts_with("ldap.failed")).unwrap();
        assert_eq!(failed.contains(r#""real_seconds":15"#), waits, "{fault}: {failed}");
    }
    // Before the bind it is the connection that fails.
    for fault in ["ldap.no-answer", "ldap.wrong-message-id", "ldap.notice-of-disconnection"] {
        world.domain.set_faults("dc1", [fault]).unwrap();
        let expected = ["ads_startup_int: ads_connect_creds: Time limit exceeded"];
        assert_eq!(complaint(&host, probe()).await, expected, "{fault}");
    }
    // Nobody reads what comes behind the answer, or before it.
    for fault in ["ldap.bind-answered-twice", "ldap.unsolicited-message"] {
        world.domain.set_faults("dc1", [fault]).unwrap();
        assert_eq!(complaint(&host, probe()).await, [""; 0], "{fault}");
    }
}

#[tokio::test]
async fn wrong_channel_bindings_are_no_wrong_password() {
    let world = World::with(&[&["ldap.channel-binding-mismatch"]]).await;
    assert_eq!(
        complaint(&world.host(), probe()).await,
        [
            "ads_sasl_spnego_bind: ads_sasl_spnego_gensec_bind() failed for ldap/dc1.lab.example \
             with user[LAB\\Administrator]: Invalid credentials",
            "ads_startup_int: ads_connect_creds: Invalid credentials",
        ]
    );
}

#[tokio::test]
async fn a_dc_that_denies_ldap_is_passed_over() {
    let world = World::with(&[&["discovery.cldap-wrong-flags:0x8"], &[]]).await;
    let host = world.host();
    let lookup = complaint(&host, SambaCommand::AdsLookup { server: DC }).await;
    assert_eq!(lookup.last().unwrap(), "Didn't find the cldap server!");
    let probe = complaint(&host, probe()).await;
    assert!(
        probe.last().unwrap().contains("No logon servers are currently available"),
        "{probe:?}"
    );
    // What it needs beside LDAP it does not ask for.
    world.domain.set_faults("dc1", ["discovery.cldap-wrong-flags:0x30"]).unwrap();
    assert!(host.run(SambaCommand::AdsLookup { server: DC }).await.succeeded());
}

/// The name in the answer to the ping is the name of the service that a ticket is asked for.
#[tokio::test]
async fn the_ping_decides_whom_to_trust() {
    let world = World::with(&[&["discovery.cldap-other-domain:other.test"]]).await;
    let host = world.host();
    host.set("tls verify peer", "ca_only");
    assert!(!host.run(probe()).await.succeeded());
    let asked = host.facts().into_iter().rfind(|fact| fact.starts_with("kdc.asked")).unwrap();
    assert!(asked.contains("ldap/dc1.other.test"), "{asked}");
}

#[tokio::test]
async fn dns_that_misleads() {
    let world = World::with(&[&[], &[]]).await;
    let host = world.host();
    let kdc = async |fault: &str| {
        world.domain.set_faults("dc1", [fault]).unwrap();
        let output = host.run(SambaCommand::LookupKdc { domain: "lab.example".into() }).await;
        let addresses = output.stdout.lines().filter_map(|line| line.strip_suffix(":88"));
        addresses.map(str::to_owned).collect::<Vec<_>>()
    };
    let [one, two] = ["dc1", "dc2"].map(|dc| world.domain.dc(dc).unwrap().ip().to_string());
    let both = [one.clone(), two.clone()];
    assert_eq!(kdc("discovery.srv-weights").await, [two.clone(), one.clone()]);
    assert_eq!(kdc("discovery.srv-weights:0/200").await, both);
    assert_eq!(kdc("discovery.srv-cname-target").await, both);
    assert_eq!(kdc("discovery.srv-wrong-port").await, both);
    assert_eq!(kdc("discovery.dns-truncated").await, both);
    assert_eq!(kdc("discovery.a-record-missing").await, [two.as_str()]);
    assert_eq!(kdc("discovery.stale-record").await.len(), 3);
    // The next name server is asked only after one whose answer cannot be read.
    for fault in ["dns-garbage", "dns-wrong-id"] {
        assert_eq!(kdc(&format!("discovery.{fault}")).await, both, "{fault}");
    }
    for fault in ["dns-refused", "servfail", "nxdomain", "srv-empty"] {
        assert_eq!(kdc(&format!("discovery.{fault}")).await, [""; 0], "{fault}");
    }
}

#[tokio::test]
async fn two_runs_with_one_seed_record_the_same() {
    for fault in [
        "discovery.round-robin",
        "discovery.srv-other-domain",
        "kerberos.wrong-spn",
        "ldap.reset-mid-search",
        "ldap.truncated-ber",
        "ldap.slow-search:10ms",
        "time.dc-clock-skewed",
    ] {
        let mut runs = Vec::new();
        for _ in 0..2 {
            let world = World::with(&[&[fault], &[]]).await;
            let host = world.host();
            host.run(SambaCommand::LookupKdc { domain: "lab.example".into() }).await;
            host.run(probe()).await;
            world.domain.stop().await;
            let events = world.ledger.causal_order();
            let line = |event: &ground::Event| {
                format!("{} {} {:?}", event.actor, event.kind(), event.fields())
            };
            runs.push(events.iter().map(line).collect::<Vec<_>>());
        }
        assert!(runs[0].len() > 5, "{fault}: {:?}", runs[0]);
        assert_eq!(runs[0], runs[1], "{fault}");
    }
}
