//! A fake domain, and pools in it that begin in one of a few states.

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::symlink,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use fake_dc::Domain;
use ground::{Actor, Ledger, Seed, Skew, Timestamp, Trail, VirtualClock};
use sim_host::{
    ApiError, AuthConfig, Call, Host, HostConfig, HostRoot, Network, Pool, PoolConfig, Profile,
    Quirk, Quirks, Reference, SharedNetwork, samba::Client,
};
use tempfile::TempDir;

use crate::deeds::{Kind, Watched};

pub(crate) const DOMAIN: &str = "corp.example";
pub(crate) const PASSWORD: &str = "Passw0rd!Lab1";

/// A domain of two DCs, for many pools one after the other.
pub(crate) struct Estate {
    pub(crate) domain: Domain,
    pub(crate) time: VirtualClock,
    network: Network,
    pools: AtomicUsize,
}

/// Which xapi, and how many hosts.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) profile: Profile,
    pub(crate) quirks: Quirks,
    pub(crate) hosts: usize,
    pub(crate) conf: &'static str,
}

impl Plan {
    pub(crate) fn new(profile: Profile, hosts: usize) -> Self {
        Self { profile, quirks: Quirks::of(profile), hosts, conf: "" }
    }

    pub(crate) fn quirk(mut self, quirk: Quirk, on: bool) -> Self {
        self.quirks.set(quirk, on);
        self
    }

    pub(crate) fn conf(mut self, text: &'static str) -> Self {
        self.conf = text;
        self
    }

    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.has(quirk)
    }
}

/// The files of a pool at rest, from which many others begin.
pub(crate) struct Image {
    plan: Plan,
    /// Part of the names of its hosts.
    number: usize,
    files: TempDir,
}

/// One pool.
pub(crate) struct Rig {
    pub(crate) plan: Plan,
    pub(crate) pool: Pool,
    pub(crate) trail: Trail,
    pub(crate) programs: Vec<Arc<Watched>>,
    /// Part of the names of its hosts.
    pub(crate) number: usize,
    files: TempDir,
}

impl Estate {
    pub(crate) async fn start() -> Self {
        let start = "2026-01-04T06:38:29Z".parse::<Timestamp>().unwrap();
        let time = VirtualClock::starting_at(start);
        let domain = Domain::builder(DOMAIN)
            .dcs(2)
            .seed(Seed::new(1))
            .clock(time.clock())
            .ledger(Ledger::new(time.clock()))
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
        Self { domain, time, network, pools: AtomicUsize::new(0) }
    }

    /// A pool whose hosts are not in the domain, with its CA installed for LDAPS.
    pub(crate) async fn fresh(&self, plan: &Plan) -> Rig {
        let number = self.pools.fetch_add(1, Ordering::Relaxed);
        let rig = self.open(plan, number, memory());
        rig.install(self.domain.ca_pem()).await;
        rig
    }

    /// A pool in the domain, at rest.
    pub(crate) async fn joined(&self, plan: &Plan, ldaps: bool) -> Image {
        let rig = self.fresh(plan).await;
        rig.enable(false).await.unwrap();
        if ldaps {
            rig.set_ldaps(true, None).await.unwrap();
        }
        Image { plan: rig.plan, number: rig.number, files: rig.files }
    }

    /// A pool that begins where `image` is.
    pub(crate) fn begin(&self, image: &Image) -> Rig {
        self.begin_with(image, |plan| plan)
    }

    /// The same with another xapi.
    pub(crate) fn begin_with(&self, image: &Image, plan: impl FnOnce(Plan) -> Plan) -> Rig {
        let files = memory();
        copy(image.files.path(), files.path());
        self.open(&plan(image.plan.clone()), image.number, files)
    }

    /// The same pool after all of its xapi processes have gone: what is not on disk is lost.
    pub(crate) fn reopened(&self, rig: Rig) -> Rig {
        let Rig { plan, pool, number, files, .. } = rig;
        drop(pool);
        self.open(&plan, number, files)
    }

    /// How a host reaches the domain.
    pub(crate) fn network(&self) -> Network {
        self.network.clone()
    }

    fn open(&self, plan: &Plan, number: usize, files: TempDir) -> Rig {
        let ledger = Ledger::new(self.time.clock());
        let trail = ledger.trail(Actor::Runner);
        let mut programs = Vec::new();
        let mut hosts = Vec::new();
        for index in 0..plan.hosts {
            let name = format!("host{}", index + 1);
            let path = files.path().join(&name);
            let root = HostRoot::open(&path).unwrap();
            let network = SharedNetwork::new(self.network.clone());
            let seed = Seed::new(1).child(&format!("{number} {name}"));
            let client = Client::new(root, network.clone(), self.time.clock(), seed);
            let watched = Arc::new(Watched::new(client));
            programs.push(Arc::clone(&watched));
            hosts.push(HostConfig {
                name,
                hostname: Some(host_name(number, index)),
                address: Ipv4Addr::LOCALHOST.into(),
                root: path,
                network,
                clock: self.time.clock(),
                skew: Skew::default(),
                xapi_conf: Some(plan.conf.to_owned()),
                programs: Some(watched),
            });
        }
        let pool = Pool::create(PoolConfig {
            name: "pool".into(),
            profile: plan.profile,
            root_password: ground::Secret::new("xenroot"),
            quirks: plan.quirks.clone(),
            seed: Seed::new(1),
            hosts,
            trail: trail.clone(),
        })
        .unwrap();
        Rig { plan: plan.clone(), pool, trail, programs, number, files }
    }
}

impl Rig {
    pub(crate) fn host(&self, index: usize) -> Arc<Host> {
        Arc::clone(&self.pool.hosts()[index])
    }

    pub(crate) fn reference(&self, index: usize) -> Reference {
        self.host(index).reference().clone()
    }

    pub(crate) fn host_name(&self, index: usize) -> String {
        host_name(self.number, index)
    }

    /// The commands of one host so far.
    pub(crate) fn log(&self, index: usize) -> Vec<Kind> {
        self.programs[index].log()
    }

    pub(crate) async fn call(&self, call: Call) -> Result<(), ApiError> {
        self.pool.call(call, &self.trail).await.map(drop)
    }

    pub(crate) async fn enable(&self, ldaps: bool) -> Result<(), ApiError> {
        self.call(enable(ldaps)).await
    }

    pub(crate) async fn set_ldaps(&self, ldaps: bool, force: Option<bool>) -> Result<(), ApiError> {
        self.call(set_ldaps(ldaps, force)).await
    }

    pub(crate) async fn install(&self, pem: &str) {
        self.call(install(pem, &["ldaps"])).await.unwrap();
    }

    /// Restarts xapi of one host.
    pub(crate) async fn restart(&self, index: usize) {
        self.pool.restart(self.host(index).name(), &self.trail).await.unwrap();
        let clock = self.host(index).clock().clone();
        // The start goes on by itself.
        while let Some(due) = self.pool.next_due().filter(|due| due.at <= clock.steady()) {
            if !self.pool.pass_over(&due, &self.trail) {
                self.pool.perform(due, &self.trail).await;
            }
        }
    }
}

pub(crate) fn credentials() -> AuthConfig {
    [("user", "Administrator"), ("pass", PASSWORD)].into_iter().collect()
}

pub(crate) fn enable(ldaps: bool) -> Call {
    let mut config = credentials();
    config.0.insert("ldaps".into(), ldaps.to_string());
    Call::PoolEnableExternalAuth {
        pool: None,
        config,
        service_name: DOMAIN.into(),
        auth_type: "AD".into(),
    }
}

pub(crate) fn disable() -> Call {
    Call::PoolDisableExternalAuth { pool: None, config: credentials() }
}

pub(crate) fn set_ldaps(ldaps: bool, force: Option<bool>) -> Call {
    Call::PoolExternalAuthSetLdaps { pool: None, ldaps, force }
}

pub(crate) fn host_set_ldaps(host: Reference, ldaps: bool) -> Call {
    Call::HostExternalAuthSetLdaps { host, ldaps, force: None }
}

pub(crate) fn install(pem: &str, purpose: &[&str]) -> Call {
    Call::PoolInstallTrustedCertificate {
        pool: None,
        ca: true,
        certificate: pem.to_owned(),
        purpose: purpose.iter().map(|word| (*word).to_owned()).collect(),
    }
}

pub(crate) fn uninstall(certificate: Reference) -> Call {
    Call::PoolUninstallTrustedCertificate { pool: None, certificate }
}

/// Unique in the domain, and short enough for NetBIOS.
fn host_name(pool: usize, index: usize) -> String {
    format!("p{pool}h{}", index + 1)
}

/// A directory in memory, where there is such a thing: xapi waits for the disk after every write,
/// and what is looked at here is not how long that takes.
fn memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            copy(&entry.path(), &target);
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path()).unwrap(), target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
