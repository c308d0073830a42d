//! A host that managers have deployed.

mod deployed;
mod orders;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use ground::{Clock, Secret, Seed, Stream, Timestamp, Trail};
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};

use super::{
    Fingerprint, Frames, Home, KeptIdentity, KeySets, KnownKeys, Party, PeerName, PinnedError,
    PublicKey, SecondLayer, Serving, Setting,
    deployment::Token,
    facts::{Dialled, KeySwitched, Lent, SymmetricKeyProof},
    orders::Calling,
    pake::{self, SymmetricKey},
    serving::Busy,
    store::Store,
};

/// The file in its folder.
pub const AGENT_STORE: &str = "agent.json";

/// What an agent keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    version: u32,
    /// What it shows in the deployment channel, ever the same.
    host_key: KeptIdentity,
    identity: KeptIdentity,
    /// Made already, and not shown yet.
    next: Option<KeptIdentity>,
    managers: BTreeMap<PeerName, Managed>,
    /// Prepared and not decided; nobody is believed for it.
    pending: BTreeMap<PeerName, Managed>,
    /// Certificates of the host's other components.
    components: BTreeMap<String, KeptIdentity>,
}

/// What a deployment leaves on an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Managed {
    token: Token,
    keys: BTreeSet<PublicKey>,
    /// What the manager calls this host.
    known_as: PeerName,
    symmetric: SymmetricKey,
}

/// A key for the time of a migration. It is kept in memory alone: it does not outlive the process.
#[derive(Clone, Debug)]
struct LentKeys {
    peer: PeerName,
    keys: Vec<PublicKey>,
    until: Timestamp,
}

/// An agent.
#[derive(Debug)]
pub struct Agent {
    setting: Setting,
    store: Store<State>,
    party: Party,
    /// Of the superuser; whoever deploys must know it.
    password: Secret,
    lent: Mutex<BTreeMap<String, LentKeys>>,
    /// Held by the conversation that deploys: what an older one still has to say comes before the next.
    deployments: tokio::sync::Mutex<()>,
    second_layer: RwLock<SecondLayer>,
    proxies: KnownKeys,
}

impl Agent {
    /// Starts an agent; at its first start it makes its keys.
    ///
    /// # Errors
    ///
    /// Its store cannot be read or made.
    pub fn start(setting: Setting, password: Secret) -> Result<Arc<Self>, PinnedError> {
        let path = setting.folder.join(AGENT_STORE);
        let store = if path.exists() {
            Store::open(&path)?
        } else {
            let make =
                || KeptIdentity::make(setting.name.as_str(), &setting.draw(), setting.clock.now());
            Store::create(
                &path,
                State {
                    version: 1,
                    host_key: make()?,
                    identity: make()?,
                    next: None,
                    managers: BTreeMap::new(),
                    pending: BTreeMap::new(),
                    components: BTreeMap::new(),
                },
            )?
        };
        let party = Party::new(store.get().identity.identity()?, setting.trail.clone());
        let agent = Self {
            setting,
            store,
            party,
            password,
            lent: Mutex::default(),
            deployments: tokio::sync::Mutex::default(),
            second_layer: RwLock::default(),
            proxies: KnownKeys::default(),
        };
        agent.refresh();
        Ok(Arc::new(agent))
    }

    /// Announces in the ledger that it dials a manager.
    pub(super) fn announce(&self, home: &Home) -> Trail {
        let (peer, address) = (home.manager.clone(), home.address.to_string());
        self.party.trail().begin(Dialled { peer, address })
    }

    /// Its time.
    pub(super) fn clock(&self) -> &Clock {
        &self.setting.clock
    }

    /// What it calls itself.
    pub fn name(&self) -> &PeerName {
        &self.setting.name
    }

    /// What an operator reads on the host's own console and compares at deployment.
    ///
    /// # Errors
    ///
    /// The store holds no such key.
    pub fn host_fingerprint(&self) -> Result<Fingerprint, PinnedError> {
        Ok(self.store.get().host_key.identity()?.public_key().fingerprint())
    }

    /// Its end of pinned connections.
    pub fn party(&self) -> &Party {
        &self.party
    }

    /// Whom it believes at this moment: its managers, and agents for the time of a migration.
    pub fn believed(&self) -> KeySets {
        self.refresh();
        self.party.known_keys().all()
    }

    /// Deployments that it has prepared and knows no decision of.
    pub fn undecided(&self) -> BTreeSet<PeerName> {
        self.store.get().pending.into_keys().collect()
    }

    /// What managers have to do inside of the channel from now on.
    pub fn set_second_layer(&self, layer: SecondLayer) {
        *self.second_layer.write().unwrap_or_else(PoisonError::into_inner) = layer;
    }

    /// Proxies that may end the channel. They count with a second layer alone.
    pub fn proxies(&self) -> &KnownKeys {
        &self.proxies
    }

    /// Shows another certificate: with another key, unless `identity` has the one of before. The
    /// store is changed first.
    ///
    /// # Errors
    ///
    /// The identity cannot be used, or the store not changed.
    pub fn show(&self, identity: KeptIdentity) -> Result<(), PinnedError> {
        let shown = identity.identity()?;
        self.store.change(|state| state.identity = identity)?;
        self.party.trail().record(KeySwitched { key: shown.public_key().fingerprint() });
        self.party.switch_to(shown);
        Ok(())
    }

    /// Takes orders.
    ///
    /// # Errors
    ///
    /// The listener has no address.
    pub fn serve(self: &Arc<Self>, listener: TcpListener) -> Result<Serving, PinnedError> {
        let agent = Arc::clone(self);
        Ok(Serving::start(listener, move |tcp, busy| {
            let agent = Arc::clone(&agent);
            async move {
                // Whoever is refused knows; handshakes and proofs are in the ledger.
                let _ = agent.accept(tcp, busy).await;
            }
        })?)
    }

    /// Takes deployments.
    ///
    /// # Errors
    ///
    /// The listener has no address.
    pub fn serve_deployment(
        self: &Arc<Self>,
        listener: TcpListener,
    ) -> Result<Serving, PinnedError> {
        let agent = Arc::clone(self);
        Ok(Serving::start(listener, move |tcp, busy| {
            let agent = Arc::clone(&agent);
            async move {
                // A deployment that breaks off is settled by its manager.
                let _ = agent.be_deployed(tcp).await;
                drop(busy);
            }
        })?)
    }

    /// What a component shows at present.
    ///
    /// # Errors
    ///
    /// What is in the store cannot be used.
    pub fn component(&self, component: &str) -> Result<Option<super::Identity>, PinnedError> {
        let kept = self.store.get().components.remove(component);
        Ok(kept.map(|kept| kept.identity()).transpose()?)
    }

    async fn accept(&self, tcp: TcpStream, busy: Busy) -> Result<(), PinnedError> {
        self.refresh();
        let layer = self.second_layer();
        let proxies = match layer {
            SecondLayer::Off => KeySets::new(),
            SecondLayer::Keys | SecondLayer::SymmetricKey => self.proxies.all(),
        };
        let outer = self.party.accept_or(tcp, proxies).await?;
        let trail = outer.trail.clone();
        let peer = outer.verdict.trusted().cloned().ok_or(PinnedError::Cut)?;
        let is_agent = self.lent().values().any(|lent| lent.peer == peer);
        let (peer, frames) = match layer {
            _ if is_agent => (peer, Frames::over(outer.stream)),
            SecondLayer::Off => (peer, Frames::over(outer.stream)),
            SecondLayer::Keys => {
                let inner = self.party.accept_inside(outer.stream, &trail).await?;
                let peer = inner.verdict.trusted().cloned().ok_or(PinnedError::Cut)?;
                (peer, Frames::over(inner.stream))
            }
            SecondLayer::SymmetricKey => {
                let mut frames = Frames::over(outer.stream);
                let Calling { manager } = frames.answer().await?;
                self.prove(&manager, &mut frames, &trail).await?;
                (manager, frames)
            }
        };
        drop(busy);
        self.obey(&peer, frames, &trail).await
    }

    /// Proves to a manager that it knows what was made at deployment.
    pub(super) async fn prove(
        &self,
        manager: &PeerName,
        frames: &mut Frames,
        trail: &Trail,
    ) -> Result<(), PinnedError> {
        let outcome = match self.symmetric_key(manager) {
            Some((known_as, symmetric)) => {
                let rng = draws_of_proof(&self.setting.draw());
                pake::prove(frames, &known_as, manager, &symmetric, rng).await
            }
            None => Err(PinnedError::KeyNotProven),
        };
        let refused = outcome.as_ref().err().map(|error| error.reason().to_owned());
        trail.record(SymmetricKeyProof { peer: Some(manager.clone()), refused });
        outcome
    }

    /// What it can have drawn for a proof: nobody else knows.
    pub(super) fn past_draws(&self) -> impl Iterator<Item = Stream> {
        self.setting.drawn().map(|seed| draws_of_proof(&seed))
    }

    /// What it has of its deployment by a manager: what that calls it, and its key.
    pub(super) fn symmetric_key(&self, manager: &PeerName) -> Option<(PeerName, SymmetricKey)> {
        let managed = self.store.get().managers.remove(manager)?;
        Some((managed.known_as, managed.symmetric))
    }

    /// Whom it believes follows from its store, and from what is lent and has not lapsed.
    fn refresh(&self) {
        self.party.known_keys().replace(|| {
            let managers = self.store.get().managers.into_iter();
            let mut believed: KeySets =
                managers.map(|(manager, managed)| (manager, managed.keys)).collect();
            for LentKeys { peer, keys, .. } in self.lent_now().values() {
                believed.entry(peer.clone()).or_default().extend(keys.iter().cloned());
            }
            believed
        });
    }

    /// What is lent, without what has lapsed.
    fn lent_now(&self) -> MutexGuard<'_, BTreeMap<String, LentKeys>> {
        let now = self.setting.clock.now();
        let mut lent = self.lent();
        lent.retain(|migration, lent| {
            let lasts = now < lent.until;
            if !lasts {
                let (migration, peer) = (migration.clone(), lent.peer.clone());
                self.party.trail().record(Lent { migration, peer, state: "lapsed" });
            }
            lasts
        });
        lent
    }

    /// What managers have to do inside of the channel.
    pub fn second_layer(&self) -> SecondLayer {
        *self.second_layer.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn lent(&self) -> MutexGuard<'_, BTreeMap<String, LentKeys>> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn draws_of_proof(seed: &Seed) -> Stream {
    seed.stream("proof")
}
