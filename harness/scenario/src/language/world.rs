//! The scenario itself and the world it plays in.

use std::collections::BTreeMap;

use super::{
    CallName, Circumstance, ClientCertificates, CloudWorld, DcFault, DcName, DcRef, DnsName,
    DomainName, DomainRef, DownloadVariant, HostFault, HostName, HostPath, Kebab, PinnedAgent,
    PinnedManager, PkiDirectory, PkiServer, Purpose, QuirkName, RelativePath, RouteFault, Step,
    Time, Version,
};
use crate::{
    Span,
    grammar::{NonEmpty, Reader, Spanned},
    mistake::Mistake,
};

table! {
    /// A scenario: a world, the steps done to it, and what must be seen.
    pub struct Scenario {
        /// Version of the language: 1.
        pub version: Version,
        /// What is observed, in kebab case: `one-good-dc-among-bad`. Equals the folder's name.
        pub id: Spanned<Kebab>,
        /// One line for people.
        pub title: String,
        /// Story of the catalogue that this scenario tells.
        pub story: Option<Spanned<Kebab>>,
        /// Where the story comes from, such as `design request §3.2`.
        pub origin: Option<String>,
        /// Words to select scenarios by.
        pub tags: Vec<Spanned<Kebab>>,
        /// The scenario runs once in each of these profiles. Default: all.
        pub profiles: NonEmpty<Profile> = Profile::all(),
        /// Domains and hosts.
        pub world: World,
        /// What is done, in order.
        pub steps "step": NonEmpty<Spanned<Step>>,
    }
}

impl Scenario {
    /// The profiles that it is played in. Where no host is, one is as good as the other: the first.
    pub fn played_profiles(&self) -> impl Iterator<Item = Profile> + '_ {
        let count = if self.world.hosts.is_empty() { 1 } else { self.profiles.len() };
        self.profiles.iter().copied().take(count)
    }

    /// Ids of all faults that it sets somewhere, in the order of the text, with repeats.
    pub fn fault_ids(&self) -> Vec<&str> {
        let dcs = self.world.domains.iter().flat_map(|domain| domain.dcs.iter());
        let mut ids: Vec<&str> = dcs.flat_map(|dc| &dc.faults).map(|fault| fault.id()).collect();
        for host in &self.world.hosts {
            ids.extend(host.faults.iter().map(|fault| fault.id()));
            ids.extend(host.routes.iter().flat_map(|route| &route.faults).map(|f| f.id()));
        }
        for step in &self.steps {
            ids.extend(step.action.fault_ids());
        }
        ids
    }
}

words! {
    /// Behaviour of the toolstack (xapi-flows.md §0.1).
    pub enum Profile: "profile" {
        /// Revision 1 of the design request and the proposals of its review.
        DesignV1 = "design-v1",
        /// The released toolstack, API 2.23.
        Landed = "landed",
    }
}

impl Profile {
    fn all() -> NonEmpty<Self> {
        NonEmpty::new(Self::ALL.to_vec()).expect("there is more than one profile")
    }
}

table! {
    /// Domains with their domain controllers, the pool of hosts, the clock.
    pub struct World {
        /// Virtual time at the start. Default: 2026-08-21T02:00:23Z.
        pub clock: Time = Time::default(),
        /// Quirk toggles that differ from the profile's (xapi-flows.md §19).
        pub quirks: BTreeMap<QuirkName, bool>,
        /// Lines for `/etc/xapi.conf` of every host that has no own.
        pub xapi_conf: Option<String>,
        /// What the pool's licence allows.
        pub licence: Licence = Licence::default(),
        /// Whether hosts check each other's certificates. Default: `true`.
        pub tls_verification: bool = true,
        /// The call by which certificates get out of a pool of design-v1. Default: `d2`.
        pub download: DownloadVariant = DownloadVariant::D2,
        /// Active Directory domains.
        pub domains "domain": Vec<Spanned<Domain>>,
        /// Trusts between these domains.
        pub trusts "trust": Vec<Spanned<DomainTrust>>,
        /// What is not the same in every pool. A pool needs no entry to exist.
        pub pools "pool": Vec<Spanned<PoolSettings>>,
        /// PKI directories of clients.
        pub pki_directories "pki_directory": Vec<Spanned<PkiDirectory>>,
        /// TLS servers that may ask clients for certificates.
        pub pki_servers "pki_server": Vec<Spanned<PkiServer>>,
        /// Hosts; the first of each pool is its coordinator. A world of domains alone, or of a
        /// neighbouring model of trust, has none.
        pub hosts "host": Vec<Spanned<Host>>,
        /// A cloud whose certificates are uploaded in order.
        pub cloud: Option<Spanned<CloudWorld>>,
        /// Managers of pinned keys.
        pub managers "manager": Vec<Spanned<PinnedManager>>,
        /// Their agents.
        pub agents "agent": Vec<Spanned<PinnedAgent>>,
    }
    check World::check;
}

table! {
    /// What one pool has instead of what the world says for all.
    pub struct PoolSettings {
        /// Name of the pool, which a host has as its `pool`.
        pub name: Spanned<Kebab>,
        /// What its licence allows.
        pub licence: Option<Licence>,
        /// Whether its hosts check each other's certificates.
        pub tls_verification: Option<bool>,
        /// What keeps its host from joining another pool, or others from joining it.
        pub circumstances: Vec<Spanned<Circumstance>>,
        /// Calls that it does not know, as if it were older.
        pub lacks: Vec<Spanned<CallName>>,
        /// Purposes of certificates that it does not know, as if it were older.
        pub lacks_purposes: Vec<Purpose>,
    }
}

table! {
    /// Features of the pool's licence.
    pub struct Licence {
        /// Whether hosts may join a domain. Default: `true`.
        pub ad: bool = true,
    }
}

impl Default for Licence {
    fn default() -> Self {
        Self { ad: true }
    }
}

/// The pool of hosts that name none.
const FIRST_POOL: &str = "pool1";

impl Host {
    /// Name of the pool that it is in at the start.
    pub fn pool(&self) -> &str {
        self.pool.as_ref().map_or(FIRST_POOL, |pool| pool.as_str())
    }
}

impl World {
    /// Names of the pools, in the order of their coordinators.
    pub fn pool_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for host in &self.hosts {
            if !names.contains(&host.pool()) {
                names.push(host.pool());
            }
        }
        names
    }

    /// The licence of a pool.
    pub fn licence_of(&self, pool: &str) -> &Licence {
        self.settings_of(pool).and_then(|own| own.licence.as_ref()).unwrap_or(&self.licence)
    }

    /// What a pool is in that concerns joins.
    pub fn circumstances_of(&self, pool: &str) -> impl Iterator<Item = Circumstance> + '_ {
        let own = self.settings_of(pool).into_iter();
        own.flat_map(|own| own.circumstances.iter().map(|circumstance| circumstance.value))
    }

    /// Whether the hosts of a pool check each other's certificates.
    pub fn tls_verification_of(&self, pool: &str) -> bool {
        let own = self.settings_of(pool).and_then(|own| own.tls_verification);
        own.unwrap_or(self.tls_verification)
    }

    /// The calls that a pool does not know.
    pub fn lacked_by(&self, pool: &str) -> impl Iterator<Item = &str> + '_ {
        let own = self.settings_of(pool).into_iter();
        own.flat_map(|own| own.lacks.iter().map(|name| name.as_str()))
    }

    /// The purposes of certificates that a pool does not know.
    pub fn purposes_lacked_by(&self, pool: &str) -> impl Iterator<Item = &str> + '_ {
        let own = self.settings_of(pool).into_iter();
        own.flat_map(|own| own.lacks_purposes.iter().map(|purpose| purpose.as_str()))
    }

    fn settings_of(&self, pool: &str) -> Option<&PoolSettings> {
        let mut settings = self.pools.iter().map(|own| &own.value);
        settings.find(|own| own.name.as_str() == pool)
    }

    fn check(&self, span: Span, reader: &mut Reader<'_>) -> Option<()> {
        two_domains_have_one_trust(self, span, reader)?;
        pools_have_hosts(self, reader)
    }

    /// The lines of `/etc/xapi.conf` on `host`.
    pub fn xapi_conf_of<'a>(&'a self, host: &'a Host) -> Option<&'a str> {
        host.xapi_conf.as_deref().or(self.xapi_conf.as_deref())
    }

    /// The domain controller called `name`, with its domain.
    pub fn dc(&self, name: &str) -> Option<(&Domain, &Dc)> {
        self.domains.iter().find_map(|domain| {
            let dc = domain.dcs.iter().find(|dc| dc.name.as_str() == name)?;
            Some((&domain.value, &dc.value))
        })
    }
}

table! {
    /// An Active Directory domain.
    pub struct Domain {
        /// DNS name in lower case, such as `corp.example`.
        pub name: Spanned<DomainName>,
        /// Name from before Windows 2000. Default: the first label in upper case.
        pub netbios: Option<String>,
        /// Entries of the directory, relative to the scenario file. Default: built in.
        pub ldif: Option<Spanned<RelativePath>>,
        /// Whether its domain controllers ask clients for a certificate, which stands for an account.
        pub client_certificates: ClientCertificates = ClientCertificates::No,
        /// Domain controllers, in the order of their addresses.
        pub dcs "dc": NonEmpty<Spanned<Dc>>,
    }
}

table! {
    /// A trust between two domains, made on both sides ([MS-ADTS] 6.1.6).
    pub struct DomainTrust {
        /// The domain from which `direction` is seen.
        pub domain: Spanned<DomainRef>,
        /// The other domain.
        pub partner: Spanned<DomainRef>,
        /// Where the two stand to each other. Default: `forest`.
        pub kind: TrustKind = TrustKind::Forest,
        /// Who trusts whom. Default: `both`.
        pub direction: TrustDirection = TrustDirection::Both,
    }
    check partner_is_another_domain;
}

words! {
    /// Where the domains of a trust stand to each other.
    pub enum TrustKind: "kind of trust" {
        /// Of different forests, for these two domains alone.
        External = "external",
        /// The roots of different forests, for all of their domains.
        Forest = "forest",
        /// Of one forest.
        WithinForest = "within-forest",
    }
}

words! {
    /// Who trusts whom, as `domain` sees it (`trustDirection`).
    pub enum TrustDirection: "direction of trust" {
        /// Each the other.
        Both = "both",
        /// The partner trusts the domain.
        Inbound = "inbound",
        /// The domain trusts the partner.
        Outbound = "outbound",
    }
}

table! {
    /// A domain controller.
    pub struct Dc {
        /// Name without the domain, unique in the scenario: `dc1`.
        pub name: Spanned<DcName>,
        /// What is wrong with it at the start.
        pub faults: Vec<Spanned<DcFault>>,
        /// PEM file with a chain to serve as it is, leaf first; relative to the scenario file.
        pub chain: Option<Spanned<RelativePath>>,
        /// PEM file with the private key of `chain`.
        pub key: Option<Spanned<RelativePath>>,
        /// What the netlogon answer calls the DC. Default: its own DNS name.
        pub netlogon_name: Option<Spanned<DnsName>>,
    }
    check chain_has_its_key;
}

table! {
    /// A simulated host.
    pub struct Host {
        /// Name, unique among the hosts: `host1`.
        pub name: Spanned<HostName>,
        /// Name of the pool that it is in at the start. Default: `pool1`.
        pub pool: Option<Spanned<Kebab>>,
        /// What the host calls itself, with its domain or without. Default: its name.
        pub hostname: Option<String>,
        /// Lines for its `/etc/xapi.conf`, instead of the world's.
        pub xapi_conf: Option<String>,
        /// Files that exist before the toolstack starts.
        pub files "file": Vec<Spanned<InitialFile>>,
        /// What is wrong with it at the start.
        pub faults: Vec<Spanned<HostFault>>,
        /// What is wrong with its ways to domain controllers at the start.
        pub routes "route": Vec<Spanned<Route>>,
    }
}

table! {
    /// The way from a host to a domain controller.
    pub struct Route {
        /// The domain controller.
        pub dc: Spanned<DcRef>,
        /// What is wrong with the way.
        pub faults: Vec<Spanned<RouteFault>>,
    }
}

table! {
    /// A file that exists before the toolstack starts.
    pub struct InitialFile {
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
        /// Content.
        pub text: String,
    }
}

fn chain_has_its_key(dc: &Dc, span: Span, reader: &mut Reader<'_>) -> Option<()> {
    let key = match (&dc.chain, &dc.key) {
        (Some(_), None) => "key",
        (None, Some(_)) => "chain",
        _ => return Some(()),
    };
    reader.report(span, Mistake::MissingKey { key });
    None
}

fn partner_is_another_domain(trust: &DomainTrust, _: Span, reader: &mut Reader<'_>) -> Option<()> {
    if trust.domain.as_str() != trust.partner.as_str() {
        return Some(());
    }
    let mistake = Mistake::Malformed {
        what: "partner",
        text: trust.partner.to_string(),
        rule: "another domain than the one that has the trust".into(),
    };
    reader.report(trust.partner.span.clone(), mistake);
    None
}

fn pools_have_hosts(world: &World, reader: &mut Reader<'_>) -> Option<()> {
    let names = world.pool_names();
    let mut all_have = Some(());
    for own in &world.pools {
        if !names.contains(&own.name.as_str()) {
            let mistake = Mistake::Malformed {
                what: "pool",
                text: own.name.to_string(),
                rule: "one that a host has as its `pool`".into(),
            };
            reader.report(own.name.span.clone(), mistake);
            all_have = None;
        }
    }
    all_have
}

fn two_domains_have_one_trust(world: &World, _: Span, reader: &mut Reader<'_>) -> Option<()> {
    let mut first: BTreeMap<[&DomainRef; 2], &Span> = BTreeMap::new();
    let mut all_once = Some(());
    for trust in &world.trusts {
        let mut pair = [&trust.domain.value, &trust.partner.value];
        pair.sort();
        if let Some(first) = first.get(&pair) {
            let name = format!("{}` and `{}", pair[0], pair[1]);
            let mistake = Mistake::Duplicate { what: "trust of", name };
            reader.report_beside(trust.span.clone(), mistake, (*first).clone());
            all_once = None;
        } else {
            first.insert(pair, &trust.span);
        }
    }
    all_once
}
