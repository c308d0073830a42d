//! Hosts with the model of the Samba client, against a fake domain on real sockets.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::net::Ipv4Addr;

use fake_dc::Domain;
use ground::{Actor, Ledger, Seed, Skew, Timestamp, Trail, VirtualClock};
use sim_host::{
    ApiError, Call, HostConfig, Network, Pool, PoolConfig, Profile, Quirks, SharedNetwork,
    facts::ProbePinged,
};

struct World {
    domain: Domain,
    pool: Pool,
    trail: Trail,
    _directory: tempfile::TempDir,
}

impl World {
    async fn start(profile: Profile, faults: &[(&str, &str)]) -> Self {
        let start = "2026-01-04T06:38:29Z".parse::<Timestamp>().unwrap();
        let time = VirtualClock::starting_at(start);
        let ledger = Ledger::new(time.clock());
        let mut builder = Domain::builder("corp.example")
            .dcs(3)
            .seed(Seed::new(1))
            .clock(time.clock())
            .ledger(ledger.clone());
        for (dc, fault) in faults {
            builder = builder.fault(*dc, *fault);
        }
        let domain = builder.start().await.unwrap();
        let mut network = Network::default();
        for dc in domain.dcs() {
            network.nameservers.push(dc.dns());
            network.translations.insert((dc.ip(), 88).into(), dc.kdc());
            network.translations.insert((dc.ip(), 389).into(), dc.ldap());
            network.translations.insert((dc.ip(), 636).into(), dc.ldaps());
        }
        let directory = tempfile::tempdir().unwrap();
        let trail = ledger.trail(Actor::Runner);
        let host = |name: &str| HostConfig {
            name: name.into(),
            hostname: None,
            address: Ipv4Addr::LOCALHOST.into(),
            root: directory.path().join(name),
            network: SharedNetwork::new(network.clone()),
            clock: time.clock(),
            skew: Skew::default(),
            xapi_conf: None,
            programs: None,
        };
        let pool = Pool::create(PoolConfig {
            name: "pool".into(),
            profile,
            quirks: Quirks::of(profile),
            seed: Seed::new(1),
            root_password: ground::Secret::new("xenroot"),
            hosts: vec![host("host1"), host("host2")],
            trail: trail.clone(),
        })
        .unwrap();
        Self { domain, pool, trail, _directory: directory }
    }

    async fn call(&self, call: Call) -> Result<(), ApiError> {
        self.pool.call(call, &self.trail).await.map(drop)
    }

    async fn install_root(&self) -> Result<(), ApiError> {
        self.call(Call::PoolInstallTrustedCertificate {
            pool: None,
            ca: true,
            certificate: self.domain.ca_pem().to_owned(),
            purpose: vec!["ldaps".into()],
        })
        .await
    }

    async fn enable(&self, password: &str, ldaps: bool) -> Result<(), ApiError> {
        let ldaps = ldaps.to_string();
        let config = [("user", "Administrator"), ("pass", password), ("ldaps", ldaps.as_str())];
        self.call(Call::PoolEnableExternalAuth {
            pool: None,
            config: config.into_iter().collect(),
            service_name: "corp.example".into(),
            auth_type: "AD".into(),
        })
        .await
    }

    async fn set_ldaps(&self, ldaps: bool) -> Result<(), ApiError> {
        self.call(Call::PoolExternalAuthSetLdaps { pool: None, ldaps, force: None }).await
    }

    fn pings(&self) -> Vec<&'static str> {
        let events = self.trail.ledger().events();
        events.iter().filter_map(|e| Some(e.fact::<ProbePinged>()?.outcome)).collect()
    }
}

const PASSWORD: &str = "Passw0rd!Lab1";

#[tokio::test]
async fn join_toggle_and_leave() {
    for profile in Profile::ALL {
        let world = World::start(profile, &[]).await;
        world.install_root().await.unwrap();
        assert_eq!(world.enable(PASSWORD, false).await, Ok(()), "{profile}");
        assert_eq!(world.set_ldaps(true).await, Ok(()), "{profile}");
        assert!(world.pool.database_view().hosts.iter().all(sim_host::HostRecord::ldaps));
        assert_eq!(world.set_ldaps(false).await, Ok(()), "{profile}");
        assert_eq!(world.pings(), ["success"; 4]);
        let config = [("user", "Administrator"), ("pass", PASSWORD)].into_iter().collect();
        let disable = Call::PoolDisableExternalAuth { pool: None, config };
        assert_eq!(world.call(disable).await, Ok(()), "{profile}");
        world.domain.stop().await;
    }
}

#[tokio::test]
async fn one_good_dc_among_bad_ones_is_found() {
    let faults =
        [("dc1", "time.leaf-expired"), ("dc2", "name.other-host"), ("dc3", "time.leaf-expired")];
    for good in ["dc1", "dc2", "dc3"] {
        let faults: Vec<_> = faults.into_iter().filter(|(dc, _)| *dc != good).collect();
        let world = World::start(Profile::Landed, &faults).await;
        world.install_root().await.unwrap();
        assert_eq!(world.enable(PASSWORD, true).await, Ok(()), "{good}");
        assert_eq!(world.pings().last(), Some(&"success"));
        world.domain.stop().await;
    }
}

#[tokio::test]
async fn a_domain_that_cannot_be_trusted() {
    let faults = ["dc1", "dc2", "dc3"].map(|dc| (dc, "time.leaf-expired"));
    let world = World::start(Profile::Landed, &faults).await;
    world.install_root().await.unwrap();
    let failed = world.enable(PASSWORD, true).await.unwrap_err();
    assert_eq!(failed.code, "POOL_AUTH_ENABLE_FAILED_INVALID_TRUSTED_CERTS");
    assert_eq!(world.pings(), ["invalid-trusted-certs"; 3]);
    assert_eq!(world.enable(PASSWORD, false).await, Ok(()));
    let failed = world.set_ldaps(true).await.unwrap_err();
    assert_eq!(failed.code, "AUTH_INVALID_TRUSTED_CERTS");
    world.domain.stop().await;
}

#[tokio::test]
async fn a_wrong_password() {
    let world = World::start(Profile::Landed, &[]).await;
    world.install_root().await.unwrap();
    for ldaps in [false, true] {
        let failed = world.enable("wrong", ldaps).await.unwrap_err();
        // Which suffix depends on the words of the program; `tests/api` pins the mapping.
        assert!(failed.code.starts_with("POOL_AUTH_ENABLE_FAILED"), "{failed}");
        let hosts = world.pool.database_view().hosts;
        assert!(hosts.iter().all(|host| host.external_auth_type.is_empty()));
    }
    world.domain.stop().await;
}
