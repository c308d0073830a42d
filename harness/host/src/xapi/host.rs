//! One host of a pool: its machine, its record's reference, and its xapi process.

use std::sync::{
    Arc, Mutex, PoisonError, RwLock,
    atomic::{AtomicBool, Ordering},
};

use ground::{Clock, Seed, Skew};

use crate::{
    HostError, HostRoot, Network, Profile, Programs, Reference, XapiConf, identity,
    trust_store::TrustStore,
    xapi::{
        dc_warning::LastWarning,
        hold::Holds,
        lock::{Lock, LockName},
        machine::Machine,
        schedule::Schedule,
        trusted_domains::TrustedDomains,
    },
    xapi_conf::IgnoredItem,
};

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

/// A simulated host, as long as it is in one pool.
#[derive(Debug)]
pub struct Host {
    machine: Arc<Machine>,
    reference: Reference,
    profile: Profile,
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
    /// design-v1: when people were last told of a DC that does not answer.
    pub(crate) last_dc_warning: LastWarning,
    /// What it does by itself.
    pub(crate) schedule: Schedule,
    auth_initialised: AtomicBool,
    /// Why AD could not be initialised when it was last tried.
    auth_error: Mutex<Option<String>>,
}

impl Host {
    /// The host that a machine is in a pool, with a xapi that has just started.
    pub(crate) fn start(
        machine: Arc<Machine>,
        reference: Reference,
        profile: Profile,
    ) -> Result<Self, HostError> {
        let process = Process::start(&machine, profile)?;
        let process = RwLock::new(Arc::new(process));
        Ok(Self { machine, reference, profile, process })
    }

    /// Name in the scenario.
    pub fn name(&self) -> &str {
        &self.machine.name
    }

    /// Reference of its record.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Its files.
    pub fn root(&self) -> &HostRoot {
        &self.machine.root
    }

    /// The certificate that it shows, with its private key, as PEM: the internal one to who asks
    /// for `pool` by SNI, as hosts of its pool do, else the one for clients.
    pub fn certificate_and_key(&self, server_name: Option<&str>) -> Result<Vec<u8>, HostError> {
        let is_for_pool = server_name == Some(identity::INTERNAL_NAME);
        self.root().read(if is_for_pool { identity::INTERNAL } else { identity::EXTERNAL })
    }

    /// Its clock.
    pub fn clock(&self) -> &Clock {
        &self.machine.clock
    }

    /// How wrong its clock is; whoever holds it may change that.
    pub fn skew(&self) -> &Skew {
        &self.machine.skew
    }

    /// How it reaches the network now.
    pub fn network(&self) -> Network {
        self.machine.network.current()
    }

    /// Changes how it reaches the network from the next connection on.
    pub fn set_network(&self, network: Network) {
        self.machine.network.set(network);
    }

    /// The configuration that its xapi read when it started.
    pub fn xapi_conf(&self) -> XapiConf {
        self.process().conf.clone()
    }

    /// Whether the coordinator reaches it. The coordinator always reaches itself.
    pub fn liveness(&self) -> Liveness {
        self.machine.liveness()
    }

    /// Makes it unreachable for the coordinator, or reachable again.
    pub fn set_liveness(&self, liveness: Liveness) {
        self.machine.set_liveness(liveness);
    }

    /// Holds a program up, by its name such as `net ads search`: it begins when it is released.
    pub fn hold_program(&self, program: &str) {
        self.holds().hold(program);
    }

    /// Lets a held program begin; how many had been waiting to.
    pub fn release_program(&self, program: &str) -> usize {
        self.holds().release(program)
    }

    pub(crate) fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    pub(crate) fn holds(&self) -> &Holds {
        &self.machine.holds
    }

    pub(crate) fn seed(&self) -> Seed {
        self.machine.seed
    }

    pub(crate) fn programs(&self) -> &dyn Programs {
        &*self.machine.programs
    }

    pub(crate) fn trust_store(&self) -> &TrustStore {
        &self.machine.trust_store
    }

    pub(crate) fn process(&self) -> Arc<Process> {
        Arc::clone(&self.process.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the xapi process by one that has just read its configuration.
    pub(crate) fn restart_process(&self) -> Result<(), HostError> {
        let process = Arc::new(Process::start(&self.machine, self.profile)?);
        let mut current = self.process.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, process).schedule.end();
        Ok(())
    }
}

impl Process {
    fn start(machine: &Machine, profile: Profile) -> Result<Self, HostError> {
        let (conf, ignored_items) = XapiConf::load(&machine.root, profile)?;
        let room = machine.clock.waiting_room();
        Ok(Self {
            conf,
            ignored_items,
            extauth_lock: Lock::new(LockName::HostExtauth, room),
            plugin_lock: Lock::new(LockName::Plugin, room),
            trusted_domains: TrustedDomains::default(),
            last_dc_warning: LastWarning::default(),
            schedule: Schedule::default(),
            auth_initialised: AtomicBool::new(false),
            auth_error: Mutex::default(),
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

    /// AD could not be initialised.
    pub(crate) fn note_auth_error(&self, message: String) {
        *self.auth_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
    }

    /// Why not, if it has been tried.
    pub(crate) fn last_auth_error(&self) -> Option<String> {
        self.auth_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
