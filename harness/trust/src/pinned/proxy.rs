//! A proxy that ends TLS: both sides speak to it, and it passes on what it reads.
//!
//! One that an operator has put there and one that an intruder has put there are the same program.
//! What makes the difference is whether its key is known to both ends.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, Error as TlsError, ServerConfig,
    SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

use super::{
    Identity, PinnedError, Serving,
    party::close,
    witness::{Timeless, provider},
};

/// What it does to bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Meddling {
    /// It turns a bit amid the piece of this number that the dialled end says.
    Alter(usize),
    /// Nothing.
    #[default]
    None,
}

/// What a proxy has read so far, in the clear as far as it can read it.
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
    heard: Arc<Mutex<Heard>>,
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
        let acceptor = TlsAcceptor::from(Arc::new(server_config(identity)));
        let connector = TlsConnector::from(Arc::new(client_config(identity)));
        let heard = Arc::default();
        let hears = Arc::clone(&heard);
        let serving = Serving::start(listener, move |tcp, _busy| {
            let (acceptor, connector) = (acceptor.clone(), connector.clone());
            let hears = Arc::clone(&hears);
            async move {
                // A side that does not believe the proxy has ended the handshake: so does the other.
                let _ = pass_on(tcp, &acceptor, &connector, target, meddling, &hears).await;
            }
        })?;
        Ok(Self { serving, heard })
    }

    /// What it has read of all conversations.
    pub fn heard(&self) -> Heard {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.serving.address()
    }
}

async fn pass_on(
    tcp: TcpStream,
    acceptor: &TlsAcceptor,
    connector: &TlsConnector,
    target: SocketAddr,
    meddling: Meddling,
    heard: &Mutex<Heard>,
) -> io::Result<()> {
    let hear = |keep: fn(&mut Heard) -> &mut Vec<u8>| {
        move |bytes: &[u8]| {
            keep(&mut heard.lock().unwrap_or_else(PoisonError::into_inner))
                .extend_from_slice(bytes);
        }
    };
    let dialler = acceptor.accept(tcp).await?;
    let dialled = async {
        let tcp = TcpStream::connect(target).await?;
        connector.connect(ServerName::from(target.ip()), tcp).await
    };
    let dialled = match dialled.await {
        Ok(dialled) => dialled,
        Err(error) => {
            close(dialler).await;
            return Err(error);
        }
    };
    let (from_dialler, to_dialler) = split(TlsStream::from(dialler));
    let (from_dialled, to_dialled) = split(TlsStream::from(dialled));
    let there = copy(from_dialler, to_dialled, Meddling::None, hear(|heard| &mut heard.dialler));
    let back = copy(from_dialled, to_dialler, meddling, hear(|heard| &mut heard.dialled));
    let (there, back) = tokio::join!(there, back);
    there.and(back)
}

/// Until one side says no more, which the other hears.
async fn copy(
    mut from: ReadHalf<TlsStream<TcpStream>>,
    mut to: WriteHalf<TlsStream<TcpStream>>,
    meddling: Meddling,
    hear: impl Fn(&[u8]),
) -> io::Result<()> {
    let mut bytes = vec![0; 16 * 1024];
    for piece in 0.. {
        let Ok(count @ 1..) = from.read(&mut bytes).await else { break };
        hear(&bytes[..count]);
        if meddling == Meddling::Alter(piece) {
            bytes[count / 2] ^= 1;
        }
        to.write_all(&bytes[..count]).await?;
        to.flush().await?;
    }
    to.shutdown().await
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
    let tcp = TcpStream::connect(address)
        .await
        .map_err(|source| PinnedError::Connect { address, source })?;
    let handshake =
        TlsConnector::from(Arc::new(config)).connect(ServerName::from(address.ip()), tcp);
    handshake.await.map_err(PinnedError::Handshake)
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

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _own: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _own: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
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

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _own: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _own: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
