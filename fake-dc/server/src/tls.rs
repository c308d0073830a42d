//! TLS as a DC speaks it, with any chain and key served unchecked.
//!
//! rustls with aws-lc: TLS 1.2 and 1.3, every suite and group of the provider. No session is
//! resumed, so each connection shows the chain. What Windows' Schannel offers beyond that (TLS 1.0,
//! CBC suites) is not here.

use std::{io, sync::Arc};

use fake_dc_pki::Chain;
use ground::Trail;
use rustls::{
    CipherSuite, NamedGroup, ProtocolVersion, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{Acceptor, ClientHello, NoServerSessionStorage, ResolvesServerCert},
    sign::CertifiedKey,
};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_rustls::{LazyConfigAcceptor, StartHandshake, server::TlsStream};

use crate::{
    facts::{Garbage, Handshake, HandshakeOutcome, Listener},
    faults::{AfterFlight, HelloVerdict, OnHello},
    limits,
    records::Records,
    stream::{Stream, close},
};

/// Versions, suites and groups that a DC offers. A fault narrows them.
pub(crate) struct TlsPolicy {
    pub(crate) provider: Arc<CryptoProvider>,
    pub(crate) versions: &'static [&'static SupportedProtocolVersion],
}

impl TlsPolicy {
    /// Everything that the provider has.
    pub(crate) fn open(provider: &Arc<CryptoProvider>) -> Self {
        Self { provider: Arc::clone(provider), versions: rustls::ALL_VERSIONS }
    }

    /// The provider of this process.
    pub(crate) fn provider() -> Arc<CryptoProvider> {
        Arc::new(aws_lc_rs::default_provider())
    }
}

/// What a DC shows of itself on TLS.
#[derive(Debug)]
pub(crate) struct Identity {
    config: Arc<ServerConfig>,
    leaf: Option<String>,
}

impl Identity {
    /// `chain` served as it is.
    ///
    /// # Errors
    /// If the key is none that the provider can sign with.
    pub(crate) fn new(policy: TlsPolicy, chain: &Chain) -> Result<Self, rustls::Error> {
        let key = policy.provider.key_provider.load_private_key(chain.key.to_der())?;
        let leaf = chain.certificates.first().map(|leaf| fingerprint(leaf));
        // `CertifiedKey::new` checks nothing: a key that does not match and bytes that are no
        // certificate are served as given.
        let certified = Arc::new(CertifiedKey::new(chain.certificates.clone(), key));
        let mut config = ServerConfig::builder_with_provider(policy.provider)
            .with_protocol_versions(policy.versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Always(certified)));
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Self { config: Arc::new(config), leaf })
    }
}

/// Serves one chain to every client, whatever it offers.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// Takes the TLS handshake of a client and records how it went. `None` if it came to nothing; the
/// connection is closed then.
pub(crate) async fn handshake(
    stream: Stream,
    listener: Listener,
    identity: &Identity,
    on_hello: Option<OnHello>,
    trail: &Trail,
) -> Option<TlsStream<Records>> {
    let shaking = async {
        let mut acceptor = LazyConfigAcceptor::new(Acceptor::default(), Records::new(stream));
        let start = match (&mut acceptor).await {
            Ok(start) => start,
            Err(error) => {
                if let Some(reason) = tls_reason(&error) {
                    trail.record(Garbage { listener, layer: "tls", reason });
                }
                if let Some(stream) = acceptor.take_io() {
                    close(stream.into_inner()).await;
                }
                return None;
            }
        };
        let server_name = start.client_hello().server_name().map(str::to_owned);
        if let Some(action) = on_hello {
            trail.record(Handshake {
                reason: Some(action.id.to_owned()),
                server_name,
                leaf: action.shows_certificate().then(|| identity.leaf.clone()).flatten(),
                ..Handshake::default()
            });
            disturb(start, identity, &action).await;
            return None;
        }
        complete(start, identity, server_name, trail).await
    };
    timeout(limits::HANDSHAKE, shaking).await.ok().flatten()
}

async fn complete(
    start: StartHandshake<Records>,
    identity: &Identity,
    server_name: Option<String>,
    trail: &Trail,
) -> Option<TlsStream<Records>> {
    let leaf = identity.leaf.clone();
    match start.into_stream(Arc::clone(&identity.config)).into_fallible().await {
        Ok(mut stream) => {
            stream.get_mut().0.handshake_is_over();
            let (_, connection) = stream.get_ref();
            trail.record(Handshake {
                outcome: HandshakeOutcome::Complete,
                reason: None,
                server_name,
                version: connection.protocol_version().map(version_name),
                cipher_suite: connection
                    .negotiated_cipher_suite()
                    .map(|suite| suite_name(suite.suite())),
                group: connection
                    .negotiated_key_exchange_group()
                    .map(|group| group_name(group.name())),
                leaf,
            });
            Some(stream)
        }
        Err((error, stream)) => {
            // A client that leaves without an alert may be seen as an end or as a reset.
            let reason = tls_reason(&error).unwrap_or_else(|| "the client left".to_owned());
            trail.record(Handshake {
                reason: Some(reason),
                server_name,
                leaf,
                ..Handshake::default()
            });
            close(stream.into_inner()).await;
            None
        }
    }
}

/// Does to a client that has sent its hello what a fault demands.
async fn disturb(start: StartHandshake<Records>, identity: &Identity, action: &OnHello) {
    let StartHandshake { accepted, io, .. } = start;
    let mut stream = io.into_inner();
    match &action.verdict {
        HelloVerdict::Answer(bytes) => {
            // The client may have gone; that is its affair.
            let _ = stream.write_all(bytes).await;
            close(stream).await;
        }
        HelloVerdict::Reset => stream.reset(),
        HelloVerdict::FirstFlight(after) => {
            let Ok(connection) = accepted.into_connection(Arc::clone(&identity.config)) else {
                return close(stream).await;
            };
            first_flight(connection, stream, *after).await;
        }
    }
}

/// Sends what a server sends before it hears of the client again, or the ServerHello of it.
async fn first_flight(mut connection: ServerConnection, mut stream: Stream, after: AfterFlight) {
    let mut flight = Vec::new();
    while connection.wants_write() {
        if connection.write_tls(&mut flight).is_err() {
            break;
        }
    }
    match after {
        AfterFlight::Close => {
            let _ = stream.write_all(&flight).await;
            // Whatever the client says to the flight, it gets no answer.
            let mut answer = [0; 1_024];
            let _ = stream.read(&mut answer).await;
            close(stream).await;
        }
        AfterFlight::StallAfterServerHello => {
            let _ = stream.write_all(&server_hello(&flight)).await;
            let mut rest = [0; 1_024];
            // Holds the connection until the client, or the limit of the handshake, ends it.
            while matches!(stream.read(&mut rest).await, Ok(size) if size > 0) {}
        }
    }
}

/// A record with the first handshake message of `flight`, the ServerHello, and nothing else.
///
/// `flight` begins with a record header of five bytes, in which the last two are the size of the
/// record, and a message header of four, in which the last three are the size of the message.
fn server_hello(flight: &[u8]) -> Vec<u8> {
    let [content_type, major, minor, _, _, message @ ..] = flight else { return Vec::new() };
    let [_, high, middle, low, ..] = message else { return Vec::new() };
    let size = 4 + (usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low));
    let message = message.get(..size).unwrap_or(message);
    let [.., high, low] = message.len().to_be_bytes();
    [&[*content_type, *major, *minor, high, low], message].concat()
}

/// The TLS error in `error`, if that is what it is, and not the end of the connection.
pub(crate) fn tls_reason(error: &io::Error) -> Option<String> {
    error.get_ref()?.downcast_ref::<rustls::Error>().map(ToString::to_string)
}

fn version_name(version: ProtocolVersion) -> String {
    match version {
        ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The name of the IANA registry.
fn suite_name(suite: CipherSuite) -> String {
    let name = suite.as_str().map_or_else(|| format!("{suite:?}"), str::to_owned);
    name.replacen("TLS13_", "TLS_", 1)
}

fn group_name(group: NamedGroup) -> String {
    group.as_str().map_or_else(|| format!("{group:?}"), str::to_owned)
}

/// The SHA-256 fingerprint of a certificate, in lower-case hex.
pub(crate) fn fingerprint(certificate: &[u8]) -> String {
    hex(&Sha256::digest(certificate))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
