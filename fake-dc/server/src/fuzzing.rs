//! A domain whose DCs are handed bytes, for fuzz targets (feature `fuzzing`). No promise to anyone
//! else.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use ground::{Actor, Ledger, Timestamp, Transport, VirtualClock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, duplex, split},
    runtime::Runtime,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cldap,
    crowd::Crowd,
    dc::Dc,
    dns,
    domain::Domain,
    error::Error,
    facts::Listener,
    kdc,
    route::Way,
    stream::Stream,
    tasks::{Entrance, Spawner, converse},
    tls::First,
};

/// The domain. Its DCs differ in the TLS that they speak.
#[derive(Debug)]
pub struct World {
    runtime: Runtime,
    domain: Domain,
    dcs: Vec<Arc<Dc>>,
}

/// What the DCs speak: rustls, and what only our own server does.
const TLS: [Option<&str>; 5] = [
    None,
    Some("handshake.tls10-only"),
    Some("handshake.tls11-only"),
    Some("handshake.cbc-only"),
    Some("handshake.static-rsa-only"),
];

/// Bytes that may be under way in one direction.
const LINE_BYTES: usize = 65_536;

/// Where the bytes seem to come from.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl World {
    /// How many DCs there are.
    pub const DCS: usize = TLS.len();

    /// Starts the domain `corp.example`.
    ///
    /// # Errors
    ///
    /// Those of a domain that cannot be started.
    pub fn new() -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|source| Error::Reopen { dc: "dc1".to_owned(), source })?;
        let clock = VirtualClock::starting_at(Timestamp::from_unix(1_780_000_000)).clock();
        let mut builder = Domain::builder("corp.example").dcs(TLS.len());
        for (number, fault) in (1..).zip(TLS) {
            if let Some(fault) = fault {
                builder = builder.fault(format!("dc{number}"), fault);
            }
        }
        let builder = builder.ledger(Ledger::with_capacity(clock.clone(), 100)).clock(clock);
        let domain = runtime.block_on(builder.start())?;
        let dcs = domain.dcs().map(|dc| domain.shared_dc(dc.name()).cloned());
        let dcs = dcs.collect::<Result<_, _>>()?;
        Ok(Self { runtime, domain, dcs })
    }

    /// The DC of that number, counted round.
    fn dc(&self, number: usize) -> &Arc<Dc> {
        &self.dcs[number % self.dcs.len()]
    }

    /// What the first DC answers to a datagram.
    pub fn datagram(&self, listener: Listener, bytes: &[u8]) -> Option<Vec<u8>> {
        let dc = self.dc(0);
        let (way, trail) = (Way::direct(dc), self.domain.ledger().trail(Actor::Dc("dc1".into())));
        match listener {
            Listener::Cldap => cldap::answer(&way, &trail, CLIENT, bytes),
            Listener::Kdc => kdc::answer_datagram(&way, &trail, bytes),
            _ => dns::answer_bytes(dc, &trail, bytes, Transport::Udp),
        }
    }

    /// What a DC sends to a client that connects, sends `bytes` and then no more.
    pub fn connection(&self, dc: usize, listener: Listener, bytes: &[u8]) -> Vec<u8> {
        let dc = self.dc(dc);
        let trail = self.domain.ledger().trail(Actor::Dc(dc.name().to_owned()));
        let (near, far) = duplex(LINE_BYTES);
        let mut member = Crowd::new(1).enter();
        let spawner = Spawner::new(&TaskTracker::new(), CancellationToken::new());
        self.runtime.block_on(async {
            let (way, entrance) = (Way::direct(dc), Entrance::Own(listener));
            let stream = Stream::of(near);
            let server = converse(&way, &entrance, stream, &mut member, &trail, &spawner);
            let (mut from_server, mut to_server) = split(far);
            let client = async {
                // The server may have had enough before the end.
                let _ = to_server.write_all(bytes).await;
                let _ = to_server.shutdown().await;
            };
            let mut answer = Vec::new();
            // A pipe in memory does not fail.
            let _ = tokio::join!(server, client, from_server.read_to_end(&mut answer));
            answer
        })
    }
}

/// Whether the bytes are a ClientHello, as our own TLS server reads it.
pub fn is_client_hello(bytes: &[u8]) -> bool {
    matches!(First::of(bytes), First::Hello(_, used) if used <= bytes.len())
}
