//! One end of pinned connections: it dials, and it is dialled.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use ground::{EventId, Trail};
use rustls::{
    AlertDescription, ClientConfig, Error as TlsError, ServerConfig,
    client::Resumption,
    pki_types::ServerName,
    server::NoServerSessionStorage,
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::{
    Identity, KeySets, KnownKeys, PeerName, PinnedError, Verdict,
    facts::{Accepted, Dialled, Failed, Judged},
    witness::{Timeless, Witness},
};
use crate::wire::{accepted, close, connect_within, provider};

/// How long a handshake may take in real time.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// In the place of an address: the connection runs inside of another.
const INSIDE: &str = "inside";

/// What a handshake can run over.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for S {}

/// A manager, an agent, or a host of a pool.
#[derive(Debug)]
pub struct Party {
    identity: RwLock<Identity>,
    known_keys: KnownKeys,
    trail: RwLock<Trail>,
}

/// A connection whose both ends believe each other.
#[derive(Debug)]
pub struct Connection<S = TcpStream> {
    /// What travels over it.
    pub stream: TlsStream<S>,
    /// Why this end believes the other.
    pub verdict: Verdict,
    /// Below this, whatever happens over the connection is recorded.
    pub trail: Trail,
}

impl Party {
    /// A party that knows nobody yet. What it does is recorded on `trail`, whose actor it is.
    pub fn new(identity: Identity, trail: Trail) -> Self {
        let (identity, trail) = (RwLock::new(identity), RwLock::new(trail));
        Self { identity, known_keys: KnownKeys::default(), trail }
    }

    /// The keys it holds for its peers.
    pub fn known_keys(&self) -> &KnownKeys {
        &self.known_keys
    }

    /// Shows another certificate, with the same key or another, from the next handshake on.
    pub fn switch_to(&self, identity: Identity) {
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }

    /// What it shows now.
    pub fn identity(&self) -> Identity {
        self.identity.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Connects to `peer`, and believes nobody else.
    ///
    /// TLS 1.2, in which the handshake ends with the consent of both. (In 1.3 the side that dials
    /// is done before the other has looked at its key.)
    ///
    /// # Errors
    ///
    /// One of the two refuses the other, or they do not meet.
    pub async fn dial(
        &self,
        peer: &PeerName,
        address: SocketAddr,
    ) -> Result<Connection, PinnedError> {
        self.dial_or(peer, BTreeMap::new(), address).await
    }

    /// As [`Party::dial`], but one of `others` may be there in its place.
    pub(super) async fn dial_or(
        &self,
        peer: &PeerName,
        others: KeySets,
        address: SocketAddr,
    ) -> Result<Connection, PinnedError> {
        let trail =
            self.trail().begin(Dialled { peer: peer.clone(), address: address.to_string() });
        let tcp = connect_within(HANDSHAKE_LIMIT, address, &trail).await.map_err(|source| {
            trail.record(Failed { cause: "connect" });
            PinnedError::Connect { address, source }
        })?;
        self.introduce(peer, others, tcp, &trail).await
    }

    /// Connects to `peer` inside of a channel that somebody else may end, such as a proxy.
    ///
    /// # Errors
    ///
    /// As [`Party::dial`].
    pub async fn dial_inside<S: Transport>(
        &self,
        peer: &PeerName,
        channel: S,
        trail: &Trail,
    ) -> Result<Connection<S>, PinnedError> {
        let dialled = Dialled { peer: peer.clone(), address: INSIDE.to_owned() };
        self.introduce(peer, BTreeMap::new(), channel, &trail.begin(dialled)).await
    }

    /// Takes the connection of whoever owns a key that is pinned here. TLS 1.2 or 1.3.
    ///
    /// # Errors
    ///
    /// One of the two refuses the other, or the handshake fails.
    pub async fn accept(&self, tcp: TcpStream) -> Result<Connection, PinnedError> {
        self.accept_or(tcp, BTreeMap::new()).await
    }

    /// As [`Party::accept`], but it may also be one of `others`.
    pub(super) async fn accept_or(
        &self,
        tcp: TcpStream,
        others: KeySets,
    ) -> Result<Connection, PinnedError> {
        let trail = self.trail_of(&tcp);
        self.be_introduced(others, tcp, &trail).await
    }

    /// As [`Party::accept`], inside of a channel.
    ///
    /// # Errors
    ///
    /// As [`Party::accept`].
    pub async fn accept_inside<S: Transport>(
        &self,
        channel: S,
        trail: &Trail,
    ) -> Result<Connection<S>, PinnedError> {
        self.be_introduced(BTreeMap::new(), channel, trail).await
    }

    async fn be_introduced<S: Transport>(
        &self,
        mut expected: KeySets,
        channel: S,
        trail: &Trail,
    ) -> Result<Connection<S>, PinnedError> {
        let trail = trail.begin(Accepted {});
        expected.extend(self.known_keys.all());
        let witness = Witness::new(expected);
        let config = server_config(&self.identity(), Arc::clone(&witness));
        let acceptor = TlsAcceptor::from(Arc::new(config));
        judge(&witness, &trail, acceptor.accept(channel).into_fallible()).await
    }

    /// Where what it does by itself is recorded.
    pub fn trail(&self) -> Trail {
        self.trail.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it does by itself from now on is caused by this.
    pub fn act_under(&self, cause: Option<EventId>) {
        let mut trail = self.trail.write().unwrap_or_else(PoisonError::into_inner);
        *trail = trail.under(cause);
    }

    /// Where what happens on a connection that was accepted is recorded: below what its other end did.
    pub(super) fn trail_of(&self, tcp: &TcpStream) -> Trail {
        accepted(tcp, &self.trail())
    }

    async fn introduce<S: Transport>(
        &self,
        peer: &PeerName,
        mut expected: KeySets,
        channel: S,
        trail: &Trail,
    ) -> Result<Connection<S>, PinnedError> {
        expected.insert(peer.clone(), self.known_keys.keys_of(peer));
        let witness = Witness::new(expected);
        let config = client_config(&self.identity(), Arc::clone(&witness));
        let connector = TlsConnector::from(Arc::new(config));
        // Not sent, and not looked at.
        let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        judge(&witness, trail, connector.connect(name, channel).into_fallible()).await
    }
}

/// Does a handshake within its limit, and records what came of it.
async fn judge<S: Transport, T: Into<TlsStream<S>>>(
    witness: &Witness,
    trail: &Trail,
    handshake: impl Future<Output = Result<T, (io::Error, S)>>,
) -> Result<Connection<S>, PinnedError> {
    let outcome = timeout(HANDSHAKE_LIMIT, handshake).await;
    let verdict = witness.verdict();
    let (outcome, broken) = match outcome {
        Ok(Ok(stream)) => (Ok(stream), None),
        Ok(Err((error, channel))) => (Err(explain(error, &verdict)), Some(channel)),
        Err(_) => (Err(PinnedError::Silent { limit: HANDSHAKE_LIMIT }), None),
    };
    let cause = match &outcome {
        Err(PinnedError::Altered) => Some("altered"),
        Err(PinnedError::Handshake(_)) => Some("handshake"),
        Err(PinnedError::RefusedByPeer { .. }) => Some("refused-by-peer"),
        Err(PinnedError::Silent { .. }) => Some("silent"),
        Ok(_) | Err(_) => None,
    };
    // A handshake may break after the peer was judged, or before.
    if cause.is_none() || verdict.found.is_some() {
        trail.record(Judged::from(&verdict));
    }
    if let Some(cause) = cause {
        trail.record(Failed { cause });
    }
    if let Some(broken) = broken {
        close(broken).await;
    }
    outcome.map(|stream| Connection { stream: stream.into(), verdict, trail: trail.clone() })
}

fn explain(source: io::Error, verdict: &Verdict) -> PinnedError {
    match source.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>()) {
        Some(TlsError::AlertReceived(AlertDescription::BadRecordMac)) => PinnedError::Altered,
        Some(TlsError::AlertReceived(alert)) => PinnedError::RefusedByPeer { alert: *alert },
        Some(TlsError::InvalidCertificate(_) | TlsError::NoCertificatesPresented) => {
            PinnedError::Refused(Box::new(verdict.clone()))
        }
        _ => PinnedError::of_handshake(source),
    }
}

fn client_config(identity: &Identity, witness: Arc<Witness>) -> ClientConfig {
    let mut config = ClientConfig::builder_with_details(Arc::clone(provider()), Arc::new(Timeless))
        .with_protocol_versions(&[&TLS12])
        .expect("the provider has suites of TLS 1.2")
        .dangerous()
        .with_custom_certificate_verifier(witness)
        .with_client_cert_resolver(identity.resolver());
    config.enable_sni = false;
    config.resumption = Resumption::disabled();
    config
}

fn server_config(identity: &Identity, witness: Arc<Witness>) -> ServerConfig {
    let mut config = ServerConfig::builder_with_details(Arc::clone(provider()), Arc::new(Timeless))
        .with_protocol_versions(&[&TLS12, &TLS13])
        .expect("the provider has suites of TLS 1.2 and 1.3")
        .with_client_cert_verifier(witness)
        .with_cert_resolver(identity.resolver());
    // A dropped key must count at the next handshake: nobody resumes.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config
}
