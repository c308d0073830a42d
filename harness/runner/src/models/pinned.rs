//! Pinned keys in a scenario: managers and agents of `trust_models::pinned` on loopback sockets, with
//! their stores in a folder that goes with the world.

mod certificates;
mod reports;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use fake_dc_pki::PkiError;
use ground::{Actor, Clock, EventId, Ledger, Secret, Seed, Skew};
use scenario::{
    Deploy, GivenFingerprint, InsertProxy, ManagerAndAgent, PinnedAction, PinnedLayer, TwoAgents,
};
use tokio::net::TcpListener;
use trust_models::pinned::{
    Agent, Answer, Deployment, Fingerprint, Frames, Link, Manager, Meddling, Order, PeerName,
    PinnedError, Proxy, PublicKey, SecondLayer, Serving, Setting, secrets_in,
};

use super::{Refusal, files_below};
use crate::world::WorldError;
use certificates::Certificates;
use reports::Report;

/// Of the superuser of every host.
const PASSWORD: &str = "xenroot";
/// The one migration that two agents of a scenario have at a time.
const MIGRATION: &str = "migration";

/// The parties of a world.
#[derive(Debug)]
pub(crate) struct Parties {
    folder: PathBuf,
    seed: Seed,
    clock: Clock,
    ledger: Ledger,
    certificates: Certificates,
    /// Those that run.
    managers: BTreeMap<String, Arc<Manager>>,
    agents: BTreeMap<String, Host>,
    /// Channels that were opened and kept.
    links: BTreeMap<[String; 2], Link>,
    /// By the agent that each stands before.
    proxies: BTreeMap<String, Standing>,
    /// What managers do inside of their channels.
    layers: BTreeMap<String, SecondLayer>,
    /// The last report of each agent to each manager.
    reports: BTreeMap<[String; 2], Report>,
    /// How wrong the clocks of managers are.
    skews: BTreeMap<String, Skew>,
    /// How often a party was started.
    starts: u64,
}

/// An agent that listens.
#[derive(Debug)]
struct Host {
    agent: Arc<Agent>,
    service: Serving,
    deployment: Serving,
}

/// A proxy before an agent.
#[derive(Debug)]
struct Standing {
    proxy: Proxy,
    /// Its key, if both ends are to believe it.
    wanted: Option<PublicKey>,
}

impl Standing {
    /// Leads a manager to it.
    fn meet(&self, agent: &str, manager: &Manager) {
        manager.lead(&name(agent), Some(self.proxy.address()));
        if let Some(key) = &self.wanted {
            manager.proxies().add(proxy_of(agent), key.clone());
        }
    }
}

/// Why an action did not succeed.
#[derive(Debug, thiserror::Error)]
enum ActError {
    #[error(transparent)]
    Refused(#[from] PinnedError),
    #[error(transparent)]
    World(#[from] WorldError),
}

impl From<PkiError> for ActError {
    fn from(error: PkiError) -> Self {
        Self::World(error.into())
    }
}

impl From<io::Error> for ActError {
    fn from(error: io::Error) -> Self {
        Self::World(WorldError::Roots(error))
    }
}

impl Parties {
    /// Starts the managers and agents of a plan, and has them deployed.
    pub(crate) async fn build(
        plan: &scenario::World,
        folder: &Path,
        seed: Seed,
        clock: Clock,
        ledger: &Ledger,
    ) -> Result<Self, WorldError> {
        let mut parties = Self {
            folder: folder.join("pinned"),
            certificates: Certificates::new(&seed, clock.now())?,
            seed,
            clock,
            ledger: ledger.clone(),
            managers: BTreeMap::new(),
            agents: BTreeMap::new(),
            links: BTreeMap::new(),
            proxies: BTreeMap::new(),
            layers: BTreeMap::new(),
            reports: BTreeMap::new(),
            skews: BTreeMap::new(),
            starts: 0,
        };
        for manager in &plan.managers {
            parties.start_manager(&manager.name).map_err(unbuilt)?;
        }
        for agent in &plan.agents {
            parties.start_agent(&agent.name).await.map_err(unbuilt)?;
            for manager in &agent.deployed_by {
                let order = parties.order(&agent.name, GivenFingerprint::Right, PASSWORD);
                let order = order.map_err(unbuilt)?;
                let deployed = parties.manager(manager)?.deploy(&order).await;
                deployed.map_err(|error| unbuilt(error.into()))?;
            }
        }
        Ok(parties)
    }

    /// Carries out an action, and waits until everybody has recorded what came of it. A refusal must
    /// leave all stores as they were.
    pub(crate) async fn act(
        &mut self,
        action: &PinnedAction,
        cause: Option<EventId>,
    ) -> Result<Option<Refusal>, WorldError> {
        for manager in self.managers.values() {
            manager.party().act_under(cause);
        }
        for host in self.agents.values() {
            host.agent.party().act_under(cause);
        }
        let before = self.stores()?;
        let outcome = self.carry_out(action).await;
        for host in self.agents.values() {
            host.service.settled().await;
        }
        match outcome {
            Ok(()) => Ok(None),
            Err(ActError::World(error)) => Err(error),
            Err(ActError::Refused(error)) => {
                let changed = changed(&before, &self.stores()?);
                if let Some(name) = changed.filter(|_| !has_several_steps(action)) {
                    return Err(WorldError::StoreOfRefusal { name });
                }
                let (reason, words) = (error.reason().to_owned(), error.to_string());
                Ok(Some(Refusal { reason, words, diagnosis: Vec::new() }))
            }
        }
    }

    /// What no event may hold.
    pub(crate) fn secrets(&self) -> Result<Vec<String>, WorldError> {
        let mut secrets = Vec::new();
        for bytes in self.stores()?.values() {
            secrets.extend(secrets_in(bytes).iter().map(|secret| secret.expose().to_owned()));
        }
        Ok(secrets)
    }

    async fn carry_out(&mut self, action: &PinnedAction) -> Result<(), ActError> {
        match action {
            PinnedAction::Deploy(deploy) => self.deploy(deploy).await?,
            PinnedAction::Connect(pair) => {
                self.manager(&pair.manager)?.order(&name(&pair.agent), &Order::Ping).await?;
            }
            PinnedAction::Open(pair) => {
                let link = self.manager(&pair.manager)?.connect(&name(&pair.agent)).await?;
                self.links.insert(key(pair), link);
            }
            PinnedAction::UseOpen(pair) => self.use_open(pair).await?,
            PinnedAction::Remove(pair) => {
                self.manager(&pair.manager)?.remove(&name(&pair.agent))?;
            }
            PinnedAction::Present(present) => {
                let identity = self.certificates.of_agent(present)?;
                self.host(&present.agent)?.agent.show(identity)?;
            }
            PinnedAction::PrepareKey(of) => {
                self.manager(&of.manager)?.prepare_key()?;
            }
            PinnedAction::AnnounceKey(of) => {
                let manager = self.manager(&of.manager)?;
                let shown = || manager.party().identity().public_key().clone();
                let key = manager.prepared_key()?.unwrap_or_else(shown);
                manager.announce_key(&key).await?;
            }
            PinnedAction::SwitchKey(of) => self.manager(&of.manager)?.switch_key()?,
            PinnedAction::SwitchBack(of) => self.manager(&of.manager)?.switch_back()?,
            PinnedAction::WithdrawKey(of) => {
                let manager = self.manager(&of.manager)?;
                let former = manager.former_key()?;
                let former = former.ok_or(PinnedError::NoKey { which: "former" })?;
                manager.withdraw_key(&former).await?;
            }
            PinnedAction::RotateAgent(pair) => {
                self.manager(&pair.manager)?.rotate_agent(&name(&pair.agent)).await?;
            }
            PinnedAction::Migrate(between) => {
                let (from, to) = (name(&between.from), name(&between.to));
                self.manager(&between.manager)?.migrate(MIGRATION, &from, &to).await?;
            }
            PinnedAction::Lend(between) => {
                let (from, to) = (name(&between.from), name(&between.to));
                self.manager(&between.manager)?.lend(MIGRATION, &from, &to).await?;
            }
            PinnedAction::EndMigration(between) => {
                let (from, to) = (name(&between.from), name(&between.to));
                self.manager(&between.manager)?.end_migration(MIGRATION, &from, &to).await?;
            }
            PinnedAction::Meet(agents) => self.meet(agents).await?,
            PinnedAction::StopManager(of) => {
                self.managers.remove(of.manager.as_str());
                self.links.retain(|[manager, _], _| manager != of.manager.as_str());
                for ([manager, _], report) in &mut self.reports {
                    if manager == of.manager.as_str() {
                        report.close();
                    }
                }
            }
            PinnedAction::StartManager(of) => {
                self.start_manager(&of.manager)?;
                self.manager(&of.manager)?.settle().await?;
            }
            PinnedAction::Enrol(enrol) => {
                let identity =
                    self.certificates.of_component(&enrol.agent, &enrol.component, enrol.ca)?;
                let (agent, component) = (name(&enrol.agent), enrol.component.as_str());
                self.manager(&enrol.manager)?.enrol(&agent, component, identity).await?;
            }
            PinnedAction::Visit(visit) => {
                let shown = self.host(&visit.agent)?.agent.component(&visit.component)?;
                let visited = self.certificates.visit(visit, shown, &self.clock);
                visited.await?;
            }
            PinnedAction::InsertProxy(insert) => self.insert_proxy(insert).await?,
            PinnedAction::RemoveProxy(of) => self.remove_proxy(&of.agent)?,
            PinnedAction::SetManagerClock(set) => {
                let behind = i64::try_from(set.behind.0.as_secs()).unwrap_or(i64::MAX);
                self.skews.entry(set.manager.to_string()).or_default().set(-behind);
            }
            PinnedAction::SetSecondLayer(set) => {
                let layer = match set.layer {
                    PinnedLayer::Keys => SecondLayer::Keys,
                    PinnedLayer::Off => SecondLayer::Off,
                    PinnedLayer::SymmetricKey => SecondLayer::SymmetricKey,
                };
                self.manager(&set.manager)?.set_second_layer(layer);
                self.layers.insert(set.manager.to_string(), layer);
                self.host(&set.agent)?.agent.set_second_layer(layer);
            }
            PinnedAction::Report(report) => self.report(report).await?,
            PinnedAction::Replay(pair) => self.replay(pair).await?,
            PinnedAction::Guess(guess) => self.guess(guess).await?,
            PinnedAction::GuessOffline(guess) => self.guess_offline(guess)?,
        }
        Ok(())
    }

    async fn deploy(&mut self, deploy: &Deploy) -> Result<(), ActError> {
        let password = deploy.password.as_ref().map_or(PASSWORD, |password| password.as_str());
        let order = self.order(&deploy.agent, deploy.fingerprint, password)?;
        self.manager(&deploy.manager)?.deploy(&order).await?;
        Ok(())
    }

    fn order(
        &self,
        agent: &str,
        fingerprint: GivenFingerprint,
        password: &str,
    ) -> Result<Deployment, ActError> {
        let host = self.host(agent)?;
        let fingerprint: Option<Fingerprint> = match fingerprint {
            GivenFingerprint::None => None,
            GivenFingerprint::Right => Some(host.agent.host_fingerprint()?),
            GivenFingerprint::Wrong => {
                let intruder = self.certificates.of_proxy(agent, false)?;
                Some(intruder.public_key().fingerprint())
            }
        };
        Ok(Deployment {
            agent: name(agent),
            address: host.deployment.address(),
            fingerprint,
            password: Secret::new(password),
            service: host.service.address(),
        })
    }

    async fn use_open(&mut self, pair: &ManagerAndAgent) -> Result<(), ActError> {
        let link = self.links.get_mut(&key(pair)).ok_or_else(|| WorldError::Unknown {
            what: "open channel to",
            name: pair.agent.to_string(),
        })?;
        link.order(&Order::Ping).await?;
        Ok(())
    }

    /// An agent dials another as it does in a migration.
    async fn meet(&self, agents: &TwoAgents) -> Result<(), ActError> {
        let from = &self.host(&agents.from)?.agent;
        // Whom it believes at this moment.
        from.believed();
        let address = self.host(&agents.to)?.service.address();
        let mut frames = Frames::over(from.party().dial(&name(&agents.to), address).await?.stream);
        let begin = Order::BeginMigration { migration: MIGRATION.to_owned() };
        match frames.ask::<Answer>(&begin).await? {
            Answer::Refused { reason, words } => {
                let peer = name(&agents.to);
                Err(PinnedError::OrderRefused { peer, reason, words }.into())
            }
            Answer::Done | Answer::Key { .. } => Ok(()),
        }
    }

    async fn insert_proxy(&mut self, insert: &InsertProxy) -> Result<(), ActError> {
        let identity = self.certificates.of_proxy(&insert.agent, insert.wanted)?;
        let host = self.host(&insert.agent)?;
        let meddling = match insert.alters {
            true => Meddling::Alter(first_answer(host.agent.second_layer())),
            false => Meddling::None,
        };
        let proxy = Proxy::start(listener().await?, &identity, host.service.address(), meddling)?;
        let standing =
            Standing { proxy, wanted: insert.wanted.then(|| identity.public_key().clone()) };
        for manager in self.managers.values() {
            standing.meet(&insert.agent, manager);
        }
        if let Some(key) = standing.wanted.clone() {
            host.agent.proxies().add(proxy_of(&insert.agent), key);
        }
        self.proxies.insert(insert.agent.to_string(), standing);
        Ok(())
    }

    /// The proxy goes, and nobody believes its key any longer.
    fn remove_proxy(&mut self, agent: &str) -> Result<(), ActError> {
        let proxy = proxy_of(agent);
        self.host(agent)?.agent.proxies().forget(&proxy);
        for manager in self.managers.values() {
            manager.lead(&name(agent), None);
            manager.proxies().forget(&proxy);
        }
        self.proxies.remove(agent);
        Ok(())
    }

    fn start_manager(&mut self, name: &str) -> Result<(), ActError> {
        let setting = self.setting("managers", name)?;
        let manager = Manager::start(setting)?;
        // The network leads it where it led the one before, and its operator has not changed his mind.
        for (agent, standing) in &self.proxies {
            standing.meet(agent, &manager);
        }
        manager.set_second_layer(self.layers.get(name).copied().unwrap_or_default());
        self.managers.insert(name.to_owned(), manager);
        Ok(())
    }

    async fn start_agent(&mut self, name: &str) -> Result<(), ActError> {
        let agent = Agent::start(self.setting("agents", name)?, Secret::new(PASSWORD))?;
        agent.show(self.certificates.first_of_agent(name)?)?;
        let service = agent.serve(listener().await?)?;
        let deployment = agent.serve_deployment(listener().await?)?;
        self.agents.insert(name.to_owned(), Host { agent, service, deployment });
        Ok(())
    }

    fn setting(&mut self, kind: &str, name: &str) -> Result<Setting, ActError> {
        self.starts += 1;
        let folder = self.folder.join(kind).join(name);
        fs::create_dir_all(&folder)?;
        let trail = self.ledger.trail(Actor::Host(name.to_owned()));
        let seed = self.seed.child(&format!("start {}", self.starts));
        let skew = self.skews.entry(name.to_owned()).or_default();
        Ok(Setting::new(name, &folder, seed, self.clock.skewed_by(skew), trail))
    }

    fn manager(&self, name: &str) -> Result<&Arc<Manager>, WorldError> {
        let unknown = || WorldError::Unknown { what: "running manager", name: name.to_owned() };
        self.managers.get(name).ok_or_else(unknown)
    }

    fn host(&self, name: &str) -> Result<&Host, WorldError> {
        let unknown = || WorldError::Unknown { what: "agent", name: name.to_owned() };
        self.agents.get(name).ok_or_else(unknown)
    }

    /// The bytes of every file that a party keeps, by its path.
    fn stores(&self) -> Result<BTreeMap<PathBuf, Vec<u8>>, WorldError> {
        files_below(&self.folder)
    }
}

/// Whether an action may break off in the middle, with agents told and others not, or a key learnt and
/// not shown: the pieces are refusals of their own, each without effect.
fn has_several_steps(action: &PinnedAction) -> bool {
    matches!(
        action,
        PinnedAction::AnnounceKey(_)
            | PinnedAction::RotateAgent(_)
            | PinnedAction::StartManager(_)
            | PinnedAction::WithdrawKey(_)
    )
}

/// The first file that differs.
fn changed(
    before: &BTreeMap<PathBuf, Vec<u8>>,
    after: &BTreeMap<PathBuf, Vec<u8>>,
) -> Option<String> {
    let names = before.keys().chain(after.keys());
    let differs = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let path = names.into_iter().find(differs)?;
    Some(path.display().to_string())
}

fn unbuilt(error: ActError) -> WorldError {
    match error {
        ActError::Refused(error) => WorldError::Pinned(Box::new(error)),
        ActError::World(error) => error,
    }
}

fn name(text: &str) -> PeerName {
    text.into()
}

fn key(pair: &ManagerAndAgent) -> [String; 2] {
    [pair.manager.to_string(), pair.agent.to_string()]
}

/// What managers and the agent call the operator's proxy before it. No party can have that name.
fn proxy_of(agent: &str) -> PeerName {
    format!("the proxy before {agent}").as_str().into()
}

/// Which message of an agent is its first answer. In a second TLS its part of the handshake comes before, a change
/// of the cipher and `Finished`; in a proof of the symmetric key, two messages.
fn first_answer(layer: SecondLayer) -> usize {
    match layer {
        SecondLayer::Keys => 3,
        SecondLayer::SymmetricKey => 2,
        SecondLayer::Off => 0,
    }
}

async fn listener() -> io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}
