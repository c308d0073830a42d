//! What `fake-dc serve` says on standard output: one JSON line per DC, and the ready line.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    net::Ipv4Addr,
    path::Path,
};

use fake_dc::{Domain, Fault, Ports};
use serde::Serialize;

use crate::{behind::BehindLine, ca_file::CaFile, clone::CloneFolder};

/// What is served beside the domain.
pub(crate) struct Served<'a> {
    pub(crate) ca_file: &'a CaFile,
    pub(crate) clones: &'a BTreeMap<String, CloneFolder>,
    pub(crate) seed: u64,
    pub(crate) health: Option<String>,
    pub(crate) control: Option<String>,
    pub(crate) behind: Option<&'a BehindLine>,
}

/// One line per DC, and the line that says that all of them serve.
pub(crate) fn announce(domain: &Domain, served: Served<'_>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for dc in domain.dcs() {
        let line = DcLine {
            name: dc.name(),
            dns_name: dc.dns_name(),
            address: dc.ip(),
            dns: dc.dns().port(),
            kdc: dc.kdc().port(),
            kpasswd: dc.kpasswd().port(),
            cldap: dc.cldap().port(),
            ldap: dc.ldap().port(),
            ldaps: dc.ldaps().port(),
            gc: dc.gc().port(),
            gcs: dc.gcs().port(),
            url: format!("ldaps://{}", dc.ldaps()),
            ca_file: served
                .clones
                .get(dc.name())
                .and_then(|clone| clone.ca_file.as_deref())
                .unwrap_or(served.ca_file.path()),
            faults: dc.faults(),
            behind: served.behind,
        };
        writeln!(out, "{}", serde_json::to_string(&line)?)?;
    }
    let line = ReadyLine {
        ready: true,
        version: 1,
        domain: domain.name(),
        dcs: domain.dcs().len(),
        standard_ports: domain.dcs().all(|dc| dc.ports() == Ports::STANDARD),
        ca_file: served.ca_file.path(),
        seed: served.seed,
        health: served.health,
        control: served.control,
    };
    writeln!(out, "{}", serde_json::to_string(&line)?)?;
    out.flush()
}

/// Where a DC is.
#[derive(Serialize)]
struct DcLine<'a> {
    name: &'a str,
    dns_name: &'a str,
    address: Ipv4Addr,
    dns: u16,
    kdc: u16,
    kpasswd: u16,
    cldap: u16,
    ldap: u16,
    ldaps: u16,
    gc: u16,
    gcs: u16,
    /// Works as it is with the CA file: sound certificates name the address.
    url: String,
    ca_file: &'a Path,
    faults: Vec<Fault>,
    /// The real DC behind it, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    behind: Option<&'a BehindLine>,
}

/// The last line: every listener of every DC takes connections.
#[derive(Serialize)]
struct ReadyLine<'a> {
    ready: bool,
    /// Version of these lines.
    version: u32,
    domain: &'a str,
    dcs: usize,
    /// Whether every DC has the ports that Samba's programs look for.
    standard_ports: bool,
    ca_file: &'a Path,
    seed: u64,
    /// Where [`crate::health`] listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<String>,
    /// Where [`crate::control`] listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    control: Option<String>,
}
