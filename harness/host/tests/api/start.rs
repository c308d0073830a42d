//! Restarting xapi (xapi-flows.md §14).

use std::{net::Ipv4Addr, sync::Arc};

use ground::{Seed, Skew};
use sim_host::{HostConfig, HostError, Pool, PoolConfig, Profile, Quirk, Quirks, SharedNetwork};

use crate::support::{Answer, DOMAIN, GENERAL_BUNDLE, LDAPS_BUNDLE, Plan, Rig, authority};

const DATABASE: &str = "/var/lib/xcp/state.json";

#[tokio::test]
async fn a_restart_chooses_the_bundle_anew() {
    for profile in Profile::ALL {
        let rig = Plan::new(profile, 1).build();
        rig.install(&authority(DOMAIN), &[]).await.unwrap();
        rig.enable(&[("ldaps", "true")]).await.unwrap();
        assert_eq!(rig.line(1, "tls cafile").as_deref(), Some(GENERAL_BUNDLE));
        rig.install(&authority("other.example"), &["ldaps"]).await.unwrap();
        assert_eq!(rig.line(1, "tls cafile").as_deref(), Some(GENERAL_BUNDLE), "quirk Q21");
        rig.log(1);
        rig.restart(1).await;
        assert_eq!(rig.line(1, "tls cafile").as_deref(), Some(LDAPS_BUNDLE));
        assert_eq!(rig.log(1), ["restart", "wbinfo KRBTGT", "is-active", "wbinfo KRBTGT", "flush"]);
        assert!(rig.pool.messages().is_empty());
    }
}

#[tokio::test]
async fn without_the_quirk_a_certificate_refreshes_at_once() {
    let plan = Plan::new(Profile::Landed, 2).quirk(Quirk::SmbConfNotRefreshed, false);
    let rig = plan.build();
    rig.install(&authority(DOMAIN), &[]).await.unwrap();
    rig.enable(&[("ldaps", "true")]).await.unwrap();
    rig.install(&authority("other.example"), &["ldaps"]).await.unwrap();
    assert_eq!(rig.line(2, "tls cafile").as_deref(), Some(LDAPS_BUNDLE));
}

#[tokio::test]
async fn the_database_survives_and_configuration_is_read_again() {
    let rig = Rig::landed(2);
    rig.install(&authority(DOMAIN), &["ldaps"]).await.unwrap();
    rig.enable(&[("ldaps", "true")]).await.unwrap();
    let before = rig.pool.database_view();
    let host = rig.host(1);
    host.root().write("/etc/xapi.conf.d/x", b"winbind_debug_level = 7", 0o644).unwrap();
    rig.restart(1).await;
    assert_eq!(rig.pool.database_view(), before);
    assert_eq!(rig.line(1, "log level").as_deref(), Some("7"));

    // What is on disk counts, not what was in memory.
    let text = rig.text(1, DATABASE).unwrap().replace("\"ldaps\": \"true\"", "\"ldaps\": \"no\"");
    host.root().write(DATABASE, text.as_bytes(), 0o600).unwrap();
    rig.restart(1).await;
    assert_eq!(rig.wrapping(1).as_deref(), Some("seal"));
}

#[tokio::test]
async fn a_damaged_database_is_named() {
    let rig = Rig::landed(1);
    let root = rig.host(1).root().clone();
    let restart = || async { rig.pool.restart("host1", &rig.trail).await.unwrap_err().to_string() };
    root.write(DATABASE, b"{\"version\": 9, \"data\": {}}", 0o600).unwrap();
    assert_eq!(restart().await, "the database `/var/lib/xcp/state.json` has version 9, expected 2");
    root.write(DATABASE, b"{", 0o600).unwrap();
    assert!(restart().await.starts_with("the database `/var/lib/xcp/state.json` is damaged: EOF"));
    let text = b"{\"version\": 2,\n \"data\": {\"created\": -1}}";
    root.write(DATABASE, text, 0o600).unwrap();
    assert_eq!(
        restart().await,
        "the database `/var/lib/xcp/state.json` is damaged: invalid value: integer `-1`, expected u64 \
         at line 2 column 23"
    );
    root.remove(DATABASE).unwrap();
    assert!(restart().await.ends_with("is damaged: the file is missing"));
    let unknown = rig.pool.restart("host9", &rig.trail).await.unwrap_err();
    assert!(matches!(unknown, HostError::UnknownHost { .. }));
}

#[tokio::test]
async fn no_bundle_is_no_obstacle_at_start() {
    let rig = Rig::landed(1);
    rig.install(&authority(DOMAIN), &["ldaps"]).await.unwrap();
    rig.enable(&[("ldaps", "true")]).await.unwrap();
    rig.host(1).root().remove(LDAPS_BUNDLE).unwrap();
    rig.restart(1).await;
    assert_eq!(rig.wrapping(1).as_deref(), Some("ldaps"));
    assert_eq!(rig.line(1, "tls cafile").as_deref(), Some(LDAPS_BUNDLE));
}

#[tokio::test]
async fn a_failed_initialisation_leaves_a_message() {
    let rig = Rig::landed(1);
    rig.enable(&[]).await.unwrap();
    rig.rules(1, |rules| rules.ready = Answer::Fails("WBC_ERR_WINBIND_NOT_AVAILABLE"));
    rig.restart(1).await;
    let message = &rig.pool.messages()[0];
    assert_eq!(message.name, "EXTAUTH_INIT_IN_HOST_FAILED");
    assert_eq!(
        message.body,
        "host_external_auth_type=AD, host_external_auth_service_name=corp.example, \
         error=winbind is not ready after 300 s"
    );
    assert!(rig.kinds().contains(&"message.created"));
}

#[tokio::test]
async fn a_hosts_file_with_a_line_of_its_own_blocks_the_start() {
    for (profile, messages) in [(Profile::Landed, 1), (Profile::DesignV1, 0)] {
        let rig = Plan::new(profile, 1).build();
        rig.host(1).root().write("/etc/hosts", b"10.0.0.9 nas\n", 0o644).unwrap();
        rig.enable(&[]).await.unwrap();
        rig.restart(1).await;
        rig.let_go_by(120).await;
        assert_eq!(rig.pool.messages().len(), messages);
    }
}

#[tokio::test]
async fn a_member_fetches_what_it_misses() {
    for (profile, always) in [(Profile::Landed, true), (Profile::DesignV1, false)] {
        let rig = Plan::new(profile, 2).build();
        rig.install(&authority(DOMAIN), &["ldaps"]).await.unwrap();
        let root = rig.host(2).root().clone();
        let files = rig.certificate_files(2, "/etc/trusted-certs/ca-ldaps");
        // Quirk Q15: a member asks for everything although nothing is missing.
        root.write("/etc/trusted-certs/ca-general/stray.pem", b"x", 0o644).unwrap();
        rig.restart(2).await;
        let stray = root.exists("/etc/trusted-certs/ca-general/stray.pem").unwrap();
        assert_eq!(stray, !always);

        root.remove(&format!("/etc/trusted-certs/ca-ldaps/{}", files[0])).unwrap();
        rig.restart(2).await;
        assert_eq!(rig.certificate_files(2, "/etc/trusted-certs/ca-ldaps"), files);
        assert!(root.exists(LDAPS_BUNDLE).unwrap());
    }
}

#[tokio::test]
async fn a_pool_goes_on_where_another_process_left_it() {
    let rig = Rig::landed(2);
    rig.install(&authority(DOMAIN), &["ldaps"]).await.unwrap();
    rig.enable(&[("ldaps", "true")]).await.unwrap();
    let reopen = |names: [&str; 2]| {
        let hosts = rig.pool.hosts();
        let hosts = hosts.iter().zip(names).zip(&rig.scripts);
        let hosts = hosts.map(|((host, name), script)| HostConfig {
            name: name.to_owned(),
            hostname: None,
            address: Ipv4Addr::LOCALHOST.into(),
            root: host.root().directory().to_owned(),
            network: SharedNetwork::new(host.network()),
            clock: host.clock().clone(),
            skew: Skew::default(),
            xapi_conf: None,
            programs: Some(Arc::clone(script) as _),
        });
        Pool::create(PoolConfig {
            name: "pool".into(),
            profile: Profile::Landed,
            quirks: Quirks::of(Profile::Landed),
            seed: Seed::new(1),
            root_password: ground::Secret::new("xenroot"),
            hosts: hosts.collect(),
            trail: rig.trail.clone(),
        })
    };
    let pool = reopen(["host1", "host2"]).unwrap();
    assert_eq!(pool.database_view(), rig.pool.database_view());
    let other = reopen(["host1", "host9"]).unwrap_err();
    assert_eq!(
        other.to_string(),
        "the database holds the hosts [host1, host2], expected [host1, host9]"
    );
    let twice = reopen(["host1", "host1"]).unwrap_err();
    assert_eq!(twice.to_string(), "two hosts of the pool are called `host1`");
}
