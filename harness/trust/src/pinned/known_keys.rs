//! The keys that a party holds for its peers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};

use super::PublicKey;

/// What a party calls a peer. It is the party's own word: no certificate is compared with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeerName(String);

impl From<&str> for PeerName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl PeerName {
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Peers with the keys that each may show.
pub type KeySets = BTreeMap<PeerName, BTreeSet<PublicKey>>;

/// A set of keys for each peer. Clones share it; changes count from the next handshake on.
#[derive(Clone, Debug, Default)]
pub struct KnownKeys {
    peers: Arc<RwLock<KeySets>>,
}

impl KnownKeys {
    /// Pins one more key for a peer. False if it was pinned already.
    pub fn add(&self, peer: PeerName, key: PublicKey) -> bool {
        self.change(|peers| peers.entry(peer).or_default().insert(key))
    }

    /// Drops a key of a peer. False if it was not pinned.
    pub fn drop_key(&self, peer: &PeerName, key: &PublicKey) -> bool {
        self.change(|peers| peers.get_mut(peer).is_some_and(|keys| keys.remove(key)))
    }

    /// Forgets a peer with all its keys: no more is needed to be rid of it.
    pub fn forget(&self, peer: &PeerName) -> bool {
        self.change(|peers| peers.remove(peer).is_some())
    }

    /// Holds the keys that `keys` says, and no others. Nobody else changes them meanwhile, so that what is held
    /// in the end is what was said last.
    pub fn replace(&self, keys: impl FnOnce() -> KeySets) {
        self.change(|peers| *peers = keys());
    }

    /// The keys of one peer; none if it is unknown.
    pub fn keys_of(&self, peer: &PeerName) -> BTreeSet<PublicKey> {
        self.all().remove(peer).unwrap_or_default()
    }

    /// All peers with their keys.
    pub fn all(&self) -> KeySets {
        self.peers.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change<R>(&self, change: impl FnOnce(&mut KeySets) -> R) -> R {
        // Every change is one operation of the map.
        change(&mut self.peers.write().unwrap_or_else(PoisonError::into_inner))
    }
}
