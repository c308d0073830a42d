//! Simulated hosts that are members of a fake domain.

use std::{net::Ipv4Addr, ops::RangeInclusive, sync::Arc};

use ground::{Actor, Clock, Ledger, Secret, Seed, Skew, Trail};
use sim_host::{
    Call, Credentials, HostConfig, Network, Pool, PoolConfig, Profile, Programs as _, Quirks,
    SambaCommand, SharedNetwork, samba,
};
use tempfile::TempDir;

use crate::{DOMAIN, Failure, PASSWORD, Served, probe::PROBE_FILTER};

/// Sessions outlive the days of a bench.
const XAPI_CONF: &str = "inactive_session_timeout = 31536000\n";

/// A pool whose hosts have joined, with LDAPS.
#[derive(Debug)]
pub struct Member {
    /// The pool.
    pub pool: Arc<Pool>,
    /// Where it writes what it does.
    pub trail: Trail,
    programs: samba::Client,
    address: Ipv4Addr,
    _roots: TempDir,
}

impl Member {
    /// A pool of the hosts with these numbers joins the domain.
    pub async fn join(served: &Served, hosts: RangeInclusive<usize>) -> Result<Self, Failure> {
        let clock = served.time.clock();
        let ledger = Ledger::with_capacity(clock.clone(), Ledger::SERVICE_CAPACITY);
        let member = Self::found(served, hosts, &clock, ledger.trail(Actor::Runner))?;
        let root = served.domain.dcs().next().and_then(|dc| dc.chain().anchor_pem());
        member
            .call(Call::PoolInstallTrustedCertificate {
                pool: None,
                ca: true,
                certificate: root.ok_or("the chain has no anchor")?,
                purpose: vec!["ldaps".into()],
            })
            .await?;
        let config = [("user", "Administrator"), ("pass", PASSWORD), ("ldaps", "true")];
        member
            .call(Call::PoolEnableExternalAuth {
                pool: None,
                config: config.into_iter().collect(),
                service_name: DOMAIN.to_owned(),
                auth_type: "AD".to_owned(),
            })
            .await?;
        Ok(member)
    }

    /// The pool before it has joined.
    pub fn found(
        served: &Served,
        hosts: RangeInclusive<usize>,
        clock: &Clock,
        trail: Trail,
    ) -> Result<Self, Failure> {
        let mut network = Network::default();
        for dc in served.domain.dcs() {
            network.nameservers.push(dc.dns());
            network.translations.insert((dc.ip(), 88).into(), dc.kdc());
            network.translations.insert((dc.ip(), 389).into(), dc.ldap());
            network.translations.insert((dc.ip(), 636).into(), dc.ldaps());
        }
        let address = served.domain.dcs().next().ok_or("the domain has no DC")?.ip();
        // In memory, as trustrig has them.
        let roots = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new())?;
        let host = |number: usize| HostConfig {
            name: format!("host{number}"),
            hostname: None,
            address: Ipv4Addr::new(10, 0, 0, u8::try_from(number).unwrap_or(u8::MAX)).into(),
            root: roots.path().join(format!("host{number}")),
            network: SharedNetwork::new(Network { loopback: loopback(number), ..network.clone() }),
            clock: clock.clone(),
            skew: Skew::default(),
            xapi_conf: Some(XAPI_CONF.to_owned()),
            programs: None,
        };
        let pool = Arc::new(Pool::create(PoolConfig {
            name: "pool".into(),
            profile: Profile::Landed,
            quirks: Quirks::of(Profile::Landed),
            seed: Seed::new(1),
            root_password: Secret::new("xenroot"),
            hosts: hosts.clone().map(host).collect(),
            trail: trail.clone(),
        })?);
        let first = pool.host(&format!("host{}", hosts.start())).ok_or("the pool has no host")?;
        let (root, network) = (first.root().clone(), SharedNetwork::new(first.network()));
        let programs = samba::Client::new(root, network, clock.clone(), Seed::new(2));
        Ok(Self { pool, trail, programs, address, _roots: roots })
    }

    /// Makes a call of the API.
    pub async fn call(&self, call: Call) -> Result<(), Failure> {
        self.pool.call(call, &self.trail).await?;
        Ok(())
    }

    /// One `net ads search` of the first host, as xapi probes a DC with it: CLDAP ping, LDAPS,
    /// verdict, the DC's time, Kerberos tickets, a bind with GSS-SPNEGO, the search.
    pub async fn probe(&self) -> Result<(), Failure> {
        let command = SambaCommand::AdsSearch {
            server: std::net::IpAddr::V4(self.address).into(),
            credentials: Credentials::Machine,
            filter: PROBE_FILTER.to_owned(),
            attributes: vec!["objectSid".to_owned()],
        };
        let output = self.programs.run(command, 0, &self.trail).await;
        if output.succeeded() && output.stdout.contains("objectSid") {
            return Ok(());
        }
        Err(format!("net ads search: {}{}", output.stdout, output.stderr).into())
    }
}

/// The host's own addresses, of which each connection gets one, as in a world of trustrig. With one address
/// for all, the kernel would look for a port that none of the thousands that were closed a moment ago holds.
fn loopback(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(127, 64 + u8::try_from(number % 64).unwrap_or_default(), 0, 0)
}
