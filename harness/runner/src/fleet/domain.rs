//! A host and the DCs that it asks, in the fleet world or on sockets.

use std::{
    collections::BTreeMap,
    io,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use fake_dc::{DcSpec, Domain};
use ground::{Actor, Ledger, Secret, Seed, Trail, VirtualClock};
use sim_host::{
    Credentials, HostError, HostRoot, LDAPS_BUNDLE, Network, Output, Patience, ProbeFailure,
    Profile, Programs as _, SambaCommand, SharedMedium, SharedNetwork, XapiConf,
    samba::Client,
    smb_conf::{self, Joined, SmbConf, TrustLine},
};
use tempfile::TempDir;
use tokio::{
    runtime,
    time::{sleep, timeout},
};

use super::{
    race::{Outcome, race},
    report::{Attempt, End, Ran, Told},
    shares::Shares,
    strategy::{Candidate, Strategy, StrategySettings},
    topology::TopologyError,
    wire::Wire,
};

/// Why there is no fleet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// The domain could not be started.
    #[error(transparent)]
    Domain(#[from] fake_dc::Error),
    /// Files of the host could not be read or written.
    #[error(transparent)]
    Host(#[from] HostError),
    /// No folder for the files of the host.
    #[error("no folder for the files of the host: {0}")]
    Roots(io::Error),
    /// No runtime to run on.
    #[error("no threads to run on: {0}")]
    Runtime(io::Error),
    /// The scenario gives no topology.
    #[error(transparent)]
    Topology(#[from] TopologyError),
}

/// Name of a made-up domain.
const DOMAIN: &str = "corp.example";
/// The account that joins, with which xapi 26.16 looks for a DC to join at.
const USER: &str = "Administrator";
/// The default password of a fake domain.
const PASSWORD: &str = "Passw0rd!Lab1";
/// Name of the machine that asks.
const MACHINE: &str = "HOST1";
/// Time in which DCs notice that a client has left.
const QUIET_WITHIN: Duration = Duration::from_secs(5);
/// What the two worlds are called in reports.
const IN_MEMORY: &str = "fleet";
const ON_SOCKETS: &str = "sockets";

/// A host, and the DCs that it may ask.
#[derive(Debug)]
pub struct Fleet {
    pub(super) dcs: Vec<FleetDc>,
    pub(super) host: FleetHost,
    /// What it is called in reports.
    pub(super) title: String,
    pub(super) world: &'static str,
    /// Those that were started for it.
    domains: Vec<Domain>,
    _roots: Option<TempDir>,
}

/// A DC in the order of the lookup.
#[derive(Clone, Debug)]
pub(super) struct FleetDc {
    pub(super) name: String,
    pub(super) address: IpAddr,
    pub(super) candidate: Candidate,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct FleetHost {
    pub(super) root: HostRoot,
    pub(super) client: Arc<Client>,
    pub(super) credentials: Credentials,
    pub(super) trail: Trail,
}

/// What one probe came to.
#[derive(Debug)]
struct Probed {
    failure: Option<&'static str>,
}

impl Fleet {
    /// A runtime for the fleet world: one thread, and a clock that stands still while anybody works.
    ///
    /// # Errors
    ///
    /// The system has no room for it.
    pub fn runtime() -> Result<runtime::Runtime, FleetError> {
        let mut builder = runtime::Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().map_err(FleetError::Runtime)
    }

    /// A made-up domain of `count` DCs in memory. Must be called within [`Fleet::runtime`].
    ///
    /// # Errors
    ///
    /// There are too many DCs, or the host has no folder.
    pub async fn in_memory(count: usize, shares: &Shares, seed: u64) -> Result<Self, FleetError> {
        Self::made_up(count, shares, seed, true).await
    }

    /// The same on sockets. Must be called within a tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// As [`Fleet::in_memory`], or the ports cannot be opened.
    pub async fn on_sockets(count: usize, shares: &Shares, seed: u64) -> Result<Self, FleetError> {
        Self::made_up(count, shares, seed, false).await
    }

    async fn made_up(
        count: usize,
        shares: &Shares,
        seed: u64,
        in_memory: bool,
    ) -> Result<Self, FleetError> {
        let child = Seed::new(seed).child("fleet");
        let mut dice = child.stream("conditions");
        let specs = shares.draw(count, &child).into_iter().enumerate().map(|(index, kind)| {
            let spec = DcSpec::new(format!("dc{}", index + 1));
            kind.faults(&mut dice).into_iter().fold(spec, DcSpec::fault)
        });
        let fleet = Self::of_dcs(specs.collect(), seed, in_memory).await?;
        Ok(Self { title: format!("{count} DCs, {shares}"), ..fleet })
    }

    /// A domain of these DCs, whose root the host trusts.
    ///
    /// # Errors
    ///
    /// As [`Fleet::on_sockets`].
    pub async fn of_dcs(
        specs: Vec<DcSpec>,
        seed: u64,
        in_memory: bool,
    ) -> Result<Self, FleetError> {
        let seed = Seed::new(seed).child("fleet");
        let time = VirtualClock::starting_at(scenario::Time::default().0);
        let ledger = Ledger::new(time.clock());
        let mut builder = Domain::builder(DOMAIN)
            .seed(seed.child("domain"))
            .clock(time.clock())
            .ledger(ledger.clone());
        if in_memory {
            builder = builder.in_memory();
        }
        for spec in specs {
            builder = builder.dc(spec);
        }
        let domain = builder.start().await?;
        let roots = TempDir::with_prefix("trustrig-").map_err(FleetError::Roots)?;
        let root = HostRoot::open(roots.path())?;
        join_by_hand(&root, DOMAIN, "CORP", domain.ca_pem())?;
        let network = if in_memory {
            Network {
                nameservers: name_servers(&domain),
                medium: Some(SharedMedium::new(Wire::new([&domain], None)?)),
                patience: Patience::REAL,
                ..Network::default()
            }
        } else {
            translated(&domain)
        };
        let host = FleetHost {
            client: Arc::new(Client::new(
                root.clone(),
                SharedNetwork::new(network),
                time.clock(),
                seed.child("client"),
            )),
            root,
            credentials: administrator(),
            trail: ledger.trail(Actor::Host("host1".to_owned())),
        };
        Ok(Self {
            dcs: domain.dcs().map(FleetDc::of).collect(),
            host,
            title: format!("{} DCs", domain.dcs().len()),
            world: if in_memory { IN_MEMORY } else { ON_SOCKETS },
            domains: vec![domain],
            _roots: Some(roots),
        })
    }

    /// A host of a topology that lives elsewhere.
    pub(super) fn of_topology(title: String, dcs: Vec<FleetDc>, host: FleetHost) -> Self {
        Self { dcs, host, title, world: IN_MEMORY, domains: Vec::new(), _roots: None }
    }

    /// What it is called in reports.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// How many DCs there are.
    pub fn size(&self) -> usize {
        self.dcs.len()
    }

    /// The number of the DC called `name` in the order of the lookup.
    pub fn number_of(&self, name: &str) -> Option<usize> {
        self.dcs.iter().position(|dc| dc.name == name)
    }

    /// `fleet`, where time is virtual and exact, or `sockets`.
    pub fn world(&self) -> &'static str {
        self.world
    }

    /// Looks for a DC that passes.
    ///
    /// [`Strategy::LastGoodFirst`] is told the DC that [`Strategy::Sequential`] finds, unless the
    /// settings name one; the search for that one is not counted.
    pub async fn run(&self, strategy: Strategy, settings: &StrategySettings, seed: u64) -> Ran {
        let mut settings = *settings;
        if strategy == Strategy::LastGoodFirst && settings.last_good.is_none() {
            let before = Box::pin(self.run(Strategy::Sequential, &settings, seed)).await;
            settings.last_good = before.found.and_then(|name| self.number_of(&name));
        }
        let ledger = self.host.trail.ledger();
        let last = ledger.last();
        let candidates: Vec<Candidate> = self.dcs.iter().map(|dc| dc.candidate).collect();
        let plan = strategy.plan(&candidates, &settings, &Seed::new(seed));
        let started = Instant::now();
        let probe = |number: usize| {
            let (host, address) = (self.host.clone(), self.dcs[number].address);
            async move { host.probe(address).await }
        };
        let raced = race(&plan, probe, |probed| probed.failure.is_none()).await;
        let wall = started.elapsed();
        self.settle().await;
        let told = Told::of(&ledger.events_after(last));
        let load = told.load(self.dcs.iter().map(|dc| dc.name.as_str()));
        let attempts = raced.attempts.into_iter().map(|tried| {
            let dc = &self.dcs[tried.candidate];
            let (end, verdict) = match tried.outcome {
                Outcome::Cancelled => (End::Cancelled, None),
                Outcome::Failed(probed) => (End::Failed, probed.failure),
                Outcome::Succeeded(_) => (End::Passed, None),
                Outcome::TimedOut => (End::TimedOut, None),
            };
            let met = told.met(dc.address).filter(|_| end == End::Failed);
            let (began, ended) = (tried.began, tried.ended);
            Attempt { dc: dc.name.clone(), began, ended, end, verdict, met }
        });
        let attempts: Vec<Attempt> = attempts.collect();
        let sum = |of: fn(&super::DcLoad) -> u64| load.iter().map(of).sum();
        Ran {
            strategy,
            seed,
            found: raced.winner.map(|number| attempts[number].dc.clone()),
            took: raced.took,
            in_flight_max: raced.in_flight_max,
            connections_begun: told.connections_begun,
            connections: sum(|load| load.connections),
            handshakes: sum(|load| load.handshakes),
            searches: sum(|load| load.searches),
            attempts,
            load,
            wall,
        }
    }

    /// Waits until DCs have noticed that their clients have left, and the ledger has everything.
    async fn settle(&self) {
        if self.world == IN_MEMORY {
            // Nobody has more to do when this is over.
            return sleep(QUIET_WITHIN).await;
        }
        for domain in &self.domains {
            // A DC that keeps what is lost on the way is left alone.
            let _ = timeout(QUIET_WITHIN, domain.quiet()).await;
        }
    }

    /// Probes one DC alone: what the host concludes, by xapi's tag; `None` if the DC passes.
    ///
    /// # Errors
    ///
    /// There is no such DC.
    pub async fn probe(&self, dc: &str) -> Result<Option<&'static str>, FleetError> {
        let Some(dc) = self.dcs.iter().find(|each| each.name == dc) else {
            let known = self.dcs.iter().map(|dc| dc.name.clone()).collect();
            return Err(fake_dc::Error::UnknownDc { name: dc.to_owned(), known }.into());
        };
        Ok(self.host.probe(dc.address).await.failure)
    }

    /// Ends the DCs that were started for it.
    pub async fn stop(self) {
        for domain in self.domains {
            domain.stop().await;
        }
    }
}

impl FleetDc {
    /// A DC as its domain's DNS tells of it.
    pub(super) fn of(dc: &fake_dc::Dc) -> Self {
        let (priority, weight) = dc.srv_rank();
        let candidate = Candidate { priority, weight };
        Self { name: dc.name().to_owned(), address: dc.ip().into(), candidate }
    }
}

impl FleetHost {
    /// What xapi asks of every DC (xapi-flows.md §6.5).
    async fn probe(&self, server: IpAddr) -> Probed {
        let output = self.net(SambaCommand::AdsSearch {
            server: server.into(),
            credentials: self.credentials.clone(),
            filter: "(|(sAMAccountName=KRBTGT)(name=KRBTGT))".to_owned(),
            attributes: vec!["objectSid".to_owned()],
        });
        let output = output.await;
        let failure = match ProbeFailure::of(&self.root, &output) {
            Ok(failure) => failure.map(|failure| failure.tag),
            // The host's files are gone.
            Err(_) => Some("generic"),
        };
        Probed { failure }
    }

    /// Runs a program with the debug level that xapi gives.
    pub(super) async fn net(&self, command: SambaCommand) -> Output {
        const DEBUG_LEVEL: u8 = 2;
        self.client.run(command, DEBUG_LEVEL, &self.trail).await
    }
}

/// The files of a host that is joined to a domain with LDAPS, as far as a probe reads them.
pub(super) fn join_by_hand(
    root: &HostRoot,
    domain: &str,
    workgroup: &str,
    bundle: &str,
) -> Result<(), HostError> {
    root.write(LDAPS_BUNDLE, bundle.as_bytes(), 0o644)?;
    let joined = SmbConf::Joined(Joined {
        service_name: domain.to_owned(),
        workgroup: workgroup.to_owned(),
        netbios_name: MACHINE.to_owned(),
        ldaps: true,
        trust: TrustLine::File(LDAPS_BUNDLE.to_owned()),
    });
    let text = joined.render(Profile::Landed, &XapiConf::default_in(Profile::Landed));
    root.write(smb_conf::PATH, text.as_bytes(), 0o644)
}

/// The account with which a host joins.
pub(super) fn administrator() -> Credentials {
    Credentials::User { user: USER.to_owned(), password: Secret::new(PASSWORD) }
}

/// As many name servers as a resolver takes.
fn name_servers(domain: &Domain) -> Vec<std::net::SocketAddr> {
    const MOST: usize = 3;
    domain.dcs().take(MOST).map(fake_dc::Dc::dns).collect()
}

/// The standard ports of every DC lead to where it listens.
fn translated(domain: &Domain) -> Network {
    let mut translations = BTreeMap::new();
    for dc in domain.dcs() {
        translations.insert((dc.ip(), 88).into(), dc.kdc());
        translations.insert((dc.ip(), 389).into(), dc.ldap());
        translations.insert((dc.ip(), 636).into(), dc.ldaps());
    }
    Network { nameservers: name_servers(domain), translations, ..Network::default() }
}
