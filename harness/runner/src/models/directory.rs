//! PKI directories with their applications, and the servers they connect to.
//!
//! A CA is there as soon as somebody names it. One that has the name of a domain is the domain's own, as it was at the
//! beginning: `domain.renew_ca` does not renew it for this model.

mod authority;
mod connect;
mod dc;
mod servers;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use fake_dc_pki::{AltName, CertificatePlan, KeyOwner, Purpose};
use ground::{Actor, Clock, Seed, Skew, Trail, fact};
use scenario::{
    ClientCertificates, PkiAction, PkiEnrol, PkiFetchList, PkiHolder, PkiOwner, World as Plan,
};
use serde::Serialize;
use tempfile::TempDir;
use trust_models::{
    directory::{
        CertData, ClientPolicy, ClientTrust, ConnectError, DataKind, PkiDirectory, Server,
        SetupError,
    },
    pinned::Identity,
};

use self::{
    authority::Authorities,
    servers::{ATTEMPTS, Certified, KeyFor, Proxies},
};
use super::{Refusal, files_below, secret_lines};
use crate::{
    steps::StepError,
    world::{World, WorldError},
};

/// The kinds of all facts below.
pub(crate) const KINDS: &[&str] = &[
    ClockSet::KIND,
    Issued::KIND,
    KeyReplaced::KIND,
    ListFetched::KIND,
    ProxyInserted::KIND,
    Revoked::KIND,
    dc::Bound::KIND,
];

/// Somebody has set the clock of the machine that has a directory.
#[derive(Debug, Serialize)]
struct ClockSet {
    directory: String,
    /// In seconds.
    behind: u64,
}
fact!(ClockSet, "pki.clock-set");

/// Somebody has put another client key into a directory.
#[derive(Debug, Serialize)]
struct KeyReplaced {
    directory: String,
}
fact!(KeyReplaced, "pki.key-replaced");

/// A CA has issued a certificate.
#[derive(Debug, Serialize)]
struct Issued {
    ca: String,
    /// The server, or the directory of the client.
    holder: String,
}
fact!(Issued, "pki.issued");

/// A CA has revoked a certificate.
#[derive(Debug, Serialize)]
struct Revoked {
    ca: String,
    holder: String,
}
fact!(Revoked, "pki.revoked");

/// Somebody has got a revocation list.
#[derive(Debug, Serialize)]
struct ListFetched {
    ca: String,
    holder: String,
}
fact!(ListFetched, "pki.list-fetched");

/// A proxy that ends TLS stands before somebody.
#[derive(Debug, Serialize)]
struct ProxyInserted {
    before: String,
    /// The CA that it has its certificate of.
    ca: String,
}
fact!(ProxyInserted, "pki.proxy-inserted");

/// Everything of the model in one world.
#[derive(Debug)]
pub(crate) struct Pki {
    authorities: Authorities,
    directories: BTreeMap<String, Directory>,
    servers: BTreeMap<String, Host>,
    /// Hosts of pools that have got a certificate of a CA.
    hosts: BTreeMap<String, Certified>,
    pub(crate) proxies: Proxies,
    clock: Clock,
    /// Lines of all private keys.
    keys: BTreeSet<String>,
    folder: TempDir,
}

#[derive(Debug)]
struct Directory {
    path: PathBuf,
    ca: String,
    /// How wrong the clock of its machine is.
    skew: Skew,
    /// Its client certificate, and the CA that issued it.
    own: Option<(String, CertificatePlan)>,
}

#[derive(Debug)]
struct Host {
    server: Server,
    demand: ClientCertificates,
    own: Certified,
    /// The CA whose clients it lets in.
    client_ca: String,
    /// What the proxy shows that stands before it.
    proxy: Option<Identity>,
}

/// Why something of the model cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PkiError {
    #[error("the {what} `{name}` has no certificate of a CA")]
    NoCertificate { what: &'static str, name: String },
    #[error("all keys for `{name}` in such a chain are one and the same")]
    NoOtherKey { name: String },
    #[error("nobody would meet a proxy before `{before}`: {why}")]
    NobodyThere { before: String, why: &'static str },
    #[error("a file of the PKI directory: {0}")]
    File(#[from] io::Error),
    #[error(transparent)]
    Pki(#[from] fake_dc_pki::PkiError),
    #[error("a server: {0}")]
    Server(String),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("the {what} `{name}` is not in the world")]
    Unknown { what: &'static str, name: String },
}

impl PkiError {
    pub(crate) fn is_wrong_input(&self) -> bool {
        !matches!(self, Self::File(_) | Self::Server(_))
    }
}

impl From<PkiError> for StepError {
    fn from(error: PkiError) -> Self {
        WorldError::from(error).into()
    }
}

impl Pki {
    pub(crate) fn build(
        plan: &Plan,
        seed: Seed,
        clock: Clock,
        trail: &Trail,
    ) -> Result<Self, PkiError> {
        let domains = plan.domains.iter().map(|domain| domain.name.to_string()).collect();
        let mut pki = Self {
            authorities: Authorities::new(domains, seed, clock.now()),
            directories: BTreeMap::new(),
            servers: BTreeMap::new(),
            hosts: BTreeMap::new(),
            proxies: Proxies::default(),
            clock,
            keys: BTreeSet::new(),
            folder: tempfile::tempdir()?,
        };
        for directory in &plan.pki_directories {
            let path = pki.folder.path().join(directory.name.as_str());
            write(&path, DataKind::CaCertificate, &pki.authorities.root(&directory.ca)?)?;
            let ca = directory.ca.value.clone();
            let made = Directory { path, ca, skew: Skew::default(), own: None };
            pki.directories.insert(directory.name.to_string(), made);
        }
        for planned in &plan.pki_servers {
            let name = planned.name.as_str();
            let own =
                pki.issue_to_server(name, &planned.ca, 365, &[], KeyFor::New { unlike: "" })?;
            let (certificates, key) = (own.chain.certificates.clone(), own.chain.key.to_der());
            let trail = trail.of(Actor::Host(name.to_owned()));
            let server = Server::new(certificates, key, pki.clock.clone(), trail)
                .map_err(|error| PkiError::Server(error.to_string()))?
                .saying_consent();
            let (demand, client_ca) = (planned.client_certificates, planned.ca.value.clone());
            let host = Host { server, demand, own, client_ca, proxy: None };
            host.judge_by(&pki.authorities.root(&planned.ca)?, None)?;
            pki.servers.insert(name.to_owned(), host);
        }
        Ok(pki)
    }

    /// Every private key that was made, line by line: what no event may hold.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = String> {
        self.keys.iter().cloned()
    }

    fn directory(&self, name: &str) -> Result<&Directory, PkiError> {
        self.directories
            .get(name)
            .ok_or_else(|| PkiError::Unknown { what: "PKI directory", name: name.to_owned() })
    }

    fn server(&self, name: &str) -> Result<&Host, PkiError> {
        self.servers
            .get(name)
            .ok_or_else(|| PkiError::Unknown { what: "PKI server", name: name.to_owned() })
    }
}

impl Host {
    /// Judges clients by this CA and list from now on, if it asks them at all.
    fn judge_by(&self, ca: &str, list: Option<&str>) -> Result<(), PkiError> {
        let mut data = CertData::new();
        // Both are of our own making.
        let taken = data.add(DataKind::CaCertificate, ca);
        let taken = taken.and_then(|()| match list {
            Some(list) => data.add(DataKind::CaRevocationList, list),
            None => Ok(()),
        });
        taken.map_err(|error| io::Error::other(error.to_string()))?;
        let trust = ClientTrust::new(&data)?;
        self.server.set_policy(match self.demand {
            ClientCertificates::No => ClientPolicy::NotAsked,
            ClientCertificates::Requested => ClientPolicy::Requested(trust),
            ClientCertificates::Required => ClientPolicy::Required(trust),
        });
        Ok(())
    }
}

/// Carries out an action. A refusal leaves every file as it was.
pub(super) async fn act(
    world: &mut World,
    action: &PkiAction,
    trail: &Trail,
) -> Result<Option<Refusal>, StepError> {
    match action {
        PkiAction::Connect(connect) => {
            let before = files_below(world.pki.folder.path())?;
            let refusal = connect::one(world, connect, trail).await?;
            if refusal.is_some() && files_below(world.pki.folder.path())? != before {
                let words = "the refusal has changed a file".to_owned();
                return Ok(Some(Refusal {
                    reason: "refusal-with-effect".to_owned(),
                    words,
                    diagnosis: Vec::new(),
                }));
            }
            Ok(refusal)
        }
        PkiAction::ConnectAtOnce(connect) => connect::at_once(world, connect, trail).await,
        PkiAction::Enrol(enrol) => done(world.pki.enrol(enrol, trail)),
        PkiAction::FetchList(fetch) => done(world.pki.fetch_list(fetch, trail)),
        PkiAction::InsertProxy(insert) => {
            servers::insert_proxy(world, insert, trail)?;
            Ok(None)
        }
        PkiAction::Renew(renew) => {
            servers::renew(world, renew, trail)?;
            Ok(None)
        }
        PkiAction::ReplaceKey(replace) => {
            world.pki.replace_key(&replace.directory)?;
            trail.record(KeyReplaced { directory: replace.directory.to_string() });
            Ok(None)
        }
        PkiAction::SetClock(set) => {
            let behind = i64::try_from(set.behind.0.as_secs()).unwrap_or(i64::MAX);
            world.pki.directory(set.directory.as_str())?.skew.set(-behind);
            let behind = set.behind.0.as_secs();
            trail.record(ClockSet { directory: set.directory.to_string(), behind });
            Ok(None)
        }
        PkiAction::Revoke(revoke) => done(world.pki.revoke(&revoke.owner, trail)),
    }
}

fn done(done: Result<(), PkiError>) -> Result<Option<Refusal>, StepError> {
    done?;
    Ok(None)
}

impl Pki {
    fn enrol(&mut self, enrol: &PkiEnrol, trail: &Trail) -> Result<(), PkiError> {
        let name = enrol.directory.as_str();
        let directory = self.directory(name)?;
        let (path, ca) = (directory.path.clone(), directory.ca.clone());
        let ca = enrol.ca.as_ref().map_or(ca, |ca| ca.value.clone());
        let now = self.clock.now();
        let (chain, own) = self.authorities.issue(&ca, now, enrol.days, &[], |leaf, number| {
            let names = enrol.user_principal_name.iter();
            leaf.named(name)
                .also_named(names.map(|name| AltName::UserPrincipalName(name.clone())))
                .keyed(KeyOwner::Named(format!("client {name} {number}")))
                .meant_for([Purpose::ClientAuth]);
        })?;
        write(&path, DataKind::ClientCertificate, &chain.to_pem())?;
        write(&path, DataKind::ClientKey, &chain.key.to_pem())?;
        self.keys.extend(secret_lines(&chain.key.to_pem()));
        trail.record(Issued { ca: ca.clone(), holder: name.to_owned() });
        if let Some(directory) = self.directories.get_mut(name) {
            directory.own = Some((ca, own));
        }
        Ok(())
    }

    /// Another key than the one that was there.
    fn replace_key(&mut self, name: &str) -> Result<(), PkiError> {
        let directory = self.directory(name)?;
        let (path, ca) = (directory.path.clone(), directory.ca.clone());
        let before = match fs::read_to_string(PkiDirectory::at(&path).path(DataKind::ClientKey)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let what = "PKI directory";
                return Err(PkiError::NoCertificate { what, name: name.to_owned() });
            }
            before => before?,
        };
        for _ in 0..ATTEMPTS {
            let (chain, _) =
                self.authorities.issue(&ca, self.clock.now(), 1, &[], |leaf, number| {
                    leaf.keyed(KeyOwner::Named(format!("stranger {number}")));
                })?;
            let key = chain.key.to_pem();
            if key != before {
                self.keys.extend(secret_lines(&key));
                return write(&path, DataKind::ClientKey, &key);
            }
        }
        Err(PkiError::NoOtherKey { name: name.to_owned() })
    }

    fn revoke(&mut self, owner: &PkiOwner, trail: &Trail) -> Result<(), PkiError> {
        let (name, ca, own) = match owner {
            PkiOwner::Directory(name) => {
                let own = self.directory(name.as_str())?.own.clone();
                let (ca, own) = own.ok_or_else(|| PkiError::NoCertificate {
                    what: "PKI directory",
                    name: name.to_string(),
                })?;
                (name.to_string(), ca, own)
            }
            PkiOwner::Host(name) => {
                let own = self.hosts.get(name.as_str()).ok_or_else(|| PkiError::NoCertificate {
                    what: "host",
                    name: name.to_string(),
                })?;
                (name.to_string(), own.ca.clone(), own.own.clone())
            }
            PkiOwner::Server(name) => {
                let own = &self.server(name.as_str())?.own;
                (name.to_string(), own.ca.clone(), own.own.clone())
            }
        };
        self.authorities.revoke(&ca, own, self.clock.now())?;
        trail.record(Revoked { ca, holder: name });
        Ok(())
    }

    fn fetch_list(&mut self, fetch: &PkiFetchList, trail: &Trail) -> Result<(), PkiError> {
        let (name, own_ca) = match &fetch.holder {
            PkiHolder::Directory(name) => {
                (name.to_string(), self.directory(name.as_str())?.ca.clone())
            }
            PkiHolder::Server(name) => {
                (name.to_string(), self.server(name.as_str())?.client_ca.clone())
            }
        };
        let ca = fetch.ca.as_ref().map_or(own_ca, |ca| ca.value.clone());
        let list = self.authorities.list(&ca, self.clock.now())?;
        match &fetch.holder {
            PkiHolder::Directory(name) => {
                write(&self.directory(name.as_str())?.path, DataKind::CaRevocationList, &list)?;
            }
            PkiHolder::Server(name) => {
                // The list may be another CA's: it is that of the server that lets clients in.
                let client_ca = self.server(name.as_str())?.client_ca.clone();
                let root = self.authorities.root(&client_ca)?;
                self.server(name.as_str())?.judge_by(&root, Some(&list))?;
            }
        }
        trail.record(ListFetched { ca, holder: name });
        Ok(())
    }
}

fn refusal(error: &ConnectError) -> Refusal {
    Refusal { reason: error.id(), words: error.to_string(), diagnosis: Vec::new() }
}

fn write(directory: &Path, kind: DataKind, text: &str) -> Result<(), PkiError> {
    let path = PkiDirectory::at(directory).path(kind);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, text)?)
}
