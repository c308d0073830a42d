//! How one host reaches the network: its name servers and its table of routes.
//!
//! The table lets many DCs with standard ports live on one machine, and is the place where a fault
//! on the way from one host to one DC is put. It says nothing about what is at the other end.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
};

use crate::medium::SharedMedium;

/// The network as one host sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// DNS servers, in the order they are asked.
    pub nameservers: Vec<SocketAddr>,
    /// From the address a host believes in (a DC's IP with port 88, 389 or 636) to the address
    /// where that service listens.
    pub translations: BTreeMap<SocketAddr, SocketAddr>,
    /// The address of its TCP connections to peers on loopback. Any but `127.0.0.1` stands for all that
    /// begin with the same two numbers, one for each connection: that spares the kernel the search for
    /// a port that no closed connection holds.
    pub loopback: Ipv4Addr,
    /// How long its programs wait in real time for what does not come.
    pub patience: Patience,
    /// What carries its packets in place of sockets, if anything does.
    pub medium: Option<SharedMedium>,
}

/// How many times its usual real time the model waits for what does not come.
///
/// The usual wait is short and meant for a machine that has time. Where many worlds share a few
/// processors more patience tells a slow peer from a silent one; what the real program would have
/// waited is in the facts either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience(pub u32);

impl Patience {
    /// As long as the real program waits: for a [medium](Network::medium) on a clock that is paused.
    pub const REAL: Self = Self(u32::MAX);
}

impl Default for Patience {
    /// Once.
    fn default() -> Self {
        Self(1)
    }
}

impl Default for Network {
    /// No name server, and `127.0.0.1`.
    fn default() -> Self {
        Self {
            nameservers: Vec::new(),
            translations: BTreeMap::new(),
            loopback: Ipv4Addr::LOCALHOST,
            patience: Patience::default(),
            medium: None,
        }
    }
}

impl Network {
    /// Where a packet for `to` goes: the translation if there is one, else `to` itself.
    pub fn route(&self, to: SocketAddr) -> SocketAddr {
        self.translations.get(&to).copied().unwrap_or(to)
    }
}

/// The network of a running host. Clones share it; setting it affects the next connection.
#[derive(Clone, Debug, Default)]
pub struct SharedNetwork {
    current: Arc<RwLock<Network>>,
}

impl SharedNetwork {
    /// Shares `network`.
    pub fn new(network: Network) -> Self {
        Self { current: Arc::new(RwLock::new(network)) }
    }

    /// Replaces the network as a whole.
    pub fn set(&self, network: Network) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = network;
    }

    /// The network at this moment.
    pub fn current(&self) -> Network {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// [`Network::route`] at this moment.
    pub fn route(&self, to: SocketAddr) -> SocketAddr {
        self.current.read().unwrap_or_else(PoisonError::into_inner).route(to)
    }
}
