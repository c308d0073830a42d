//! A proxy that ends TLS: both sides speak to it, and it passes on what it reads.
//!
//! One that an operator has put there and one that an intruder has put there are the same program.
//! What makes the difference is whether its key is known to both ends.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ground::Trail;
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error as TlsError, ServerConfig,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::{
    HANDSHAKE_LIMIT, Identity, MESSAGE_LIMIT, PinnedError, Serving, facts::ProxyReached,
    witness::Timeless,
};
use crate::wire::{
    self, ChecksPossession, SchemeMeaning, close, provider, signatures_by_possession,
};

/// What it does to bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meddling {
    /// It turns a bit amid the message of this number that the dialled end says: a record of a second
    /// TLS, or a frame.
    Alter(usize),
    /// Nothing.
    #[default]
    None,
}

/// When a proxy dials whom it stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dials {
    /// As soon as it has TLS with whoever dialled: for protocols in which the dialled end may speak first.
    AtOnce,
    /// When whoever dialled has said something. A client that judges after the handshake may leave without a word,
    /// and then the dialled end sees nobody, however the client's bytes are cut up on their way.
    WhenSpokenTo,
}

/// How many bytes of each side a proxy keeps.
const HEARD_MAX: usize = 1024 * 1024;

/// What a proxy has read so far, in the clear as far as it can read it: the first MiB of each side.
#[derive(Clone, Default)]
pub struct Heard {
    /// From whoever dialled.
    pub dialler: Vec<u8>,
    /// From whoever was dialled.
    pub dialled: Vec<u8>,
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dialler, dialled) = (self.dialler.len(), self.dialled.len());
        write!(f, "Heard({dialler} bytes, {dialled} bytes)")
    }
}

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    serving: Serving,
    heard: Option<Arc<Mutex<Heard>>>,
}

/// What all conversations of a proxy have in common.
struct Way {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
    target: SocketAddr,
    meddling: Meddling,
    dials: Dials,
    trail: Option<Trail>,
    heard: Option<Arc<Mutex<Heard>>>,
}

impl Proxy {
    /// Shows `identity` to both sides, and passes on between whoever dials it and `target`.
    ///
    /// # Errors
    ///
    /// The listener has no address.
    pub fn start(
        listener: TcpListener,
        identity: &Identity,
        target: SocketAddr,
        meddling: Meddling,
    ) -> Result<Self, PinnedError> {
        Self::serve(listener, Way { meddling, ..Way::new(identity, target) })
    }

    /// The same, and keeps what it reads.
    ///
    /// # Errors
    ///
    /// As [`Proxy::start`].
    pub fn eavesdrop(
        listener: TcpListener,
        identity: &Identity,
        target: SocketAddr,
    ) -> Result<Self, PinnedError> {
        let heard = Some(Arc::default());
        Self::serve(listener, Way { heard, ..Way::new(identity, target) })
    }

    /// Passes on as [`Proxy::start`] does, and is a part of the story: who comes to it is recorded on `trail`, and
    /// what `target` sees is caused by what whoever dialled has done.
    ///
    /// # Errors
    ///
    /// As [`Proxy::start`].
    pub fn relay(
        listener: TcpListener,
        identity: &Identity,
        target: SocketAddr,
        dials: Dials,
        trail: Trail,
    ) -> Result<Self, PinnedError> {
        Self::serve(listener, Way { dials, trail: Some(trail), ..Way::new(identity, target) })
    }

    fn serve(listener: TcpListener, way: Way) -> Result<Self, PinnedError> {
        let heard = way.heard.clone();
        let way = Arc::new(way);
        let serving = Serving::start(listener, move |tcp, busy| {
            let way = Arc::clone(&way);
            async move {
                // A side that does not believe the proxy has ended the handshake: so does the other.
                let _ = way.pass_on(tcp).await;
                drop(busy);
            }
        })?;
        Ok(Self { serving, heard })
    }

    /// What it has read of all conversations, if it eavesdrops.
    pub fn heard(&self) -> Heard {
        let heard = self.heard.as_ref();
        heard
            .map(|heard| heard.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .unwrap_or_default()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// Waits until all conversations that it has taken have ended.
    pub async fn settled(&self) {
        self.serving.settled().await;
    }

    /// Ends it with all its conversations.
    pub async fn stop(self) {
        self.serving.stop().await;
    }
}

impl Way {
    fn new(identity: &Identity, target: SocketAddr) -> Self {
        Self {
            acceptor: TlsAcceptor::from(Arc::new(server_config(identity))),
            connector: TlsConnector::from(Arc::new(client_config(identity))),
            target,
            meddling: Meddling::None,
            dials: Dials::AtOnce,
            trail: None,
            heard: None,
        }
    }

    async fn pass_on(&self, tcp: TcpStream) -> io::Result<()> {
        let trail = self.trail.as_ref().map(|trail| wire::accepted(&tcp, trail));
        if let Some(trail) = &trail {
            trail.record(ProxyReached {});
        }
        let mut dialler = timeout(HANDSHAKE_LIMIT, self.acceptor.accept(tcp)).await??;
        let first = match self.dials {
            Dials::AtOnce => Vec::new(),
            Dials::WhenSpokenTo => match piece(&mut dialler).await {
                Ok((first, _)) => first,
                Err(error) => {
                    close(dialler).await;
                    return Err(error);
                }
            },
        };
        let mut dialled = match timeout(HANDSHAKE_LIMIT, self.dial(trail.as_ref())).await? {
            Ok(dialled) => dialled,
            Err(error) => {
                close(dialler).await;
                return Err(error);
            }
        };
        self.hear(|heard| &mut heard.dialler, &first);
        dialled.write_all(&first).await?;
        dialled.flush().await?;
        let (from_dialler, to_dialler) = split(TlsStream::from(dialler));
        let (from_dialled, to_dialled) = split(TlsStream::from(dialled));
        let there = copy(from_dialler, to_dialled, Meddling::None, |bytes| {
            self.hear(|heard| &mut heard.dialler, bytes);
        });
        let back = copy(from_dialled, to_dialler, self.meddling, |bytes| {
            self.hear(|heard| &mut heard.dialled, bytes);
        });
        let (there, back) = tokio::join!(there, back);
        there.and(back)
    }

    async fn dial(
        &self,
        trail: Option<&Trail>,
    ) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let tcp = match trail {
            Some(trail) => wire::connect(self.target, trail).await?,
            None => TcpStream::connect(self.target).await?,
        };
        self.connector.connect(ServerName::from(self.target.ip()), tcp).await
    }

    fn hear(&self, side: fn(&mut Heard) -> &mut Vec<u8>, bytes: &[u8]) {
        if let Some(heard) = &self.heard {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = side(&mut heard);
            let room = HEARD_MAX.saturating_sub(kept.len());
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
}

/// Until one side says no more, which the other hears.
async fn copy(
    mut from: ReadHalf<TlsStream<TcpStream>>,
    mut to: WriteHalf<TlsStream<TcpStream>>,
    meddling: Meddling,
    hear: impl Fn(&[u8]),
) -> io::Result<()> {
    for number in 0.. {
        let said = match meddling {
            Meddling::Alter(_) => message(&mut from).await,
            Meddling::None => piece(&mut from).await,
        };
        let Ok((mut bytes, content)) = said else { break };
        hear(&bytes);
        if meddling == Meddling::Alter(number) {
            let middle = usize::midpoint(content, bytes.len());
            bytes[middle] ^= 1;
        }
        to.write_all(&bytes).await?;
        to.flush().await?;
    }
    to.shutdown().await
}

/// What there is to read, and where its content begins.
async fn piece(from: &mut (impl AsyncRead + Unpin)) -> io::Result<(Vec<u8>, usize)> {
    let mut bytes = vec![0; 16 * 1024];
    let count = from.read(&mut bytes).await?;
    bytes.truncate(count);
    if bytes.is_empty() { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok((bytes, 0)) }
}

/// The next whole message, however it is cut up on its way: a record of TLS begins with its kind and the version, a
/// frame with its length.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> io::Result<(Vec<u8>, usize)> {
    let mut head = [0; 4];
    from.read_exact(&mut head).await?;
    let mut bytes = head.to_vec();
    let length = match head {
        [20..=23, 3, _, high] => {
            let low = from.read_u8().await?;
            bytes.push(low);
            usize::from(u16::from_be_bytes([high, low]))
        }
        head => u32::from_be_bytes(head) as usize,
    };
    if !(1..=MESSAGE_LIMIT).contains(&length) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let content = bytes.len();
    bytes.resize(content + length, 0);
    from.read_exact(&mut bytes[content..]).await?;
    Ok((bytes, content))
}

/// A TLS connection to whoever is there, without a certificate.
pub(super) async fn dial_as_anybody(
    address: SocketAddr,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, PinnedError> {
    let config = ClientConfig::builder_with_details(Arc::clone(provider()), Arc::new(Timeless))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites of TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    let dialling = async {
        let tcp = TcpStream::connect(address)
            .await
            .map_err(|source| PinnedError::Connect { address, source })?;
        let connector = TlsConnector::from(Arc::new(config));
        let handshake = connector.connect(ServerName::from(address.ip()), tcp);
        handshake.await.map_err(PinnedError::of_handshake)
    };
    let limit = HANDSHAKE_LIMIT;
    timeout(limit, dialling).await.map_err(|_| PinnedError::Silent { limit })?
}

fn server_config(identity: &Identity) -> ServerConfig {
    ServerConfig::builder_with_details(Arc::clone(provider()), Arc::new(Timeless))
        .with_protocol_versions(&[&TLS12, &TLS13])
        .expect("the provider has suites of TLS 1.2 and 1.3")
        .with_client_cert_verifier(Arc::new(Anybody))
        .with_cert_resolver(identity.resolver())
}

fn client_config(identity: &Identity) -> ClientConfig {
    let mut config = ClientConfig::builder_with_details(Arc::clone(provider()), Arc::new(Timeless))
        .with_protocol_versions(&[&TLS12])
        .expect("the provider has suites of TLS 1.2")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_client_cert_resolver(identity.resolver());
    config.enable_sni = false;
    config
}

/// Asks nobody who it is.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _own: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        Ok(ServerCertVerified::assertion())
    }

    signatures_by_possession!();
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _own: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        Ok(ClientCertVerified::assertion())
    }

    signatures_by_possession!();
}

/// Whatever its certificate is.
impl ChecksPossession for Anybody {
    fn check_possession(
        &self,
        _meaning: SchemeMeaning,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }
}
