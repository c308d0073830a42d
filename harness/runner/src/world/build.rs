//! Builds a world as its scenario describes it.

use std::{
    collections::BTreeMap,
    env, io,
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

use fake_dc::{ClientCertificates, DcSpec, Domain};
use fake_dc_directory::{TrustDirection, TrustKind};
use fake_dc_pki::{Chain, PemFile};
use ground::{Actor, Ledger, Secret, Seed, Skew, VirtualClock};
use scenario::{Dc, DomainTrust};
use sim_host::{HostConfig, HostRoot, Network, PoolConfig, Quirks, Rig, SharedNetwork, Timekeeper};
use tempfile::TempDir;

use super::{
    ROOT_PASSWORD, World, WorldError, find_domain, pool_of, read_text, secrets::secrets_of,
};
use crate::{
    Case,
    calls::{Backgrounds, Sessions},
    exchange_steps,
    models::{directory, ordered::OrderedWorld, pinned::Parties},
    samba_client::{HostPart, SambaClient, real_programs},
    xenapi::Clients,
};

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
        if let Some(cloud) = &cloud {
            secrets.extend(cloud.secrets()?);
        }
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
            read: BTreeMap::new(),
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
}

/// Host `index` from 0 manages itself under this address. No socket is bound to it: it only
/// appears in records.
fn host_address(index: usize) -> IpAddr {
    let last = u8::try_from(index + 1).unwrap_or(u8::MAX);
    IpAddr::from([192, 0, 2, last])
}

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

/// The standard ports of every DC lead to where it listens; every DC is a name server.
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
