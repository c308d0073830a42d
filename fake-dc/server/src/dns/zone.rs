//! The records that the DCs of a domain register.
//!
//! Names and values as the Netlogon service registers them (MS-ADTS 6.3.2.3, "DNS Record
//! Registrations"; the same set in `netlogon.dns` of Windows Server 2022 and in the zones of Samba
//! 4.22). The ports are those that the DC really has. The reverse zones are what administrators
//! add by hand.

use std::{
    collections::{BTreeMap, HashSet},
    net::Ipv4Addr,
    slice,
};

use fake_dc_directory::{Directory, Flavour};
use hickory_proto::{
    ProtoError,
    rr::{
        LowerName, Name, RData, Record,
        rdata::{A, CNAME, NS, PTR, SOA, SRV},
    },
};

/// Seconds that every record but the SOA may be cached.
pub(crate) const TTL: u32 = 900;

const SOA_TTL: u32 = 3_600;

/// The port of a KDC wherever ours listens: xapi drops every other that a lookup brings.
const KERBEROS_PORT: u16 = 88;

/// The standard ports, where nobody gives others.
const KPASSWD_PORT: u16 = 464;
const LDAP_PORT: u16 = 389;
const GLOBAL_CATALOG_PORT: u16 = 3_268;

/// What one DC registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    /// The DC's name, `dc1.corp.example`.
    pub(crate) host: Name,
    /// The site that the DC is in.
    pub(crate) site: String,
    /// Where the DC is.
    pub(crate) address: Ipv4Addr,
    /// The addresses of its name: where it is, unless a fault says otherwise.
    pub(crate) addresses: Vec<Ipv4Addr>,
    pub(crate) ldap_port: u16,
    pub(crate) gc_port: u16,
    pub(crate) kerberos_port: u16,
    pub(crate) kpasswd_port: u16,
    /// Of its SRV records (RFC 2782), as is the weight.
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    /// Name of the DC's settings object, a GUID; alias of the DC below `_msdcs`.
    pub(crate) settings: String,
    /// The name that its SRV records lead to and the record of that name, where a fault leads them
    /// elsewhere than to the DC.
    pub(crate) srv_target: Option<(Name, RData)>,
}

impl Registration {
    pub(crate) fn new(host: Name, site: String, address: Ipv4Addr, settings: String) -> Self {
        Self {
            host,
            site,
            address,
            addresses: vec![address],
            ldap_port: LDAP_PORT,
            gc_port: GLOBAL_CATALOG_PORT,
            kerberos_port: KERBEROS_PORT,
            kpasswd_port: KPASSWD_PORT,
            priority: 0,
            weight: 100,
            settings,
            srv_target: None,
        }
    }

    /// The DC's name with something in front of its first label.
    pub(crate) fn sibling(&self, prefix: &str) -> Option<Name> {
        let first = self.host.iter().next()?;
        let label = format!("{prefix}{}", String::from_utf8_lossy(first));
        self.host.base_name().prepend_label(label.as_str()).ok()
    }
}

/// The zones `corp.example` and `_msdcs.corp.example`, and those that lead from addresses of DCs
/// back to their names.
#[derive(Debug)]
pub(crate) struct Zone {
    domain: Name,
    /// The root domain of the forest, under whose name catalogues and settings are looked for.
    forest: Name,
    /// The longer ones first.
    apexes: Vec<Name>,
    /// Every name that exists. One between a record and its zone does not: both products say
    /// NXDOMAIN there (observed of Samba 4.22.6).
    records: BTreeMap<LowerName, Vec<RData>>,
    /// The same while the DCs register: each registers much that others have registered.
    registered: HashSet<(LowerName, RData)>,
}

impl Zone {
    /// The zones of a domain whose DCs have registered, in the order of SRV answers. Those of the
    /// first DC's site cover the sites that have no DC. Reverse zones are a Windows DNS server's; a
    /// Samba that was just provisioned has none.
    pub(crate) fn new(
        domain: &Name,
        directory: &Directory,
        dcs: &[Registration],
    ) -> Result<Self, ProtoError> {
        let mut forest = Name::from_ascii(directory.forest_name())?;
        forest.set_fqdn(true);
        let mut apexes = vec![domain.prepend_label("_msdcs")?, domain.clone()];
        if forest != *domain {
            // Every DNS server of a forest has this zone.
            apexes.push(forest.prepend_label("_msdcs")?);
        }
        let (records, registered) = (BTreeMap::new(), HashSet::new());
        let mut zone = Self { domain: domain.clone(), forest, apexes, records, registered };
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        let mut uncovered = directory.covered_sites();
        uncovered.retain(|site| !dcs.iter().any(|dc| same(&dc.site, site)));
        let guid = directory.domain_guid().to_string();
        let covering = dcs.first().map_or("", |first| &first.site);
        for (index, dc) in dcs.iter().enumerate() {
            let mut sites = vec![dc.site.as_str()];
            if same(&dc.site, covering) {
                sites.extend(uncovered.iter().map(String::as_str));
            }
            zone.register(dc, &sites, &guid, index == 0)?;
            if directory.flavour() != Flavour::Samba4_22 {
                zone.register_reverse(dc);
            }
        }
        zone.registered = HashSet::new();
        Ok(zone)
    }

    fn register(
        &mut self,
        dc: &Registration,
        sites: &[&str],
        domain_guid: &str,
        is_pdc: bool,
    ) -> Result<(), ProtoError> {
        let addresses: Vec<RData> = dc.addresses.iter().map(|&ip| RData::A(A(ip))).collect();
        let (target, records) = match &dc.srv_target {
            None => (&dc.host, addresses.as_slice()),
            Some((name, record)) => (name, slice::from_ref(record)),
        };
        let forest_zone = self.forest.prepend_label("_msdcs")?;
        for apex in [self.domain.clone(), self.name("_msdcs")?, forest_zone] {
            self.add(&apex, RData::NS(NS(dc.host.clone())));
        }
        for address in &addresses {
            self.add(&dc.host, address.clone());
            for shared in ["", "gc._msdcs", "DomainDnsZones", "ForestDnsZones"] {
                self.add(&self.name(shared)?, address.clone());
            }
        }
        for record in records {
            self.add(target, record.clone());
        }
        let alias = self.name(&format!("{}._msdcs", dc.settings))?;
        self.add(&alias, RData::CNAME(CNAME(dc.host.clone())));
        for (owner, port) in services(sites, domain_guid, dc, is_pdc) {
            let service = SRV::new(dc.priority, dc.weight, port, target.clone());
            self.add(&self.name(&owner)?, RData::SRV(service));
        }
        Ok(())
    }

    /// The way back from the DC's address to its name, in a zone of 256 addresses.
    fn register_reverse(&mut self, dc: &Registration) {
        let reverse = Name::from(dc.address);
        let apex = reverse.base_name();
        self.add(&apex, RData::NS(NS(dc.host.clone())));
        self.add(&reverse, RData::PTR(PTR(dc.host.clone())));
        if !self.apexes.contains(&apex) {
            self.apexes.push(apex);
        }
    }

    /// The zone that `name` is in.
    pub(crate) fn apex_of(&self, name: &Name) -> Option<&Name> {
        self.apexes.iter().find(|apex| apex.zone_of(name))
    }

    /// The records of `name`; `None` if there is no such name.
    pub(crate) fn lookup(&self, name: &Name) -> Option<&[RData]> {
        self.records.get(&LowerName::new(name)).map(Vec::as_slice)
    }

    /// The SOA record of a zone, as the DC `server` gives it.
    pub(crate) fn soa(&self, apex: &Name, server: &Name) -> Record {
        let contact = self.domain.prepend_label("hostmaster").unwrap_or_else(|_| Name::root());
        let data = SOA::new(server.clone(), contact, 1, 900, 600, 86_400, 3_600);
        Record::from_rdata(apex.clone(), SOA_TTL, RData::SOA(data))
    }

    fn name(&self, relative: &str) -> Result<Name, ProtoError> {
        let relative_name = Name::from_ascii(relative)?;
        let domain = if is_of_forest(relative) { &self.forest } else { &self.domain };
        relative_name.append_domain(domain)
    }

    fn add(&mut self, name: &Name, data: RData) {
        let name = LowerName::new(name);
        if self.registered.insert((name.clone(), data.clone())) {
            self.records.entry(name).or_default().push(data);
        }
    }
}

/// Whether it is the forest's name that this is registered below ([MS-ADTS] 6.3.2.3): catalogues,
/// domains by their GUIDs, aliases of DCs, zones of the forest.
fn is_of_forest(relative: &str) -> bool {
    let of_domain = ["dc._msdcs", "pdc._msdcs"];
    let below_msdcs = relative.ends_with("._msdcs");
    (below_msdcs && !of_domain.iter().any(|role| relative.ends_with(&format!(".{role}"))))
        || relative.starts_with("_gc._tcp")
        || relative.ends_with("ForestDnsZones")
}

/// Owners below the domain or the forest and ports of a DC's SRV records.
fn services(
    sites: &[&str],
    domain_guid: &str,
    dc: &Registration,
    is_pdc: bool,
) -> Vec<(String, u16)> {
    let (ldap, gc, kerberos) = (dc.ldap_port, dc.gc_port, dc.kerberos_port);
    let mut services = vec![
        (format!("_ldap._tcp.{domain_guid}.domains._msdcs"), ldap),
        ("_kpasswd._tcp".to_owned(), dc.kpasswd_port),
        ("_kpasswd._udp".to_owned(), dc.kpasswd_port),
        ("_kerberos._udp".to_owned(), kerberos),
    ];
    if is_pdc {
        services.push(("_ldap._tcp.pdc._msdcs".to_owned(), ldap));
    }
    let sited = [
        ("_ldap._tcp", "", ldap),
        ("_ldap._tcp", ".dc._msdcs", ldap),
        ("_ldap._tcp", ".gc._msdcs", gc),
        ("_ldap._tcp", ".DomainDnsZones", ldap),
        ("_ldap._tcp", ".ForestDnsZones", ldap),
        ("_gc._tcp", "", gc),
        ("_kerberos._tcp", "", kerberos),
        ("_kerberos._tcp", ".dc._msdcs", kerberos),
    ];
    for (service, role, port) in sited {
        services.push((format!("{service}{role}"), port));
        let of_site = |site| (format!("{service}.{site}._sites{role}"), port);
        services.extend(sites.iter().map(of_site));
    }
    services
}
