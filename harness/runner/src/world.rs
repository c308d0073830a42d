//! The world of one case: a fake domain per domain of the scenario, a pool of hosts with empty
//! root directories, one clock, one ledger.

mod build;
mod error;
mod secrets;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, MutexGuard},
};

use fake_dc::Domain;
use fake_dc_pki::CaCertificate;
use ground::{Actor, Ledger, Trail, fact};
use scenario::CertificateSource;
use serde::Serialize;
use sim_host::{HostRecord, Pool, Quirks, Reference, Rig, Timekeeper};
use tempfile::TempDir;

pub(crate) use self::error::WorldError;
use crate::{
    calls::{Backgrounds, Sessions},
    host_faults::{HostFault, HostFaults},
    models::{directory, ordered::OrderedWorld, pinned::Parties},
    samba_client::SambaClient,
    xenapi::Clients,
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
    /// Texts that calls of the toolstack have returned, by the names of their steps.
    pub(crate) read: BTreeMap<String, String>,
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

impl World {
    /// Ends every server and every DC, and removes the hosts' files.
    pub(crate) async fn stop(mut self) {
        self.backgrounds.abort();
        self.pki.proxies.stop().await;
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
            CertificateSource::ReadBy(step) => {
                let read = self.read.get(step.as_str()).cloned();
                read.ok_or_else(|| WorldError::NothingRead { step: step.to_string() })
            }
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
        &mut self,
        host: &str,
        dc: &str,
        faults: impl Iterator<Item = &'f str>,
        trail: &Trail,
    ) -> Result<(), WorldError> {
        let (domain, sound) = self.dc(dc)?;
        let faults: Vec<&str> = faults.collect();
        let none = faults.is_empty();
        let route = domain.set_route_faults_because(trail.cause(), host, dc, faults)?;
        let (ip, direct) = (sound.ip(), [sound.kdc(), sound.ldap(), sound.ldaps()]);
        if self.samba_client != SambaClient::Model {
            // The host has no other way.
            return Ok(());
        }
        let host = self.host(host)?;
        let mut network = host.network();
        let to = if none { direct } else { [route.kdc, route.ldap, route.ldaps] };
        for (port, to) in [88, 389, 636].into_iter().zip(to) {
            let believed = (ip, port).into();
            network.translations.insert(believed, self.pki.proxies.lead(believed, to)?);
        }
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

fn find_domain<'a>(domains: &'a [Domain], name: &str) -> Result<&'a Domain, WorldError> {
    domains
        .iter()
        .find(|domain| domain.name() == name)
        .ok_or_else(|| WorldError::Unknown { what: "domain", name: name.to_owned() })
}

fn pool_of(rig: &Rig, host: &str) -> Result<Arc<Pool>, WorldError> {
    rig.pool_of(host).ok_or_else(|| WorldError::Unknown { what: "host", name: host.to_owned() })
}

fn read_text(path: &Path) -> Result<String, WorldError> {
    fs::read_to_string(path).map_err(|error| WorldError::File { path: path.to_owned(), error })
}
