//! Ports on which bytes pass as they are: SMB, the endpoint mapper and the services that it names,
//! `kpasswd`.
//!
//! RPC services listen on ports that the system has given them (49152 to 65535), and clients ask the
//! endpoint mapper at port 135 for them. So does the front: a port is opened when an answer that
//! names it passes. Nothing is scanned, and what no client has asked for stays shut.

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ground::Trail;
use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional, split};

use super::{find::RealDc, link::Link, towers};
use crate::{
    dc::Ports,
    facts::Listener,
    gate::{Gate, Passage},
    limits,
    route::Way,
    sockets::SocketSource,
    stream::Stream,
    tasks::{Spawner, accept_passed},
};

/// A port of a front that passes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PassedPort {
    /// The port of the real DC.
    pub port: u16,
    /// Where it is on the front.
    pub here: SocketAddr,
}

/// The ports that pass bytes, by their numbers on the real DC.
#[derive(Debug)]
pub(super) struct Passed {
    address: Ipv4Addr,
    /// Whether the front has the standard ports: then all others keep their numbers, too.
    is_standard: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    gates: BTreeMap<u16, Arc<Gate>>,
    passage: Passage,
    is_closed: bool,
}

/// The endpoint mapper of RPC.
const ENDPOINT_MAPPER: u16 = 135;

impl Passed {
    /// Opens the ports of `real` that only pass bytes; an error comes with the port.
    pub(super) fn open(
        real: &RealDc,
        address: Ipv4Addr,
        ports: Ports,
    ) -> Result<Self, (u16, io::Error)> {
        let is_standard = ports.ldap == Ports::STANDARD.ldap;
        let mut gates = BTreeMap::new();
        for &port in real.passed() {
            let number = if is_standard { port } else { 0 };
            let gate = Gate::open((address, number).into(), &SocketSource::here())
                .map_err(|error| (number, error))?;
            gates.insert(port, Arc::new(gate));
        }
        let state = State { gates, ..State::default() };
        Ok(Self { address, is_standard, state: Mutex::new(state) })
    }

    pub(super) fn serve(&self, way: &Way, spawner: &Spawner) {
        let gates = self.lock().gates.clone();
        for (port, gate) in gates {
            spawner.spawn(accept_passed(way.clone(), port, gate, spawner.clone()));
        }
    }

    /// The number that stands here for `port` of the real DC, which is opened if it is not yet.
    /// `None` if there is none to be had.
    fn stand_in(&self, port: u16, way: &Way, spawner: &Spawner) -> Option<u16> {
        let mut state = self.lock();
        if let Some(gate) = state.gates.get(&port) {
            return Some(gate.address().port());
        }
        if state.is_closed || state.gates.len() >= limits::PASSED_PORTS_MAX {
            return None;
        }
        let by_system = || Gate::open((self.address, 0).into(), &SocketSource::here());
        let same = if self.is_standard {
            Gate::open((self.address, port).into(), &SocketSource::here())
        } else {
            by_system()
        };
        let gate = Arc::new(same.or_else(|_| by_system()).ok()?);
        gate.set(state.passage).ok()?;
        state.gates.insert(port, Arc::clone(&gate));
        drop(state);
        let number = gate.address().port();
        spawner.spawn(accept_passed(way.clone(), port, gate, spawner.clone()));
        Some(number)
    }

    pub(super) fn apply(&self, passage: Passage) -> io::Result<()> {
        let mut state = self.lock();
        state.passage = passage;
        state.gates.values().try_for_each(|gate| gate.set(passage))
    }

    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.is_closed = true;
        state.gates.values().for_each(|gate| gate.close());
    }

    pub(super) fn ports(&self) -> Vec<PassedPort> {
        let state = self.lock();
        state.gates.iter().map(|(&port, gate)| PassedPort { port, here: gate.address() }).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes the bytes of a connection to `port` of the real DC until both ends have ended it.
pub(crate) async fn serve(way: &Way, port: u16, stream: Stream, trail: &Trail, spawner: &Spawner) {
    let Some(behind) = way.dc.behind() else { return };
    let link = behind.connector.connect(port, false).await;
    let Some(link) = behind.recorded(link, Listener::Rpc, trail) else {
        return stream.reset();
    };
    if port == ENDPOINT_MAPPER {
        map_endpoints(&behind.passed, way, spawner, stream, link).await;
    } else {
        relay(stream, link).await;
    }
}

/// Passes bytes in both directions.
pub(super) async fn relay(mut stream: Stream, mut link: Link) {
    if copy_bidirectional(&mut stream, &mut link).await.is_err() {
        stream.reset();
    }
}

/// Passes requests to the endpoint mapper as they are, and answers PDU by PDU, so that the ports in
/// them are open before the client knows them.
async fn map_endpoints(passed: &Passed, way: &Way, spawner: &Spawner, stream: Stream, link: Link) {
    let (mut from_client, mut to_client) = split(stream);
    let (mut from_real, mut to_real) = split(link);
    let up = async {
        copy(&mut from_client, &mut to_real).await?;
        to_real.shutdown().await
    };
    let down = async {
        let mut received = Vec::new();
        while from_real.read_buf(&mut received).await? > 0 {
            while let Some(size) = towers::whole_pdu(&received) {
                let mut pdu: Vec<u8> = received.drain(..size).collect();
                towers::translate(&mut pdu, passed.address, |port| {
                    passed.stand_in(port, way, spawner)
                });
                to_client.write_all(&pdu).await?;
            }
            if received.len() > limits::PDU_BYTES_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            to_client.flush().await?;
        }
        to_client.write_all(&received).await?;
        to_client.shutdown().await
    };
    // Each end has closed, or one is gone and the other notices with what it sends next.
    let _ended: (io::Result<()>, io::Result<()>) = tokio::join!(up, down);
}
