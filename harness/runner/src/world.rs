//! The world of one case: a fake domain per domain of the scenario, a pool of hosts with empty
//! root directories, one clock, one ledger.

use std::{
    collections::BTreeMap,
    env, fs, io,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::{Arc, MutexGuard},
};

use fake_dc::{ClientCertificates, DcSpec, Domain};
use fake_dc_directory::{TrustDirection, TrustKind};
use fake_dc_pki::{CaCertificate, Chain, PemFile};
use ground::{Actor, Ledger, Secret, Seed, Skew, Trail, VirtualClock, fact};
use scenario::{
    Action, CertificateSource, ClientAction, Dc, DomainTrust, HostAction, NetCommand, PoolCall,
    Scenario, SessionCall, WbinfoCommand, XenapiAction,
};
use serde::Serialize;
use sim_host::{
    HostConfig, HostRecord, HostRoot, Network, Pool, PoolConfig, Quirks, Reference, Rig,
    SharedNetwork, Timekeeper,
};
use tempfile::TempDir;
use trust_models::ordered::CloudError;

use crate::{
    Case,
    calls::{Backgrounds, Sessions},
    exchange_steps,
    host_faults::{HostFault, HostFaultError, HostFaults},
    models::{
        directory::{self, PkiError},
        ordered::OrderedWorld,
        pinned::Parties,
    },
    samba_client::{HostPart, SambaClient, real_programs},
    xenapi::{self, Clients},
};

/// The password of `root` in every pool of a scenario.
pub(crate) const ROOT_PASSWORD: &str = "xenroot";

/// Everything that a case acts on.
#[derive(Debug)]
pub(crate) struct World {
    /// Who moves its time.
    pub(crate) keeper: Timekeeper,
    pub(crate) ledger: Ledger,
    /// The runner's own trail, below nothing.
    pub(crate) trail: Trail,
    /// All pools of hosts.
    pub(crate) rig: Arc<Rig>,
    /// The pool that the present step is about, if there is any host.
    pool: Option<Arc<Pool>>,
    /// Behaviours of the toolstack that are on.
    pub(crate) quirks: Quirks,
    /// Those who call over the wire.
    pub(crate) clients: Clients,
    /// Calls that go on while steps are done.
    pub(crate) backgrounds: Backgrounds,
    /// Sessions that steps have opened.
    pub(crate) sessions: Sessions,
    /// Certificates by the name of the step that installed them.
    pub(crate) installed: BTreeMap<String, Reference>,
    /// Hosts whose files below a path somebody changed by hand, for the invariants.
    pub(crate) edited: BTreeMap<String, Vec<String>>,
    /// Passwords of the scenario, which no event may hold.
    pub(crate) secrets: Vec<String>,
    /// The host whose pool steps are about that name none.
    first_host: Option<String>,
    /// The cloud, if there is one.
    cloud: Option<OrderedWorld>,
    /// Managers and agents of pinned keys.
    pub(crate) pinned: Parties,
    samba_client: SambaClient,
    /// In the order of the scenario: hosts ask the name servers of the first, and may join it.
    domains: Vec<Domain>,
    /// PKI directories, servers and CAs.
    pub(crate) pki: directory::Pki,
    /// What was done to hosts, by their names.
    host_faults: BTreeMap<String, HostFaults>,
    /// Folder of the scenario file; relative paths start there.
    folder: PathBuf,
    /// Root directories of the hosts; removed with the world.
    _roots: TempDir,
}

/// Why a world cannot be built or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorldError {
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Domain(#[from] fake_dc::Error),
    #[error("{path}: cannot be read: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Host(#[from] sim_host::HostError),
    #[error(transparent)]
    HostFault(#[from] HostFaultError),
    #[error("the world has no host, and so no pool")]
    NoHost,
    #[error("the CA of {domain} has not been renewed: it has no former root")]
    NeverRenewed { domain: String },
    #[error("the chain of {dc} was given as it is, and nobody knows its CA")]
    NoAnchor { dc: String },
    #[error("{dc} does not have the fault `{fault}`; it has {has}")]
    NoSuchFault { dc: String, fault: String, has: String },
    #[error(transparent)]
    Pki(#[from] fake_dc_pki::PkiError),
    #[error(transparent)]
    Model(#[from] PkiError),
    #[error("no folder for the hosts' files: {0}")]
    Roots(io::Error),
    #[error("a host for the real programs: {0}")]
    Namespace(#[from] sim_host::real::NamespaceError),
    #[error("a party of pinned keys: {0}")]
    Pinned(Box<trust_models::pinned::PinnedError>),
    #[error("what was refused has changed {name}")]
    StoreOfRefusal { name: String },
    #[error("the scenario has no {what} `{name}`")]
    Unknown { what: &'static str, name: String },
}

impl WorldError {
    /// Whether the scenario, or a file it names, is to blame rather than the machine.
    pub(crate) fn is_wrong_input(&self) -> bool {
        match self {
            Self::Domain(fake_dc::Error::Bind { .. } | fake_dc::Error::Reopen { .. })
            | Self::Host(_)
            | Self::HostFault(HostFaultError::Host(_))
            | Self::Cloud(CloudError::Io { .. } | CloudError::Keystore(_))
            | Self::Namespace(_)
            | Self::Pinned(_)
            | Self::StoreOfRefusal { .. }
            | Self::Roots(_) => false,
            Self::Cloud(_) => true,
            Self::Model(error) => error.is_wrong_input(),
            Self::Domain(_)
            | Self::File { .. }
            | Self::HostFault(_)
            | Self::NeverRenewed { .. }
            | Self::NoAnchor { .. }
            | Self::NoHost
            | Self::NoSuchFault { .. }
            | Self::Pki(_)
            | Self::Unknown { .. } => true,
        }
    }

    /// What to do about it, where that is known.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::Domain(error) => error.remedy(),
            Self::File { .. } => Some(
                "paths in a scenario start at its own folder; give the file there, or name another"
                    .to_owned(),
            ),
            Self::Pki(error) => error.remedy().map(str::to_owned),
            Self::NoAnchor { .. } => {
                Some("give the CA as a certificate of a `file` or as `pem`".to_owned())
            }
            Self::Cloud(_)
            | Self::Host(_)
            | Self::HostFault(_)
            | Self::Namespace(_)
            | Self::NeverRenewed { .. }
            | Self::NoHost
            | Self::NoSuchFault { .. }
            | Self::Pinned(_)
            | Self::Model(_)
            | Self::Roots(_)
            | Self::StoreOfRefusal { .. }
            | Self::Unknown { .. } => None,
        }
    }
}

impl World {
    /// Starts the domains and sets up the hosts of `case`.
    pub(crate) async fn build(
        case: &Case,
        seed: Seed,
        samba_client: SambaClient,
    ) -> Result<Self, WorldError> {
        let plan = &case.scenario.world;
        let time = VirtualClock::starting_at(plan.clock.0);
        let ledger = Ledger::new(time.clock());
        let trail = ledger.trail(Actor::Runner);
        let folder = case.path.parent().unwrap_or(Path::new("")).to_owned();
        let mut domains = Vec::new();
        for (index, domain) in plan.domains.iter().enumerate() {
            let mut builder = Domain::builder(domain.name.as_str())
                .index(u8::try_from(index).unwrap_or(u8::MAX))
                .seed(seed.child("domain"))
                .clock(time.clock())
                .ledger(ledger.clone());
            if let Some(root) = forest_root(plan, &domain.name) {
                builder = builder.forest_root(root);
            }
            builder = builder.client_certificates(match domain.client_certificates {
                scenario::ClientCertificates::No => ClientCertificates::default(),
                scenario::ClientCertificates::Requested => ClientCertificates::requested(),
                scenario::ClientCertificates::Required => ClientCertificates::required(),
            });
            if let Some(netbios) = &domain.netbios {
                builder = builder.netbios(netbios);
            }
            if let Some(ldif) = &domain.ldif {
                let path = folder.join(ldif.as_str());
                builder = builder.ldif(path.to_string_lossy(), read_text(&path)?);
            }
            for dc in &domain.dcs {
                builder = builder.dc(dc_spec(dc, &folder)?);
            }
            domains.push(builder.start().await?);
        }
        for trust in &plan.trusts {
            make_trust(&domains, trust)?;
        }
        let roots = new_folder(samba_client).map_err(WorldError::Roots)?;
        let pinned = seed.child("pinned");
        let pinned = Parties::build(plan, roots.path(), pinned, time.clock(), &ledger).await?;
        let network = network_of(&domains);
        let mut hosts: BTreeMap<&str, Vec<HostConfig>> = BTreeMap::new();
        for (index, host) in plan.hosts.iter().enumerate() {
            let root = roots.path().join(host.name.as_str());
            let files = HostRoot::open(&root)?;
            for file in &host.files {
                files.write(&file.path, file.text.as_bytes(), 0o644)?;
            }
            let loopback = loopback_of(seed.child("loopback").child(host.name.as_str()));
            let network = SharedNetwork::new(Network { loopback, ..network.clone() });
            let skew = Skew::default();
            let programs = match samba_client {
                SambaClient::Model => None,
                SambaClient::Net { patience } => {
                    let part = HostPart {
                        name: &host.name,
                        root: &files,
                        network: &network,
                        clock: time.clock().skewed_by(&skew),
                        seed: seed.child("samba").child(host.name.as_str()),
                    };
                    Some(real_programs(part, domains.iter(), patience)?)
                }
            };
            let pool: &mut Vec<_> = hosts.entry(host.pool()).or_default();
            pool.push(HostConfig {
                name: host.name.to_string(),
                hostname: host.hostname.clone(),
                address: host_address(index),
                root,
                network,
                clock: time.clock(),
                skew,
                xapi_conf: plan.xapi_conf_of(host).map(str::to_owned),
                programs,
            });
        }
        let profile = match case.name.profile {
            scenario::Profile::DesignV1 => sim_host::Profile::DesignV1,
            scenario::Profile::Landed => sim_host::Profile::Landed,
        };
        let mut quirks = Quirks::of(profile);
        for (name, on) in &plan.quirks {
            // The parser checked the name against the same table.
            if let Ok(quirk) = name.as_str().parse::<sim_host::Quirk>() {
                quirks = quirks.with(quirk, *on);
            }
        }
        let rig = Rig::new();
        for name in plan.pool_names() {
            let pool = rig.create_pool(PoolConfig {
                name: name.to_owned(),
                profile,
                quirks: quirks.clone(),
                seed: seed.child("pool"),
                root_password: Secret::new(ROOT_PASSWORD),
                hosts: hosts.remove(name).unwrap_or_default(),
                trail: trail.clone(),
            })?;
            pool.set_ad_licensed(plan.licence_of(name).ad);
            exchange_steps::prepare(&pool, plan, name);
            let circumstances = plan.circumstances_of(name);
            let circumstances = circumstances.filter_map(|own| own.as_str().parse().ok());
            pool.set_circumstances(circumstances.collect(), &trail)?;
            if !plan.tls_verification_of(name) {
                pool.disable_tls_verification(&trail)?;
            }
        }
        let first_host = plan.hosts.first().map(|host| host.name.to_string());
        let pool = first_host.as_ref().map(|host| pool_of(&rig, host)).transpose()?;
        let cloud = match &plan.cloud {
            Some(cloud) => {
                let (seed, clock) = (seed.child("cloud"), time.clock());
                Some(OrderedWorld::build(cloud, seed, clock, ledger.clone(), &trail).await?)
            }
            None => None,
        };
        let mut secrets = secrets_of(&case.scenario);
        secrets.extend(cloud.iter().flat_map(OrderedWorld::secrets));
        let (time_clock, pki_trail) = (time.clock(), trail.clone());
        let mut world = Self {
            keeper: Timekeeper::new(time),
            ledger,
            trail,
            rig,
            pool,
            quirks,
            first_host,
            clients: Clients::default(),
            backgrounds: Backgrounds::default(),
            sessions: Sessions::default(),
            installed: BTreeMap::new(),
            edited: BTreeMap::new(),
            secrets,
            cloud,
            pinned,
            samba_client,
            pki: directory::Pki::build(plan, seed, time_clock, &pki_trail)?,
            domains,
            host_faults: BTreeMap::new(),
            folder,
            _roots: roots,
        };
        let trail = world.trail.clone();
        for host in plan.hosts.iter().filter(|host| !host.faults.is_empty()) {
            world.set_host_faults(&host.name, host.faults.iter().map(|f| f.as_str()), &trail)?;
        }
        for host in plan.hosts.iter() {
            for route in &host.routes {
                let faults = route.faults.iter().map(|fault| fault.as_str());
                world.set_route_faults(&host.name, &route.dc, faults, &trail)?;
            }
        }
        Ok(world)
    }

    /// Ends every server and every DC, and removes the hosts' files.
    pub(crate) async fn stop(mut self) {
        self.backgrounds.abort();
        self.clients.stop().await;
        if let Some(cloud) = self.cloud {
            cloud.stop().await;
        }
        for domain in self.domains {
            domain.stop().await;
        }
    }

    /// From now on everything is about the pool in which `host` is, or the first host.
    pub(crate) fn turn_to(&mut self, host: Option<&str>) -> Result<(), WorldError> {
        if let Some(host) = host.or(self.first_host.as_deref()) {
            self.pool = Some(pool_of(&self.rig, host)?);
        }
        Ok(())
    }

    /// The pool that the present step is about.
    pub(crate) fn pool(&self) -> Result<&Arc<Pool>, WorldError> {
        self.pool.as_ref().ok_or(WorldError::NoHost)
    }

    /// The cloud.
    pub(crate) fn cloud(&self) -> Result<&OrderedWorld, WorldError> {
        self.cloud
            .as_ref()
            .ok_or_else(|| WorldError::Unknown { what: "cloud", name: "cloud".to_owned() })
    }

    /// Lets no event hold these from now on.
    pub(crate) fn keep_secret(&mut self, secrets: Vec<String>) {
        self.secrets.extend(secrets);
        self.secrets.sort();
        self.secrets.dedup();
    }

    /// Sessions that steps have opened, by their names.
    pub(crate) fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, Reference>> {
        self.sessions.get()
    }

    /// The domains.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.domains.iter()
    }

    /// The domain controller called `name`, with its domain.
    pub(crate) fn dc(&self, name: &str) -> Result<(&Domain, &fake_dc::Dc), WorldError> {
        self.domains
            .iter()
            .find_map(|domain| Some((domain, domain.dc(name).ok()?)))
            .ok_or_else(|| WorldError::Unknown { what: "DC", name: name.to_owned() })
    }

    /// The domain called `name`.
    pub(crate) fn domain(&self, name: &str) -> Result<&Domain, WorldError> {
        find_domain(&self.domains, name)
    }

    /// The host called `name`.
    pub(crate) fn host(&self, name: &str) -> Result<Arc<sim_host::Host>, WorldError> {
        self.rig
            .host(name)
            .ok_or_else(|| WorldError::Unknown { what: "host", name: name.to_owned() })
    }

    /// The pool in which a host is at this moment.
    pub(crate) fn pool_of(&self, host: &str) -> Result<Arc<Pool>, WorldError> {
        pool_of(&self.rig, host)
    }

    /// The record of a host, whichever pool it is in.
    pub(crate) fn record_of(&self, host: &str) -> Result<HostRecord, WorldError> {
        let pool = self.pool_of(host)?;
        let reference = pool.host(host).map(|host| host.reference().clone());
        let records = pool.database_view();
        reference
            .and_then(|reference| records.host(&reference).cloned())
            .ok_or_else(|| WorldError::Unknown { what: "host", name: host.to_owned() })
    }

    /// The PEM text that `source` stands for at this moment.
    pub(crate) fn certificate(&self, source: &CertificateSource) -> Result<String, WorldError> {
        let of = |domain: &str, which| Ok(self.domain(domain)?.pki().certificate_pem(which)?);
        match source {
            CertificateSource::Pem(text) => Ok(text.clone()),
            CertificateSource::File(path) => read_text(&self.folder.join(path.as_str())),
            CertificateSource::Root(domain) => of(domain, CaCertificate::Root),
            CertificateSource::FormerRoot(domain) => {
                let never = || WorldError::NeverRenewed { domain: domain.to_string() };
                Ok(self.domain(domain)?.former_pki().ok_or_else(never)?.root_pem().to_owned())
            }
            CertificateSource::Intermediate(domain) => of(domain, CaCertificate::Intermediate),
            CertificateSource::OtherRoot(domain) => of(domain, CaCertificate::UnknownRoot),
            CertificateSource::TwinRoot(domain) => of(domain, CaCertificate::NamesakeRoot),
            CertificateSource::CaOf(dc) => {
                let anchor = self.dc(dc)?.1.chain().anchor_pem();
                anchor.ok_or_else(|| WorldError::NoAnchor { dc: dc.to_string() })
            }
            CertificateSource::Leaf(dc) => Ok(self.dc(dc)?.1.chain().leaf_pem()),
        }
    }

    /// Undoes what was done to `host` and does what `faults` say.
    pub(crate) fn set_host_faults<'f>(
        &mut self,
        host: &str,
        faults: impl Iterator<Item = &'f str>,
        trail: &Trail,
    ) -> Result<(), WorldError> {
        let faults = faults.map(str::parse).collect::<Result<Vec<HostFault>, _>>()?;
        let host = self.host(host)?;
        // A host trusts, or distrusts, the first domain: it can be a member of one only.
        let domain = self.domains.first();
        let set = self.host_faults.entry(host.name().to_owned()).or_default();
        let before: Vec<String> = set.all().iter().map(ToString::to_string).collect();
        let touched = set.replace(host.root(), host.skew(), domain, faults)?;
        let now: Vec<String> = set.all().iter().map(ToString::to_string).collect();
        let actor = trail.of(Actor::Host(host.name().to_owned()));
        for fault in before.iter().filter(|fault| !now.contains(fault)) {
            actor.record(HostFaultCleared { fault: fault.clone() });
        }
        for fault in now.iter().filter(|fault| !before.contains(fault)) {
            actor.record(HostFaultSet { fault: fault.clone() });
        }
        for path in touched {
            self.note_edit(host.name(), &path);
        }
        Ok(())
    }

    /// Puts `faults`, in place of others, on the way from `host` to `dc` alone.
    pub(crate) fn set_route_faults<'f>(
        &self,
        host: &str,
        dc: &str,
        faults: impl Iterator<Item = &'f str>,
        trail: &Trail,
    ) -> Result<(), WorldError> {
        let (domain, sound) = self.dc(dc)?;
        let faults: Vec<&str> = faults.collect();
        let none = faults.is_empty();
        let route = domain.set_route_faults_because(trail.cause(), host, dc, faults)?;
        if self.samba_client != SambaClient::Model {
            // The host has no other way.
            return Ok(());
        }
        let host = self.host(host)?;
        let mut network = host.network();
        let mut lead = |port: u16, direct, along| {
            let to = if none { direct } else { along };
            network.translations.insert((sound.ip(), port).into(), to);
        };
        lead(88, sound.kdc(), route.kdc);
        lead(389, sound.ldap(), route.ldap);
        lead(636, sound.ldaps(), route.ldaps);
        host.set_network(network);
        Ok(())
    }

    /// Notes that somebody changed `path` on `host` by hand.
    pub(crate) fn note_edit(&mut self, host: &str, path: &str) {
        self.edited.entry(host.to_owned()).or_default().push(path.to_owned());
    }
}

/// Something was done to a host.
#[derive(Debug, Serialize)]
pub(crate) struct HostFaultSet {
    /// The fault as text: `time.host-clock-behind:36h`.
    fault: String,
}
fact!(HostFaultSet, "host.fault-set");

/// It was undone.
#[derive(Debug, Serialize)]
pub(crate) struct HostFaultCleared {
    /// The fault as text.
    fault: String,
}
fact!(HostFaultCleared, "host.fault-cleared");

/// Host `index` from 0 manages itself under this address. No socket is bound to it: it only
/// appears in records.
fn host_address(index: usize) -> IpAddr {
    let last = u8::try_from(index + 1).unwrap_or(u8::MAX);
    IpAddr::from([192, 0, 2, last])
}

/// The standard ports of every DC lead to where it listens; every DC is a name server.
/// Where shared memory is mounted.
const SHARED_MEMORY: &str = "/dev/shm";

/// A folder for the hosts' files: in memory, unless somebody has said where (`TMPDIR`). A world makes
/// some hundred files and removes them again, for which a file system on disk takes as long as for all
/// the rest. The real programs get their own `/dev`.
fn new_folder(samba_client: SambaClient) -> io::Result<TempDir> {
    const PREFIX: &str = "trustrig-";

    let is_free = samba_client == SambaClient::Model && env::var_os("TMPDIR").is_none();
    let in_memory = is_free.then(|| TempDir::with_prefix_in(PREFIX, SHARED_MEMORY));
    match in_memory {
        Some(Ok(folder)) => Ok(folder),
        Some(Err(_)) | None => TempDir::with_prefix(PREFIX),
    }
}

/// One of the four million addresses from 127.64.0.0 on: DCs have the lowest.
fn loopback_of(seed: Seed) -> Ipv4Addr {
    let [a, b, c, ..] = *seed.uuid("address").as_bytes();
    Ipv4Addr::new(127, 64 | a & 0x3f, b, c)
}

fn network_of(domains: &[Domain]) -> Network {
    let mut network = Network::default();
    for dc in domains.iter().flat_map(Domain::dcs) {
        network.nameservers.push(dc.dns());
        // CLDAP has the number of LDAP: one entry serves both.
        network.translations.insert((dc.ip(), 88).into(), dc.kdc());
        network.translations.insert((dc.ip(), 389).into(), dc.ldap());
        network.translations.insert((dc.ip(), 636).into(), dc.ldaps());
    }
    network
}

fn dc_spec(dc: &Dc, folder: &Path) -> Result<DcSpec, WorldError> {
    let mut spec = DcSpec::new(dc.name.as_str());
    for fault in &dc.faults {
        spec = spec.fault(fault.as_str());
    }
    if let (Some(chain), Some(key)) = (&dc.chain, &dc.key) {
        let (chain, key) = (folder.join(chain.as_str()), folder.join(key.as_str()));
        let (chain_text, key_text) = (read_text(&chain)?, read_text(&key)?);
        spec = spec.chain(Chain::from_pem(
            &PemFile::new(&chain.to_string_lossy(), &chain_text),
            &PemFile::new(&key.to_string_lossy(), &key_text),
        )?);
    }
    if let Some(name) = &dc.netlogon_name {
        spec = spec.netlogon_name(name.as_str());
    }
    Ok(spec)
}

fn find_domain<'a>(domains: &'a [Domain], name: &str) -> Result<&'a Domain, WorldError> {
    domains
        .iter()
        .find(|domain| domain.name() == name)
        .ok_or_else(|| WorldError::Unknown { what: "domain", name: name.to_owned() })
}

/// The root of the forest that `domain` is in, unless it is that itself: the first domain of the
/// scenario among those that trusts within a forest join.
fn forest_root<'a>(plan: &'a scenario::World, domain: &str) -> Option<&'a str> {
    let mut forest = vec![domain];
    let mut index = 0;
    while let Some(&known) = forest.get(index) {
        for trust in plan.trusts.iter().filter(|t| t.kind == scenario::TrustKind::WithinForest) {
            for (one, other) in [(&trust.domain, &trust.partner), (&trust.partner, &trust.domain)] {
                if one.as_str() == known && !forest.contains(&other.as_str()) {
                    forest.push(other);
                }
            }
        }
        index += 1;
    }
    let root = plan.domains.iter().find(|each| forest.contains(&each.name.as_str()))?;
    (root.name.as_str() != domain).then_some(root.name.as_str())
}

fn pool_of(rig: &Rig, host: &str) -> Result<Arc<Pool>, WorldError> {
    rig.pool_of(host).ok_or_else(|| WorldError::Unknown { what: "host", name: host.to_owned() })
}

/// Makes both sides of a trust.
fn make_trust(domains: &[Domain], trust: &DomainTrust) -> Result<(), WorldError> {
    let kind = match trust.kind {
        scenario::TrustKind::External => TrustKind::External,
        scenario::TrustKind::Forest => TrustKind::Forest,
        scenario::TrustKind::WithinForest => TrustKind::WithinForest,
    };
    let direction = match trust.direction {
        scenario::TrustDirection::Both => TrustDirection::Both,
        scenario::TrustDirection::Inbound => TrustDirection::Inbound,
        scenario::TrustDirection::Outbound => TrustDirection::Outbound,
    };
    let one = find_domain(domains, &trust.domain)?;
    let other = find_domain(domains, &trust.partner)?;
    one.directory().trust(other.directory(), kind, direction).map_err(fake_dc::Error::from)?;
    one.forward_questions(other);
    other.forward_questions(one);
    Ok(())
}

fn read_text(path: &Path) -> Result<String, WorldError> {
    fs::read_to_string(path).map_err(|error| WorldError::File { path: path.to_owned(), error })
}

/// The passwords that the scenario's calls carry.
fn secrets_of(scenario: &Scenario) -> Vec<String> {
    let mut secrets: Vec<String> = scenario
        .steps
        .iter()
        .filter_map(|step| password_of(&step.action))
        .map(str::to_owned)
        .collect();
    secrets.sort();
    secrets.dedup();
    secrets
}

fn password_of(action: &Action) -> Option<&str> {
    let config = match action {
        Action::Pool(PoolCall::EnableExternalAuth(call)) => &call.config,
        Action::Pool(PoolCall::DisableExternalAuth(call)) => &call.config,
        Action::Pool(PoolCall::Join(join) | PoolCall::JoinForce(join)) => {
            return join.master_password.as_ref().map(scenario::Password::as_str);
        }
        Action::Host(HostAction::EnableExternalAuth(call)) => &call.config,
        Action::Host(HostAction::DisableExternalAuth(call)) => &call.config,
        Action::Session(SessionCall::LoginWithPassword(login)) => return Some(login.pwd.as_str()),
        Action::Net(NetCommand::AdsSearch(search)) => {
            return search.password.as_ref().map(scenario::Password::as_str);
        }
        Action::Wbinfo(WbinfoCommand::Krb5Auth(login)) => return Some(login.password.as_str()),
        Action::Client(ClientAction::Join(join)) => return Some(join.account.password.as_str()),
        Action::Xenapi(XenapiAction::Call(call)) => return xenapi::password_of(call),
        _ => return None,
    };
    config.0.get("pass").map(String::as_str)
}
