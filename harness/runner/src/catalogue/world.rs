//! The small world in which a fault is met: one domain with one DC, and hosts that differ in one line
//! of their smb.conf.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicUsize, Ordering},
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

use super::{NoSuchFault, conclusion::Way};
use crate::host_faults::{HostFault, HostFaultError, HostFaults};

/// The domain of the small world.
pub(super) const DOMAIN: &str = "corp.example";
/// Its only DC.
pub(super) const DC: &str = "dc1";
/// The account that asks.
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
    pub(super) patience: Patience,
}

impl SmallWorld {
    /// A sound world.
    pub(super) async fn start(patience: Patience) -> Result<Self, ExplainError> {
        let time = VirtualClock::starting_at(scenario::Time::default().0);
        let domain = Domain::builder(DOMAIN).seed(Seed::new(1)).clock(time.clock()).start().await?;
        let roots = TempDir::with_prefix("trustrig-").map_err(ExplainError::Roots)?;
        Ok(Self { time, domain, host_fault: None, roots, hosts: AtomicUsize::new(0), patience })
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

    /// A new host that trusts the domain's root and is configured for `way`, with the lists of
    /// revoked certificates that the domain's CAs publish if it `has_crl`.
    pub(super) fn host(&self, way: &Way, has_crl: bool) -> Result<SmallHost, ExplainError> {
        let number = self.hosts.fetch_add(1, Ordering::Relaxed);
        let root = HostRoot::open(self.roots.path().join(number.to_string()))?;
        root.write(LDAPS_BUNDLE, self.domain.ca_pem().as_bytes(), 0o644)?;
        let conf =
            XapiConf { winbind_tls_verify_peer: way.mode, ..XapiConf::default_in(Profile::Landed) };
        let text = SmbConf::Joined(Joined {
            service_name: DOMAIN.to_owned(),
            workgroup: "CORP".to_owned(),
            netbios_name: "HOST1".to_owned(),
            ldaps: true,
            trust: TrustLine::File(LDAPS_BUNDLE.to_owned()),
        })
        .render(Profile::Landed, &conf)
        .replace("sasl wrapping = ldaps", &format!("sasl wrapping = {}", way.wrapping));
        root.write(smb_conf::PATH, text.as_bytes(), 0o644)?;
        if has_crl {
            root.write(CRL_FILE, self.crl().as_bytes(), 0o644)?;
            let extra = format!("tls crlfile = {CRL_FILE}\n");
            root.write("/etc/samba/smb.extra.conf", extra.as_bytes(), 0o644)?;
        }
        let skew = Skew::default();
        if let Some(fault) = &self.host_fault {
            let mut faults = HostFaults::default();
            faults.replace(&root, &skew, Some(&self.domain), vec![fault.clone()])?;
        }
        let ledger = Ledger::new(self.time.clock());
        let clock = self.time.clock().skewed_by(&skew);
        let network = SharedNetwork::new(self.network());
        let client = Client::new(root.clone(), network, clock, Seed::new(1));
        Ok(SmallHost { root, ledger, client })
    }

    /// What the CAs of the chain that the DC shows publish.
    fn crl(&self) -> String {
        self.domain.dcs().map(|dc| dc.chain().crl_pem()).collect()
    }

    /// The standard ports of the DC lead to where it listens.
    fn network(&self) -> Network {
        let mut network = Network { patience: self.patience, ..Network::default() };
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

/// One host of the small world, with a ledger of its own.
pub(super) struct SmallHost {
    root: HostRoot,
    ledger: Ledger,
    client: Client,
}

impl SmallHost {
    /// What xapi asks of every DC: KRBTGT.
    pub(super) async fn search(&self, server: IpAddr) -> Output {
        let command = SambaCommand::AdsSearch {
            server,
            credentials: Credentials::User {
                user: USER.to_owned(),
                password: Secret::new(PASSWORD),
            },
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
