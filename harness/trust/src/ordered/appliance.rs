//! A storage appliance: a web server for templates, and a client that copies them from others.
//!
//! It is its root directory. What it serves and what it trusts it reads from there whenever it
//! starts; nothing else is kept.

use std::{
    fmt, fs, io,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ground::{Actor, Clock, Skew, Trail};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject as _};
use tokio::{net::TcpListener, task::JoinSet};

use super::{
    FileSet, Material, ServerCertificate, TrustStore,
    agent::{self, Certificates, Message},
    facts::{Connected, Copied, CopyFailed, Fetching, Served, SetUp},
    pkix,
    web::{Door, Fetched, Judge, Objection, Obstacle, Reply, Request, Server, fetch},
};

/// Alias of the uploaded root in the trust store; CloudStack's script replaces it each time.
pub const ROOT_ALIAS: &str = "CPVMCertificate";
/// Alias of the root that a release brings along.
const BUILT_IN_ALIAS: &str = "realhostip";

const TEMPLATES: &str = "mnt/SecStorage/template";
const LINKS: &str = "var/www/html/userdata";

/// Which `config_ssl.sh` an appliance runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Installs leaf, key and chain, and imports the root.
    Current,
    /// Of an earlier release: installs leaf and key, and knows nothing of chain and root.
    Old,
}

impl Script {
    /// Its name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Old => "old",
        }
    }
}

/// What somebody does to an appliance by hand. A web server takes it in at once.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Sets the clock back by so many seconds.
    ClockSetBack(i64),
    /// Comments the line out that names the chain file in the site of the web server.
    ChainCommentedOut,
    /// `keytool -delete` of the uploaded root.
    RootDeleted,
    /// Has something else answer in its place, which shows this leaf and, if it has a chain, all of it.
    Shows(Box<ServerCertificate>),
}

/// A storage appliance. `Debug` shows no secret.
pub struct StorageAppliance {
    name: String,
    address: Ipv4Addr,
    root: PathBuf,
    script: Mutex<Script>,
    clock: Clock,
    skew: Skew,
    trail: Trail,
    running: tokio::sync::Mutex<Option<Running>>,
    /// Held by whoever changes its files and what it serves.
    changing: tokio::sync::Mutex<()>,
}

struct Running {
    server: Server,
    /// The session with the management server.
    _agent: JoinSet<()>,
}

impl StorageAppliance {
    /// A new appliance below the directory `root`, with what a release brings along.
    pub(super) fn create(
        name: &str,
        address: Ipv4Addr,
        root: PathBuf,
        script: Script,
        built_in: &Material,
        trail: Trail,
        clock: Clock,
    ) -> io::Result<Self> {
        for directory in [TEMPLATES, LINKS] {
            fs::create_dir_all(root.join(directory))?;
        }
        let mut store = TrustStore::default();
        store.import(BUILT_IN_ALIAS, certificate(&built_in.root)?, clock.now());
        let (script, running) = (Mutex::new(script), tokio::sync::Mutex::default());
        let skew = Skew::default();
        let clock = clock.skewed_by(&skew);
        let (name, changing) = (name.to_owned(), tokio::sync::Mutex::default());
        let appliance = Self { name, address, root, script, clock, skew, trail, running, changing };
        let set = Certificates::from(built_in.whole());
        appliance.file_set(set, Script::Current, store)?.install(&appliance.root)?;
        Ok(appliance)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its public address, which stands in links.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Its root directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Which set-up script it runs.
    pub fn script(&self) -> Script {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The files it is set up with.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn files(&self) -> io::Result<FileSet> {
        FileSet::read(&self.root)?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Where its web server listens.
    pub async fn https(&self) -> Option<SocketAddr> {
        self.running.lock().await.as_ref().map(|running| running.server.address)
    }

    /// Stops if it runs, reports to the management server, carries out the set-up message that it
    /// is sent, and serves.
    pub(super) async fn start(&self, management: SocketAddr, trail: &Trail) -> io::Result<()> {
        let _changing = self.changing.lock().await;
        self.stop().await;
        let trail = trail.of(self.actor()).begin(Connected { address: management });
        let startup = Message::StartupStorage { name: self.name.clone() };
        let (mut session, certificates) = agent::report(management, &startup, &trail).await?;
        let outcome = self.set_up(certificates, &trail);
        let details = outcome.as_ref().err().map(ToString::to_string);
        agent::send(&mut session, &Message::Answer { result: outcome.is_ok(), details }).await?;
        outcome?;
        let server = self.serve().await?;
        *self.running.lock().await = Some(Running { server, _agent: agent::keep(session) });
        Ok(())
    }

    /// Closes its port and its session.
    pub(super) async fn stop(&self) {
        if let Some(running) = self.running.lock().await.take() {
            running.server.stop().await;
        }
    }

    /// Does something by hand, and has the web server take it in.
    ///
    /// # Errors
    ///
    /// A file cannot be changed, or the web server does not start again.
    pub async fn suffer(&self, deed: Deed) -> io::Result<()> {
        let _changing = self.changing.lock().await;
        let mut files = self.files()?;
        match deed {
            Deed::ClockSetBack(seconds) => {
                self.skew.set(-seconds);
                return Ok(());
            }
            Deed::ChainCommentedOut => files.serves_chain = false,
            Deed::RootDeleted => files.store.delete(ROOT_ALIAS),
            Deed::Shows(other) => {
                let ServerCertificate { certificate, key, chain } = *other;
                let chain = (!chain.is_empty()).then(|| chain.concat());
                files.serves_chain = chain.is_some();
                (files.leaf, files.key, files.chain) = (certificate, key, chain);
            }
        }
        files.install(&self.root)?;
        if let Some(running) = self.running.lock().await.as_mut() {
            running.server = self.serve().await?;
        }
        Ok(())
    }

    /// Puts a template into its storage.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn store_template(&self, template: &str, content: &[u8]) -> io::Result<()> {
        let path = self.template(template)?;
        let next = path.with_extension("next");
        fs::write(&next, content)?;
        fs::rename(next, path)
    }

    /// A template that is in its storage.
    ///
    /// # Errors
    ///
    /// It is not there.
    pub fn read_template(&self, template: &str) -> io::Result<Vec<u8>> {
        fs::read(self.template(template)?)
    }

    /// Has a link lead to a template: `CreateEntityDownloadURLCommand`.
    pub(super) fn make_link(&self, file_name: &str, template: &str) -> io::Result<()> {
        self.read_template(template)?;
        let target = self.root.join(TEMPLATES).join(plain(template)?);
        symlink(target, self.root.join(LINKS).join(plain(file_name)?))
    }

    /// `DeleteEntityDownloadURLCommand`.
    pub(super) fn delete_link(&self, file_name: &str) -> io::Result<()> {
        fs::remove_file(self.root.join(LINKS).join(plain(file_name)?))
    }

    /// Copies a template from the appliance that is called `host_name` and listens at `address`.
    pub(super) async fn copy(
        &self,
        template: &str,
        source: &str,
        host_name: &str,
        address: SocketAddr,
        trail: &Trail,
    ) -> Result<(), CopyError> {
        let path = format!("/copy/{template}");
        let url = format!("https://{host_name}{path}");
        let trail = trail.of(self.actor()).begin(Fetching { url });
        let failed = |objection: Objection, shown: &[CertificateDer<'_>]| {
            let error = CopyError::from(objection);
            trail.record(CopyFailed {
                template: template.to_owned(),
                source: source.to_owned(),
                reason: error.reason,
                words: error.words.clone(),
                shown: subjects(shown),
            });
            error
        };
        let unusable = |error: io::Error| Objection::of(Obstacle::FilesUnusable, error);
        let trusted = match self.files() {
            Ok(files) => files.store.certificates(),
            Err(error) => return Err(failed(unusable(error), &[])),
        };
        let judge = java_judge(trusted, self.clock.clone());
        let Fetched { shown, file } = fetch(address, host_name, &path, judge, &trail).await;
        match file {
            Ok(content) => {
                self.store_template(template, &content)
                    .map_err(|error| failed(unusable(error), &shown))?;
                let (template, source) = (template.to_owned(), source.to_owned());
                trail.record(Copied { template, source });
                Ok(())
            }
            Err(error) => Err(failed(error.objection(), &shown)),
        }
    }

    /// What `config_ssl.sh` does.
    fn set_up(&self, certificates: Option<Certificates>, trail: &Trail) -> io::Result<()> {
        let script = self.script();
        let mut root_imported = false;
        if let Some(certificates) = certificates {
            let mut store = self.files()?.store;
            if let (Script::Current, Some(root)) = (script, &certificates.root_ca_cert) {
                store.import(ROOT_ALIAS, certificate(root)?, self.clock.now());
                root_imported = true;
            }
            self.file_set(certificates, script, store)?.install(&self.root)?;
        }
        let shows = certificates_in(&self.files()?.shown()).len();
        trail.record(SetUp { script: script.name(), shows, root_imported });
        Ok(())
    }

    fn file_set(
        &self,
        certificates: Certificates,
        script: Script,
        store: TrustStore,
    ) -> io::Result<FileSet> {
        let chain = certificates.cert_chain.filter(|_| script == Script::Current);
        Ok(FileSet {
            serves_chain: chain.is_some(),
            leaf: certificates.priv_cert,
            key: certificates.priv_key,
            chain,
            store,
        })
    }

    async fn serve(&self) -> io::Result<Server> {
        let files = self.files()?;
        let config = agent::server_config(&files.shown(), &files.key)?;
        let listener = TcpListener::bind((self.address, 0)).await?;
        let root: Arc<Path> = self.root.clone().into();
        let trail = self.trail.clone();
        let answer = move |request: Request| {
            let trail = trail.under(request.cause.or(trail.cause()));
            let reply = served(&root, &request);
            trail.record(Served { status: reply.status });
            std::future::ready(reply)
        };
        Server::start(listener, Door::Tls(Arc::new(config)), self.trail.ledger().clone(), answer)
    }

    fn template(&self, template: &str) -> io::Result<PathBuf> {
        Ok(self.root.join(TEMPLATES).join(plain(template)?))
    }

    fn actor(&self) -> Actor {
        Actor::Host(self.name.clone())
    }
}

impl fmt::Debug for StorageAppliance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageAppliance")
            .field("name", &self.name)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// A template that was not copied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct CopyError {
    /// Why, as a name: `pkix-no-path`.
    pub reason: &'static str,
    /// Why, in Java's words where the chain is refused.
    pub words: String,
}

impl From<Objection> for CopyError {
    fn from(objection: Objection) -> Self {
        Self { reason: objection.reason, words: objection.words }
    }
}

/// Judges as Java does.
pub(super) fn java_judge(trusted: Vec<CertificateDer<'static>>, clock: Clock) -> Judge {
    Box::new(move |shown| Ok(pkix::judge(shown, &trusted, clock.now())?))
}

/// The certificates in a text, as far as they can be read.
pub(super) fn certificates_in(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok).collect()
}

/// Whether there is a key in a text.
pub(super) fn has_readable_key(pem: &str) -> bool {
    PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).is_ok()
}

/// Whom each of these names.
pub(super) fn subjects(certificates: &[CertificateDer<'_>]) -> Vec<String> {
    certificates.iter().map(|der| pkix::subject(der)).collect()
}

fn served(root: &Path, request: &Request) -> Reply {
    if request.path == "/" {
        return Reply::text(200, "It works!");
    }
    let path = match request.path.split('/').collect::<Vec<_>>()[..] {
        ["", "copy", template] => plain(template).map(|name| root.join(TEMPLATES).join(name)),
        ["", "userdata", link] => plain(link).map(|name| root.join(LINKS).join(name)),
        _ => Err(io::ErrorKind::NotFound.into()),
    };
    match path.and_then(fs::read) {
        Ok(body) => {
            Reply { status: 200, content_type: "application/octet-stream", body, description: None }
        }
        Err(_) => Reply::text(404, "Not Found"),
    }
}

/// A name that stands for a file in one directory, and nowhere else.
fn plain(name: &str) -> io::Result<&str> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{name}` is no name of a file"),
        ));
    }
    Ok(name)
}

fn certificate(pem: &str) -> io::Result<CertificateDer<'static>> {
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("the root cannot be read: {error}"))
    })
}
