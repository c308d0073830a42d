//! Who deploys hosts and orders them about.

mod deploying;
mod migration;
mod rotation;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use ground::Trail;
use serde::{Deserialize, Serialize};

use super::{
    Answer, Frames, KeptIdentity, KeySets, KnownKeys, Order, Party, PeerName, PinnedError,
    PublicKey, SecondLayer, Setting,
    deployment::Token,
    encoding::Bytes,
    facts::{StoreChanged, SymmetricKeyProof},
    orders::Calling,
    pake::{self, Registrar},
    store::Store,
};

pub use migration::MIGRATION_LEASE_SECONDS;

/// The file in its folder.
pub const MANAGER_STORE: &str = "manager.json";

/// What a manager keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    version: u32,
    identity: KeptIdentity,
    /// Made already, and not shown yet.
    next: Option<KeptIdentity>,
    /// Shown before, and kept for the way back.
    former: Option<KeptIdentity>,
    registrar: Registrar,
    agents: BTreeMap<PeerName, Row>,
    /// Deployments that are neither decided nor given up.
    deploying: BTreeMap<PeerName, Intent>,
}

/// An agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    address: SocketAddr,
    keys: BTreeSet<PublicKey>,
    /// Of its symmetric key.
    record: Bytes,
    /// The agent may not know yet that it is deployed.
    unsettled: Option<Intent>,
}

/// A deployment of which there is something to settle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Intent {
    token: Token,
    /// Of the deployment channel.
    address: SocketAddr,
    host_key: PublicKey,
}

/// A manager.
#[derive(Debug)]
pub struct Manager {
    setting: Setting,
    store: Store<State>,
    party: Party,
    second_layer: RwLock<SecondLayer>,
    proxies: KnownKeys,
    /// Where the network leads who wants to reach an agent, if not to the agent.
    ways: Mutex<BTreeMap<PeerName, SocketAddr>>,
    /// Held by whoever deploys or settles: one at a time, so that nobody settles what another is about to decide.
    deploys: tokio::sync::Mutex<()>,
}

/// An open channel to an agent.
#[derive(Debug)]
pub struct Link {
    agent: PeerName,
    frames: Frames,
}

impl Manager {
    /// Starts a manager; at its first start it makes its key. [`Manager::settle`] belongs to every
    /// start.
    ///
    /// # Errors
    ///
    /// Its store cannot be read or made.
    pub fn start(setting: Setting) -> Result<Arc<Self>, PinnedError> {
        let path = setting.folder.join(MANAGER_STORE);
        let store = if path.exists() {
            Store::open(&path)?
        } else {
            let now = setting.clock.now();
            let state = State {
                version: 1,
                identity: KeptIdentity::make(setting.name.as_str(), &setting.draw(), now)?,
                next: None,
                former: None,
                registrar: Registrar::new(&mut setting.draw().stream("registrar")),
                agents: BTreeMap::new(),
                deploying: BTreeMap::new(),
            };
            Store::create(&path, state)?
        };
        let party = Party::new(store.get().identity.identity()?, setting.trail.clone());
        let manager = Self {
            setting,
            store,
            party,
            second_layer: RwLock::default(),
            proxies: KnownKeys::default(),
            ways: Mutex::default(),
            deploys: tokio::sync::Mutex::default(),
        };
        manager.refresh();
        Ok(Arc::new(manager))
    }

    /// What it calls itself.
    pub fn name(&self) -> &PeerName {
        &self.setting.name
    }

    /// Its end of pinned connections.
    pub fn party(&self) -> &Party {
        &self.party
    }

    /// The agents of its database with their keys.
    pub fn agents(&self) -> KeySets {
        self.store.get().agents.into_iter().map(|(name, row)| (name, row.keys)).collect()
    }

    /// What it does inside of the channel before anything else, from now on.
    pub fn set_second_layer(&self, layer: SecondLayer) {
        *self.second_layer.write().unwrap_or_else(PoisonError::into_inner) = layer;
    }

    /// Proxies that may end the channel. They count with a second layer alone.
    pub fn proxies(&self) -> &KnownKeys {
        &self.proxies
    }

    /// The network leads elsewhere when this agent is dialled: to a proxy, or to where the agent
    /// listens now. `None` undoes it.
    pub fn lead(&self, agent: &PeerName, address: Option<SocketAddr>) {
        let mut ways = self.ways();
        match address {
            Some(address) => ways.insert(agent.clone(), address),
            None => ways.remove(agent),
        };
    }

    /// Connects to an agent, with the second layer if there is one.
    ///
    /// # Errors
    ///
    /// The agent is not in the database, or one of the two does not believe the other.
    pub async fn connect(&self, agent: &PeerName) -> Result<Link, PinnedError> {
        let address = self.address_of(agent)?;
        let layer = self.second_layer();
        let proxies = match layer {
            SecondLayer::Off => KeySets::new(),
            SecondLayer::Keys | SecondLayer::SymmetricKey => self.proxies.all(),
        };
        let outer = self.party.dial_or(agent, proxies, address).await?;
        let trail = outer.trail.clone();
        let frames = match layer {
            SecondLayer::Off => Frames::over(outer.stream),
            SecondLayer::Keys => {
                Frames::over(self.party.dial_inside(agent, outer.stream, &trail).await?.stream)
            }
            SecondLayer::SymmetricKey => {
                let mut frames = Frames::over(outer.stream);
                frames.send(&Calling { manager: self.name().clone() }).await?;
                self.check(&mut frames, Some(agent), &trail).await?;
                frames
            }
        };
        Ok(Link { agent: agent.clone(), frames })
    }

    /// Connects to an agent for one order.
    ///
    /// # Errors
    ///
    /// As [`Manager::connect`] and [`Link::order`].
    pub async fn order(&self, agent: &PeerName, order: &Order) -> Result<Answer, PinnedError> {
        self.connect(agent).await?.order(order).await
    }

    /// Forgets an agent. Nothing else is needed to be rid of it, and nothing is left to maintain. A deployment
    /// that is not settled is given up.
    ///
    /// # Errors
    ///
    /// The store cannot be changed, or holds no such agent.
    pub fn remove(&self, agent: &PeerName) -> Result<(), PinnedError> {
        let removed = self.store.change(|state| {
            let given_up = state.deploying.remove(agent).is_some();
            state.agents.remove(agent).is_some() || given_up
        })?;
        if !removed {
            return Err(PinnedError::NotDeployed { agent: agent.clone() });
        }
        self.note(agent, "removed", &self.party.trail());
        self.refresh();
        Ok(())
    }

    /// Gives another component of a host a certificate, over the channel and beside it.
    ///
    /// # Errors
    ///
    /// As [`Manager::order`].
    pub async fn enrol(
        &self,
        agent: &PeerName,
        component: &str,
        identity: KeptIdentity,
    ) -> Result<(), PinnedError> {
        let component = component.to_owned();
        self.order(agent, &Order::Enrol { component, identity }).await.map(drop)
    }

    /// Has whoever is at the other end prove the symmetric key of an agent: of `meant`, or of the one
    /// that it says it is.
    pub(super) async fn check(
        &self,
        frames: &mut Frames,
        meant: Option<&PeerName>,
        trail: &Trail,
    ) -> Result<PeerName, PinnedError> {
        let state = self.store.get();
        let record_of = |agent: &PeerName| {
            let is_meant = meant.is_none_or(|meant| meant == agent);
            state.agents.get(agent).filter(|_| is_meant).map(|row| row.record.clone())
        };
        let rng = self.setting.draw().stream("check");
        let outcome = pake::check(frames, self.name(), &state.registrar, record_of, rng).await;
        let (peer, refused) = match &outcome {
            Ok(agent) => (Some(agent.clone()), None),
            Err(error) => (meant.cloned(), Some(error.reason().to_owned())),
        };
        trail.record(SymmetricKeyProof { peer, refused });
        outcome
    }

    /// What an agent that came by itself is, once it has proven its key.
    pub(super) fn link(agent: PeerName, frames: Frames) -> Link {
        Link { agent, frames }
    }

    fn address_of(&self, agent: &PeerName) -> Result<SocketAddr, PinnedError> {
        let row = self.store.get().agents.remove(agent);
        let row = row.ok_or_else(|| PinnedError::NotDeployed { agent: agent.clone() })?;
        Ok(self.ways().get(agent).copied().unwrap_or(row.address))
    }

    fn note(&self, agent: &PeerName, change: &'static str, trail: &Trail) {
        trail.record(StoreChanged { peer: agent.clone(), change });
    }

    fn refresh(&self) {
        self.party.known_keys().replace(|| self.agents());
    }

    fn second_layer(&self) -> SecondLayer {
        *self.second_layer.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn ways(&self) -> MutexGuard<'_, BTreeMap<PeerName, SocketAddr>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Whom it leads to.
    pub fn agent(&self) -> &PeerName {
        &self.agent
    }

    /// Has the agent carry out an order.
    ///
    /// # Errors
    ///
    /// The channel is broken, or the agent refuses.
    pub async fn order(&mut self, order: &Order) -> Result<Answer, PinnedError> {
        self.frames.ask::<Answer>(order).await?.of(&self.agent)
    }
}
