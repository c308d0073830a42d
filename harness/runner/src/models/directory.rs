//! PKI directories with their applications, and the servers they connect to.
//!
//! A CA is there as soon as somebody names it. One that has the name of a domain is the domain's own.

mod authority;
mod connect;
mod dc;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use fake_dc_pki::{AltName, CertificatePlan, Chain, ChainFault, KeyOwner, Purpose};
use ground::{Actor, Clock, Seed, Skew, Trail, fact};
use scenario::{
    ClientCertificates, PkiAction, PkiEnrol, PkiFetchList, PkiHolder, PkiRenew, World as Plan,
};
use serde::Serialize;
use tempfile::TempDir;
use trust_models::directory::{
    CertData, ClientPolicy, ClientTrust, ConnectError, DataKind, PkiDirectory, Server, SetupError,
};

use self::authority::Authorities;
use super::Refusal;
use crate::{
    steps::StepError,
    world::{World, WorldError},
};

/// The kinds of all facts below.
pub(crate) const KINDS: &[&str] =
    &[Issued::KIND, Revoked::KIND, ListFetched::KIND, dc::Bound::KIND];

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

/// Everything of the model in one world.
#[derive(Debug)]
pub(crate) struct Pki {
    authorities: Authorities,
    directories: BTreeMap<String, Directory>,
    servers: BTreeMap<String, Host>,
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
    ca: String,
    demand: ClientCertificates,
    own: CertificatePlan,
}

/// Why something of the model cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PkiError {
    #[error("the {what} `{name}` has no client certificate that could be revoked")]
    NoCertificate { what: &'static str, name: String },
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
            let (chain, own) = pki.issue_to_server(name, &planned.ca, 365, &[])?;
            let (certificates, key) = (chain.certificates, chain.key.to_der());
            let trail = trail.of(Actor::Host(name.to_owned()));
            let server = Server::new(certificates, key, pki.clock.clone(), trail)
                .map_err(|error| PkiError::Server(error.to_string()))?
                .saying_consent();
            let (ca, demand) = (planned.ca.value.clone(), planned.client_certificates);
            let host = Host { server, ca, demand, own };
            host.judge_by(&pki.authorities.root(&host.ca)?, None)?;
            pki.servers.insert(name.to_owned(), host);
        }
        Ok(pki)
    }

    fn issue_to_server(
        &mut self,
        name: &str,
        ca: &str,
        days: u32,
        faults: &[ChainFault],
    ) -> Result<(Chain, CertificatePlan), PkiError> {
        let now = self.clock.now();
        let issued = self.authorities.issue(ca, now, days, faults, |leaf, number| {
            leaf.named(name)
                .also_named([name])
                .keyed(KeyOwner::Named(format!("{name} {number}")))
                .meant_for([Purpose::ServerAuth]);
        })?;
        self.keys.extend(secret_lines(&issued.0.key.to_pem()));
        Ok(issued)
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

/// The lines of a key in PEM, without its label.
fn secret_lines(pem: &str) -> impl Iterator<Item = String> {
    pem.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned)
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
            let before = files(world.pki.folder.path())?;
            let refusal = connect::one(world, connect, trail).await?;
            if refusal.is_some() && files(world.pki.folder.path())? != before {
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
        PkiAction::Renew(renew) => done(world.pki.renew(renew, trail)),
        PkiAction::ReplaceKey(replace) => done(world.pki.replace_key(&replace.directory)),
        PkiAction::SetClock(set) => {
            let behind = i64::try_from(set.behind.0.as_secs()).unwrap_or(i64::MAX);
            world.pki.directory(set.directory.as_str())?.skew.set(-behind);
            Ok(None)
        }
        PkiAction::Revoke(revoke) => done(world.pki.revoke(&revoke.holder, trail)),
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

    fn renew(&mut self, renew: &PkiRenew, trail: &Trail) -> Result<(), PkiError> {
        let name = renew.server.as_str();
        let ca = self.server(name)?.ca.clone();
        let ca = renew.ca.as_ref().map_or(ca, |ca| ca.value.clone());
        let faults = renew.faults.iter().map(|fault| fault.parse::<ChainFault>());
        let faults = faults.collect::<Result<Vec<_>, _>>()?;
        let (chain, own) = self.issue_to_server(name, &ca, renew.days, &faults)?;
        trail.record(Issued { ca: ca.clone(), holder: name.to_owned() });
        if let Some(host) = self.servers.get_mut(name) {
            host.server
                .switch_to(chain.certificates, chain.key.to_der())
                .map_err(|error| PkiError::Server(error.to_string()))?;
            (host.ca, host.own) = (ca, own);
        }
        Ok(())
    }

    /// Another key than the one that was there.
    fn replace_key(&mut self, name: &str) -> Result<(), PkiError> {
        let directory = self.directory(name)?;
        let (path, ca) = (directory.path.clone(), directory.ca.clone());
        let before = fs::read_to_string(PkiDirectory::at(&path).path(DataKind::ClientKey))?;
        loop {
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
    }

    fn revoke(&mut self, holder: &PkiHolder, trail: &Trail) -> Result<(), PkiError> {
        let (name, ca, own) = match holder {
            PkiHolder::Directory(name) => {
                let own = self.directory(name.as_str())?.own.clone();
                let (ca, own) = own.ok_or_else(|| PkiError::NoCertificate {
                    what: "PKI directory",
                    name: name.to_string(),
                })?;
                (name.to_string(), ca, own)
            }
            PkiHolder::Server(name) => {
                let host = self.server(name.as_str())?;
                (name.to_string(), host.ca.clone(), host.own.clone())
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
            PkiHolder::Server(name) => (name.to_string(), self.server(name.as_str())?.ca.clone()),
        };
        let ca = fetch.ca.as_ref().map_or(own_ca, |ca| ca.value.clone());
        let list = self.authorities.list(&ca, self.clock.now())?;
        match &fetch.holder {
            PkiHolder::Directory(name) => {
                write(&self.directory(name.as_str())?.path, DataKind::CaRevocationList, &list)?;
            }
            PkiHolder::Server(name) => {
                let root = self.authorities.root(&ca)?;
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

/// All files below a folder with their contents.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, PkiError> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.insert(path.clone(), fs::read(path)?);
        }
    }
    Ok(found)
}
