//! Those who show a certificate of a CA of the model, and proxies that stand before them.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
};

use fake_dc::Dc;
use fake_dc_pki::{CertificatePlan, Chain, ChainFault, KeyOwner, Purpose};
use ground::{Actor, Trail};
use scenario::{PkiInsertProxy, PkiProxied, PkiRenew, PkiRenewed};
use tokio::net::TcpListener;
use trust_models::pinned::{Dials, Identity, KeptIdentity, Proxy};

use super::{Issued, Pki, PkiError, ProxyInserted};
use crate::{
    exchange_steps::IDENTITY, models::secret_lines, steps::StepError, world::World, xenapi,
};

/// A certificate that was issued, with its key.
#[derive(Debug)]
pub(super) struct Certified {
    pub(super) ca: String,
    pub(super) own: CertificatePlan,
    pub(super) chain: Chain,
    /// Whose key it is.
    key: String,
}

/// Which key a certificate is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum KeyFor<'a> {
    /// That of a certificate.
    Kept(&'a Certified),
    /// Another one than those in this PEM.
    New { unlike: &'a str },
}

/// Who a proxy is in the ledger.
pub(super) const PROXY: &str = "proxy";
/// The port of LDAPS.
const LDAPS: u16 = 636;
/// How many owners are tried until one has another key.
pub(super) const ATTEMPTS: usize = 100;

/// Proxies in the way to somebody's port, in the order in which they were put there.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    standing: Vec<Standing>,
}

/// One proxy: a listener for every address that lies behind it.
#[derive(Debug)]
struct Standing {
    /// Where its victims look for whom it stands before.
    believed: SocketAddr,
    identity: Identity,
    trail: Trail,
    /// By whom they would meet without it.
    listeners: BTreeMap<SocketAddr, Proxy>,
}

impl Proxies {
    /// Whom somebody meets who looks for somebody at `believed`, and would come to `to` if no proxy were there.
    pub(crate) fn lead(
        &mut self,
        believed: SocketAddr,
        to: SocketAddr,
    ) -> Result<SocketAddr, PkiError> {
        let standing = self.standing.iter_mut().filter(|proxy| proxy.believed == believed);
        // The last was put before the others.
        standing.into_iter().try_fold(to, |behind, proxy| proxy.before(behind))
    }

    /// Waits until no conversation goes on.
    pub(crate) async fn settled(&self) {
        for proxy in self.standing.iter().flat_map(|standing| standing.listeners.values()) {
            proxy.settled().await;
        }
    }

    /// Ends all.
    pub(crate) async fn stop(self) {
        for proxy in self.standing.into_iter().flat_map(|standing| standing.listeners.into_values())
        {
            proxy.stop().await;
        }
    }
}

impl Standing {
    /// Where it listens for those who would come to `behind`.
    fn before(&mut self, behind: SocketAddr) -> Result<SocketAddr, PkiError> {
        if let Some(listener) = self.listeners.get(&behind) {
            return Ok(listener.address());
        }
        let proxy = start(&self.identity, behind, Dials::WhenSpokenTo, &self.trail)?;
        let address = proxy.address();
        self.listeners.insert(behind, proxy);
        Ok(address)
    }
}

impl Pki {
    /// Issues a certificate for the name.
    pub(super) fn issue_to_server(
        &mut self,
        name: &str,
        ca: &str,
        days: u32,
        faults: &[ChainFault],
        key: KeyFor<'_>,
    ) -> Result<Certified, PkiError> {
        let now = self.clock.now();
        for _ in 0..ATTEMPTS {
            let mut owner = String::new();
            let (chain, own) = self.authorities.issue(ca, now, days, faults, |leaf, number| {
                owner = match key {
                    KeyFor::Kept(former) => former.key.clone(),
                    KeyFor::New { .. } => format!("{name} {number}"),
                };
                leaf.named(name)
                    .also_named([name])
                    .keyed(KeyOwner::Named(owner.clone()))
                    .meant_for([Purpose::ServerAuth]);
            })?;
            let pem = chain.key.to_pem();
            // There are fewer keys than names of owners.
            if matches!(key, KeyFor::New { unlike } if unlike.contains(&pem)) {
                continue;
            }
            self.keys.extend(secret_lines(&pem));
            return Ok(Certified { ca: ca.to_owned(), own, chain, key: owner });
        }
        Err(PkiError::NoOtherKey { name: name.to_owned() })
    }

    /// What a proxy shows that has a certificate of `ca` for the name, and none of the keys in `unlike`.
    fn impostor(&mut self, name: &str, ca: &str, unlike: &str) -> Result<Identity, PkiError> {
        let certified = self.issue_to_server(name, ca, 365, &[], KeyFor::New { unlike })?;
        KeptIdentity::of(&certified.chain)
            .identity()
            .map_err(|error| PkiError::Server(error.to_string()))
    }
}

pub(super) fn renew(world: &mut World, renew: &PkiRenew, trail: &Trail) -> Result<(), StepError> {
    let faults = renew.faults.iter().map(|fault| fault.parse::<ChainFault>());
    let faults = faults.collect::<Result<Vec<_>, _>>().map_err(PkiError::from)?;
    let ca = renew.ca.as_ref().map(|ca| ca.value.clone());
    let (holder, ca) = match &renew.owner {
        PkiRenewed::Host(name) => {
            let host = world.host(name)?;
            let shown = host.root().read_text_if_present(IDENTITY)?.unwrap_or_default();
            let pki = &mut world.pki;
            // The language demands it.
            let ca = ca.unwrap_or_default();
            let former = pki.hosts.remove(name.as_str());
            let key = match &former {
                Some(former) if renew.keep_key => KeyFor::Kept(former),
                None if renew.keep_key => {
                    let (what, name) = ("host", name.to_string());
                    return Err(PkiError::NoCertificate { what, name }.into());
                }
                _ => KeyFor::New { unlike: &shown },
            };
            let new = pki.issue_to_server(name, &ca, renew.days, &faults, key)?;
            let text = format!("{}{}", new.chain.key.to_pem(), new.chain.to_pem());
            pki.hosts.insert(name.to_string(), new);
            host.root().write(IDENTITY, text.as_bytes(), 0o600)?;
            (name.to_string(), ca)
        }
        PkiRenewed::Server(name) => {
            let pki = &mut world.pki;
            let mut host = pki
                .servers
                .remove(name.as_str())
                .ok_or_else(|| PkiError::Unknown { what: "PKI server", name: name.to_string() })?;
            let ca = ca.unwrap_or_else(|| host.own.ca.clone());
            let shown = host.own.chain.key.to_pem();
            let key = match renew.keep_key {
                true => KeyFor::Kept(&host.own),
                false => KeyFor::New { unlike: &shown },
            };
            let new = pki.issue_to_server(name, &ca, renew.days, &faults, key);
            let shown = new.and_then(|new| {
                host.server
                    .switch_to(new.chain.certificates.clone(), new.chain.key.to_der())
                    .map_err(|error| PkiError::Server(error.to_string()))?;
                host.own = new;
                Ok(())
            });
            pki.servers.insert(name.to_string(), host);
            shown?;
            (name.to_string(), ca)
        }
    };
    trail.record(Issued { ca, holder });
    Ok(())
}

/// Puts a proxy in the way of everybody who connects: to LDAPS of a domain controller, to the service of a host from
/// other hosts, or to a server.
pub(super) fn insert_proxy(
    world: &mut World,
    insert: &PkiInsertProxy,
    trail: &Trail,
) -> Result<(), StepError> {
    let ca = insert.ca.value.as_str();
    let inserted = |before: &str| {
        let fact = ProxyInserted { before: before.to_owned(), ca: ca.to_owned() };
        trail.begin(fact).of(Actor::Host(PROXY.to_owned()))
    };
    match &insert.before {
        PkiProxied::Dc(name) => {
            let (_, dc) = world.dc(name.as_str())?;
            let (believed, dns_name) = (ldaps_of(dc), dc.dns_name().to_owned());
            let shown = dc.chain().key.to_pem();
            let hosts: Vec<_> = world.rig.pools().iter().flat_map(|pool| pool.hosts()).collect();
            if hosts.is_empty() && world.pki.directories.is_empty() {
                let why = "the world has no host and no PKI directory";
                return Err(PkiError::NobodyThere { before: name.to_string(), why }.into());
            }
            let identity = world.pki.impostor(&dns_name, ca, &shown)?;
            let (trail, listeners) = (inserted(&dns_name), BTreeMap::new());
            let mut standing = Standing { believed, identity, trail, listeners };
            for host in hosts {
                let mut network = host.network();
                let met = standing.before(network.route(believed))?;
                network.translations.insert(believed, met);
                host.set_network(network);
            }
            world.pki.proxies.standing.push(standing);
        }
        PkiProxied::Host(name) => {
            let shown = world.host(name)?.root().read_text_if_present(IDENTITY)?;
            let identity = world.pki.impostor(name.as_str(), ca, &shown.unwrap_or_default())?;
            // Hosts of one pool do not call each other over the wire.
            let alone = world.rig.pools().len() < 2;
            let Some(believed) = xenapi::believed_service(world, name)?.filter(|_| !alone) else {
                let why =
                    "only hosts of other pools call it over the wire, and there is no other pool";
                return Err(PkiError::NobodyThere { before: name.to_string(), why }.into());
            };
            let (trail, listeners) = (inserted(name), BTreeMap::new());
            // Hosts are led before each step.
            world.pki.proxies.standing.push(Standing { believed, identity, trail, listeners });
        }
        PkiProxied::Server(name) => {
            let shown = world.pki.server(name.as_str())?.own.chain.key.to_pem();
            let identity = world.pki.impostor(name.as_str(), ca, &shown)?;
            inserted(name);
            if let Some(host) = world.pki.servers.get_mut(name.as_str()) {
                host.proxy = Some(identity);
            }
        }
    }
    Ok(())
}

/// Where everybody looks for LDAPS of a domain controller.
pub(super) fn ldaps_of(dc: &Dc) -> SocketAddr {
    (dc.ip(), LDAPS).into()
}

/// A proxy before `target`.
pub(super) fn start(
    identity: &Identity,
    target: SocketAddr,
    dials: Dials,
    trail: &Trail,
) -> Result<Proxy, PkiError> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    Proxy::relay(TcpListener::from_std(listener)?, identity, target, dials, trail.clone())
        .map_err(|error| PkiError::Server(error.to_string()))
}
