//! The records that the DCs of a domain register.
//!
//! Names and values as the Netlogon service registers them (MS-ADTS 6.3.2.3, "DNS Record
//! Registrations"; the same set in `netlogon.dns` of Windows Server 2022 and in the captures of
//! Samba 4.22.11). The ports are those that the DC really has.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    slice,
};

use hickory_proto::{
    ProtoError,
    rr::{
        LowerName, Name, RData, Record,
        rdata::{A, CNAME, NS, SOA, SRV},
    },
};

/// Seconds that every record but the SOA may be cached.
pub(crate) const TTL: u32 = 900;

const SOA_TTL: u32 = 3_600;

/// The port of a KDC wherever ours listens: xapi drops every other that a lookup brings.
const KERBEROS_PORT: u16 = 88;

/// The port of a service that no listener of ours provides. It is registered all the same: a DC
/// without it would be none.
const KPASSWD_PORT: u16 = 464;

/// The standard ports, where nobody gives others.
const LDAP_PORT: u16 = 389;
const GLOBAL_CATALOG_PORT: u16 = 3_268;

/// What one DC registers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Registration {
    /// The DC's name, `dc1.corp.example`.
    pub(crate) host: Name,
    /// Where the DC is.
    pub(crate) address: Ipv4Addr,
    /// The addresses of its name: where it is, unless a fault says otherwise.
    pub(crate) addresses: Vec<Ipv4Addr>,
    pub(crate) ldap_port: u16,
    pub(crate) gc_port: u16,
    pub(crate) kerberos_port: u16,
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
    pub(crate) fn new(host: Name, address: Ipv4Addr, settings: String) -> Self {
        Self {
            host,
            address,
            addresses: vec![address],
            ldap_port: LDAP_PORT,
            gc_port: GLOBAL_CATALOG_PORT,
            kerberos_port: KERBEROS_PORT,
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

/// The zones `corp.example` and `_msdcs.corp.example`.
#[derive(Debug)]
pub(crate) struct Zone {
    domain: Name,
    msdcs: Name,
    records: BTreeMap<LowerName, Vec<RData>>,
    /// Every name that exists, those between a record and its zone included.
    names: BTreeSet<LowerName>,
}

impl Zone {
    /// The zones of a domain whose DCs have registered, in the order of SRV answers.
    pub(crate) fn new(
        domain: &Name,
        site: &str,
        domain_guid: &str,
        dcs: &[Registration],
    ) -> Result<Self, ProtoError> {
        let mut zone = Self {
            domain: domain.clone(),
            msdcs: domain.prepend_label("_msdcs")?,
            records: BTreeMap::new(),
            names: BTreeSet::new(),
        };
        zone.add(domain.clone(), None);
        zone.add(zone.msdcs.clone(), None);
        for (index, dc) in dcs.iter().enumerate() {
            let addresses: Vec<RData> = dc.addresses.iter().map(|&ip| RData::A(A(ip))).collect();
            let (target, records) = match &dc.srv_target {
                None => (&dc.host, addresses.as_slice()),
                Some((name, record)) => (name, slice::from_ref(record)),
            };
            for address in &addresses {
                zone.add(dc.host.clone(), Some(address.clone()));
                zone.add(domain.clone(), Some(address.clone()));
                zone.add(zone.name("gc._msdcs")?, Some(address.clone()));
            }
            for record in records {
                zone.add_once(target.clone(), record.clone());
            }
            zone.add(domain.clone(), Some(RData::NS(NS(dc.host.clone()))));
            zone.add(
                zone.name(&format!("{}._msdcs", dc.settings))?,
                Some(RData::CNAME(CNAME(dc.host.clone()))),
            );
            for (owner, port) in services(site, domain_guid, dc, index == 0) {
                let service = SRV::new(dc.priority, dc.weight, port, target.clone());
                zone.add(zone.name(&owner)?, Some(RData::SRV(service)));
            }
        }
        Ok(zone)
    }

    /// The zone that `name` is in.
    pub(crate) fn apex_of(&self, name: &Name) -> Option<&Name> {
        [&self.msdcs, &self.domain].into_iter().find(|apex| apex.zone_of(name))
    }

    /// The records of `name`; `None` if there is no such name.
    pub(crate) fn lookup(&self, name: &Name) -> Option<&[RData]> {
        let name = LowerName::new(name);
        match self.records.get(&name) {
            Some(records) => Some(records),
            None => self.names.contains(&name).then_some(&[]),
        }
    }

    /// The SOA record of a zone, as the DC `server` gives it.
    pub(crate) fn soa(&self, apex: &Name, server: &Name) -> Record {
        let contact = self.domain.prepend_label("hostmaster").unwrap_or_else(|_| Name::root());
        let data = SOA::new(server.clone(), contact, 1, 900, 600, 86_400, 3_600);
        Record::from_rdata(apex.clone(), SOA_TTL, RData::SOA(data))
    }

    fn name(&self, relative: &str) -> Result<Name, ProtoError> {
        Name::from_ascii(relative)?.append_domain(&self.domain)
    }

    fn add_once(&mut self, name: Name, data: RData) {
        let known = self.records.get(&LowerName::new(&name));
        if !known.is_some_and(|records| records.contains(&data)) {
            self.add(name, Some(data));
        }
    }

    fn add(&mut self, name: Name, data: Option<RData>) {
        let owner = LowerName::new(&name);
        if let Some(data) = data {
            self.records.entry(owner).or_default().push(data);
        }
        let mut name = name;
        while self.domain.zone_of(&name) {
            self.names.insert(LowerName::new(&name));
            name = name.base_name();
        }
    }
}

/// Owners below the domain and ports of a DC's SRV records.
fn services(site: &str, domain_guid: &str, dc: &Registration, is_pdc: bool) -> Vec<(String, u16)> {
    let (ldap, kerberos) = (dc.ldap_port, dc.kerberos_port);
    let mut services = vec![
        (format!("_ldap._tcp.{domain_guid}.domains._msdcs"), ldap),
        ("_kpasswd._tcp".to_owned(), KPASSWD_PORT),
        ("_kpasswd._udp".to_owned(), KPASSWD_PORT),
        ("_kerberos._udp".to_owned(), kerberos),
        ("_ldap._tcp.DomainDnsZones".to_owned(), ldap),
        ("_ldap._tcp.ForestDnsZones".to_owned(), ldap),
    ];
    if is_pdc {
        services.push(("_ldap._tcp.pdc._msdcs".to_owned(), ldap));
    }
    let sited = [
        ("_ldap._tcp", "", ldap),
        ("_ldap._tcp", ".dc._msdcs", ldap),
        ("_ldap._tcp", ".gc._msdcs", dc.gc_port),
        ("_gc._tcp", "", dc.gc_port),
        ("_kerberos._tcp", "", kerberos),
        ("_kerberos._tcp", ".dc._msdcs", kerberos),
    ];
    for (service, role, port) in sited {
        services.push((format!("{service}{role}"), port));
        services.push((format!("{service}.{site}._sites{role}"), port));
    }
    services
}
