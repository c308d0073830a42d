//! The small world in which a fault is met: one domain with one DC, and hosts that differ in one line
//! of their smb.conf.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use fake_dc::Domain;
use ground::{Actor, Event, Ledger, Secret, Seed, Skew, VirtualClock};
use sim_host::{
    Credentials, HostError, HostRoot, LDAPS_BUNDLE, Network, Output, Patience, ProbeFailure,
    Profile, Programs, SambaCommand, SharedNetwork, XapiConf,
    samba::Client,
    smb_conf::{self, Joined, SmbConf, TrustLine},
};
use tempfile::TempDir;
use tokio::sync::AcquireError;

use super::{
    NoSuchFault,
    conclusion::{Trusts, Way},
};
use crate::host_faults::{HostFault, HostFaultError, HostFaults};

/// The domain of the small world.
pub(super) const DOMAIN: &str = "corp.example";
/// Its only DC.
pub(super) const DC: &str = "dc1";
/// Name of the machine that asks.
const MACHINE: &str = "HOST1";
/// Where the model keeps the password of the machine account.
const SECRETS: &str = "/var/lib/samba/private/secrets.json";
/// The account that joins and logs on.
pub(super) const USER: &str = "Administrator";
/// The default password of a fake domain.
pub(super) const PASSWORD: &str = "Passw0rd!Lab1";

/// Why a fault could not be explained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExplainError {
    /// A domain that could not be started or changed.
    #[error(transparent)]
    Domain(#[from] fake_dc::Error),
    /// Files of a host that could not be written.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A fault of a host that could not be set.
    #[error(transparent)]
    HostFault(#[from] HostFaultError),
    /// A sound domain that could not be joined.
    #[error("a sound domain could not be joined: {stdout}")]
    NotJoined {
        /// What `net ads join` printed.
        stdout: String,
    },
    /// There is no such fault.
    #[error(transparent)]
    NoSuchFault(#[from] NoSuchFault),
    /// The program is about to end.
    #[error("explanations are no longer made: {0}")]
    Stopped(AcquireError),
    /// No folder for the files of the hosts.
    #[error("no folder for the files of a host: {0}")]
    Roots(io::Error),
}

/// A domain that carries a fault, or whose hosts do.
pub(super) struct SmallWorld {
    pub(super) time: VirtualClock,
    pub(super) domain: Domain,
    /// The fault of the host; `None`: the DC has it.
    host_fault: Option<HostFault>,
    roots: TempDir,
    hosts: AtomicUsize,
    /// Roots of hosts that are done: making folders is what costs most here.
    free: Arc<Mutex<Vec<HostRoot>>>,
    /// The file with the password of the machine account.
    secrets: Vec<u8>,
}

impl SmallWorld {
    /// A sound world.
    pub(super) async fn start() -> Result<Self, ExplainError> {
        let time = VirtualClock::starting_at(scenario::Time::default().0);
        let domain = Domain::builder(DOMAIN).seed(Seed::new(1)).clock(time.clock()).start().await?;
        let roots = TempDir::with_prefix("trustrig-").map_err(ExplainError::Roots)?;
        let mut world = Self {
            time,
            domain,
            host_fault: None,
            roots,
            hosts: AtomicUsize::new(0),
            free: Arc::default(),
            secrets: Vec::new(),
        };
        world.join().await?;
        Ok(world)
    }

    /// Makes the account of the machine that all hosts are, while everything is sound.
    async fn join(&mut self) -> Result<(), ExplainError> {
        let host = self.host(&Way::SEALED, false, Patience(4))?;
        let output = host
            .run(SambaCommand::AdsJoin {
                domain: DOMAIN.to_owned(),
                user: USER.to_owned(),
                password: Secret::new(PASSWORD),
                netbios_name: MACHINE.to_owned(),
                server: None,
                ou: None,
                dns_hostname: None,
            })
            .await;
        if !output.succeeded() {
            return Err(ExplainError::NotJoined { stdout: output.stdout.trim().to_owned() });
        }
        self.secrets = host.root.read(SECRETS)?;
        Ok(())
    }

    /// Sets the fault that `text` writes.
    pub(super) fn set(&mut self, text: &str) -> Result<(), ExplainError> {
        match text.parse::<HostFault>() {
            Ok(fault) => {
                self.domain.set_faults(DC, fault.info().together_with)?;
                self.host_fault = Some(fault);
            }
            Err(_) => self.domain.set_faults(DC, [text])?,
        }
        Ok(())
    }

    /// Ends the domain.
    pub(super) async fn stop(self) {
        self.domain.stop().await;
    }

    /// A host that is configured for `way` and trusts whom it says, with the lists of
    /// revoked certificates that the domain's CAs publish if it `has_crl`.
    pub(super) fn host(
        &self,
        way: &Way,
        has_crl: bool,
        patience: Patience,
    ) -> Result<SmallHost, ExplainError> {
        let root = self.root()?;
        let bundle = match way.trusts {
            Trusts::ChainRoot => self.chain_root().unwrap_or_default(),
            Trusts::DomainRoot => self.domain.ca_pem().to_owned(),
        };
        root.write(LDAPS_BUNDLE, bundle.as_bytes(), 0o644)?;
        let conf =
            XapiConf { winbind_tls_verify_peer: way.mode, ..XapiConf::default_in(Profile::Landed) };
        let text = SmbConf::Joined(Joined {
            service_name: DOMAIN.to_owned(),
            workgroup: "CORP".to_owned(),
            netbios_name: MACHINE.to_owned(),
            ldaps: true,
            trust: TrustLine::File(LDAPS_BUNDLE.to_owned()),
        })
        .render(Profile::Landed, &conf)
        .replace("sasl wrapping = ldaps", &format!("sasl wrapping = {}", way.wrapping));
        root.write(smb_conf::PATH, text.as_bytes(), 0o644)?;
        if has_crl {
            root.write(CRL_FILE, self.crl().as_bytes(), 0o644)?;
            root.write(EXTRA, format!("tls crlfile = {CRL_FILE}\n").as_bytes(), 0o644)?;
        } else {
            root.remove(EXTRA)?;
        }
        if !self.secrets.is_empty() {
            root.write(SECRETS, &self.secrets, 0o600)?;
        }
        let skew = Skew::default();
        if let Some(fault) = &self.host_fault {
            let mut faults = HostFaults::default();
            faults.replace(&root, &skew, Some(&self.domain), vec![fault.clone()])?;
        }
        let ledger = Ledger::new(self.time.clock());
        let clock = self.time.clock().skewed_by(&skew);
        let network = SharedNetwork::new(self.network(patience));
        let client = Client::new(root.clone(), network, clock, Seed::new(1));
        // What a fault has done to its files is not undone.
        let free = self.host_fault.is_none().then(|| Arc::clone(&self.free));
        Ok(SmallHost { root, ledger, client, free })
    }

    fn root(&self) -> Result<HostRoot, ExplainError> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(root) = free.filter(|_| self.host_fault.is_none()) {
            return Ok(root);
        }
        let number = self.hosts.fetch_add(1, Ordering::Relaxed);
        Ok(HostRoot::open(self.roots.path().join(number.to_string()))?)
    }

    /// Whether the chain that the DC shows leads to another root than the domain's sound one.
    pub(super) fn has_another_root(&self) -> bool {
        self.host_fault.is_none()
            && self.chain_root().is_some_and(|root| root != self.domain.ca_pem())
    }

    fn chain_root(&self) -> Option<String> {
        self.domain.dcs().next()?.chain().anchor_pem()
    }

    /// What the CAs of the chain that the DC shows publish.
    fn crl(&self) -> String {
        self.domain.dcs().map(|dc| dc.chain().crl_pem()).collect()
    }

    /// The standard ports of the DC lead to where it listens.
    fn network(&self, patience: Patience) -> Network {
        let mut network = Network { patience, ..Network::default() };
        for dc in self.domain.dcs() {
            network.nameservers.push(dc.dns());
            let mut lead = |port: u16, to: SocketAddr| {
                network.translations.insert((dc.ip(), port).into(), to);
            };
            lead(88, dc.kdc());
            lead(389, dc.ldap());
            lead(636, dc.ldaps());
        }
        network
    }
}

/// Where the list of revoked certificates is put, if there is one.
pub(super) const CRL_FILE: &str = "/etc/trusted-certs/domain.crl";
/// What smb.conf includes.
const EXTRA: &str = "/etc/samba/smb.extra.conf";

/// One host of the small world, with a ledger of its own.
pub(super) struct SmallHost {
    root: HostRoot,
    ledger: Ledger,
    client: Client,
    /// Where its root goes when it is done.
    free: Option<Arc<Mutex<Vec<HostRoot>>>>,
}

impl Drop for SmallHost {
    fn drop(&mut self) {
        if let Some(free) = &self.free {
            free.lock().unwrap_or_else(PoisonError::into_inner).push(self.root.clone());
        }
    }
}

impl SmallHost {
    /// What xapi asks of every DC: KRBTGT.
    pub(super) async fn search(&self, server: IpAddr) -> Output {
        let command = SambaCommand::AdsSearch {
            server: server.into(),
            credentials: Credentials::Machine,
            filter: "(|(sAMAccountName=KRBTGT)(name=KRBTGT))".to_owned(),
            attributes: vec!["objectSid".to_owned()],
        };
        self.run(command).await
    }

    /// Runs a program with the debug level that xapi gives.
    pub(super) async fn run(&self, command: SambaCommand) -> Output {
        const DEBUG_LEVEL: u8 = 2;
        self.client
            .run(command, DEBUG_LEVEL, &self.ledger.trail(Actor::Host("host1".to_owned())))
            .await
    }

    /// What happened on this host.
    pub(super) fn events(&self) -> Vec<Event> {
        self.ledger.events()
    }

    /// What xapi makes of the probe.
    pub(super) fn probe_failure(
        &self,
        output: &Output,
    ) -> Result<Option<ProbeFailure>, ExplainError> {
        Ok(ProbeFailure::of(&self.root, output)?)
    }
}
