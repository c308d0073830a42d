//! One host of a pool: its root, its network, its programs, and its xapi process.

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use ground::{Clock, Seed, Skew};

use crate::{
    HostError, HostRoot, Network, Profile, Programs, Reference, SharedNetwork, XapiConf,
    hosts_file, identity,
    samba::Client,
    trust_store::TrustStore,
    xapi::{
        WaitingRoom,
        hold::Holds,
        lock::{Lock, LockName},
        trusted_domains::TrustedDomains,
    },
    xapi_conf::{self, IgnoredItem},
};

/// Path of the file with the host's name.
pub(crate) const HOSTNAME: &str = "/etc/hostname";

/// How to set up one host.
#[derive(Debug)]
pub struct HostConfig {
    /// Name in the scenario; also `name_label`, and `hostname` unless that is given.
    pub name: String,
    /// Host name, with or without domain; `None` is the name.
    pub hostname: Option<String>,
    /// Management address.
    pub address: IpAddr,
    /// Directory that stands for `/`. Files that are there already stay.
    pub root: PathBuf,
    /// How it reaches the network. Programs that are given below share it.
    pub network: SharedNetwork,
    /// Its own clock, while it is right.
    pub clock: Clock,
    /// How wrong that clock is. Programs that are given below read the clock with it.
    pub skew: Skew,
    /// Content of `/etc/xapi.conf`; `None` leaves the file as it is.
    pub xapi_conf: Option<String>,
    /// The Samba programs; `None` is the model.
    pub programs: Option<Arc<dyn Programs>>,
}

/// Whether the coordinator reaches a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Liveness {
    /// It answers.
    #[default]
    Live,
    /// It is known to be down: calls fail with `HOST_OFFLINE`.
    Offline,
    /// It is believed live but does not answer: calls fail with `CANNOT_CONTACT_HOST`.
    Unreachable,
}

/// A simulated host.
#[derive(Debug)]
pub struct Host {
    name: String,
    reference: Reference,
    root: HostRoot,
    network: SharedNetwork,
    clock: Clock,
    skew: Skew,
    seed: Seed,
    profile: Profile,
    programs: Arc<dyn Programs>,
    trust_store: TrustStore,
    liveness: RwLock<Liveness>,
    room: WaitingRoom,
    holds: Holds,
    process: RwLock<Arc<Process>>,
}

/// What a xapi process holds in memory; gone when it restarts.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) conf: XapiConf,
    /// What of its configuration could not be used.
    pub(crate) ignored_items: Vec<IgnoredItem>,
    /// Held by enable, disable and set_ldaps of the host.
    pub(crate) extauth_lock: Lock,
    /// landed: held around every use of the plugin.
    pub(crate) plugin_lock: Lock,
    /// What was learnt of other domains.
    pub(crate) trusted_domains: TrustedDomains,
    auth_initialised: AtomicBool,
}

impl Host {
    pub(crate) fn open(
        config: HostConfig,
        reference: Reference,
        seed: Seed,
        profile: Profile,
        room: &WaitingRoom,
    ) -> Result<Self, HostError> {
        let root = HostRoot::open(&config.root)?;
        root.remove_unfinished()?;
        if let Some(text) = &config.xapi_conf {
            root.write(xapi_conf::PATH, text.as_bytes(), 0o644)?;
        }
        if !root.exists(hosts_file::PATH)? {
            root.write(hosts_file::PATH, hosts_file::INSTALLED.as_bytes(), 0o644)?;
        }
        if !root.exists(HOSTNAME)? {
            let hostname = config.hostname.as_deref().unwrap_or(&config.name);
            root.write(HOSTNAME, format!("{hostname}\n").as_bytes(), 0o644)?;
        }
        let (network, skew) = (config.network, config.skew);
        let clock = config.clock.skewed_by(&skew);
        let programs = config.programs.unwrap_or_else(|| {
            let seed = seed.child("samba");
            Arc::new(Client::new(root.clone(), network.clone(), clock.clone(), seed))
        });
        let trust_store = TrustStore::new(root.clone());
        trust_store.recover()?;
        trust_store.create_directories()?;
        let process = Process::start(&root, profile, room)?;
        // It has been running for long.
        process.note_auth_initialised();
        let process = RwLock::new(Arc::new(process));
        Ok(Self {
            name: config.name,
            reference,
            root,
            network,
            clock,
            skew,
            seed,
            profile,
            programs,
            trust_store,
            liveness: RwLock::default(),
            room: room.clone(),
            holds: Holds::new(room),
            process,
        })
    }

    /// Name in the scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reference of its record.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Its files.
    pub fn root(&self) -> &HostRoot {
        &self.root
    }

    /// The certificate that it shows to clients, with its private key, as PEM.
    pub fn certificate_and_key(&self) -> Result<Vec<u8>, HostError> {
        self.root.read(identity::EXTERNAL)
    }

    /// Its clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How wrong its clock is; whoever holds it may change that.
    pub fn skew(&self) -> &Skew {
        &self.skew
    }

    /// How it reaches the network now.
    pub fn network(&self) -> Network {
        self.network.current()
    }

    /// Changes how it reaches the network from the next connection on.
    pub fn set_network(&self, network: Network) {
        self.network.set(network);
    }

    /// The configuration that its xapi read when it started.
    pub fn xapi_conf(&self) -> XapiConf {
        self.process().conf.clone()
    }

    /// Whether the coordinator reaches it. The coordinator always reaches itself.
    pub fn liveness(&self) -> Liveness {
        *self.liveness.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes it unreachable for the coordinator, or reachable again.
    pub fn set_liveness(&self, liveness: Liveness) {
        *self.liveness.write().unwrap_or_else(PoisonError::into_inner) = liveness;
    }

    /// Holds a program up, by its name such as `net ads search`: it begins when it is released.
    pub fn hold_program(&self, program: &str) {
        self.holds.hold(program);
    }

    /// Lets a held program begin; how many had been waiting to.
    pub fn release_program(&self, program: &str) -> usize {
        self.holds.release(program)
    }

    pub(crate) fn holds(&self) -> &Holds {
        &self.holds
    }

    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    pub(crate) fn programs(&self) -> &dyn Programs {
        &*self.programs
    }

    pub(crate) fn trust_store(&self) -> &TrustStore {
        &self.trust_store
    }

    pub(crate) fn process(&self) -> Arc<Process> {
        Arc::clone(&self.process.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the xapi process by one that has just read its configuration.
    pub(crate) fn restart_process(&self) -> Result<(), HostError> {
        let process = Arc::new(Process::start(&self.root, self.profile, &self.room)?);
        *self.process.write().unwrap_or_else(PoisonError::into_inner) = process;
        Ok(())
    }
}

impl Process {
    fn start(root: &HostRoot, profile: Profile, room: &WaitingRoom) -> Result<Self, HostError> {
        let (conf, ignored_items) = XapiConf::load(root, profile)?;
        Ok(Self {
            conf,
            ignored_items,
            extauth_lock: Lock::new(LockName::HostExtauth, room),
            plugin_lock: Lock::new(LockName::Plugin, room),
            trusted_domains: TrustedDomains::default(),
            auth_initialised: AtomicBool::new(false),
        })
    }

    /// Whether AD logins can go on: not while it is being initialised after a start.
    pub(crate) fn is_auth_initialised(&self) -> bool {
        self.auth_initialised.load(Ordering::SeqCst)
    }

    /// From now on AD logins can go on.
    pub(crate) fn note_auth_initialised(&self) {
        self.auth_initialised.store(true, Ordering::SeqCst);
    }
}
