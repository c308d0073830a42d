//! Our connection to the real DC, and whether we believe its certificate.

use std::{io, net::IpAddr, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{self, CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::either::Either;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::find::RealDc;
use crate::limits;

/// Which certificates are believed to be the real DC's.
#[derive(Clone, Debug)]
pub struct Trust(Believed);

#[derive(Clone, Debug)]
enum Believed {
    Any,
    Known { certificates: Vec<CertificateDer<'static>>, chains: Option<Arc<WebPkiServerVerifier>> },
}

impl Trust {
    /// Every certificate, whatever is wrong with it.
    pub fn anything() -> Self {
        Self(Believed::Any)
    }

    /// Those that lead to a CA in `pem` and are for the name of the DC, and those in `pem`
    /// themselves.
    ///
    /// # Errors
    ///
    /// `pem` has no certificate, or one that cannot be read.
    pub fn in_pem(pem: &[u8]) -> Result<Self, TrustError> {
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| TrustError::Unreadable { reason: error.to_string() })?;
        if certificates.is_empty() {
            return Err(TrustError::Empty);
        }
        Ok(Self::known(certificates))
    }

    /// The same and `ca`.
    fn and(&self, ca: CertificateDer<'static>) -> Self {
        match &self.0 {
            Believed::Any => self.clone(),
            Believed::Known { certificates, .. } => {
                Self::known(certificates.iter().cloned().chain([ca]).collect())
            }
        }
    }

    fn known(certificates: Vec<CertificateDer<'static>>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        // Fails without roots: there may be nothing but the DC's own certificate.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        Self(Believed::Known { certificates, chains: chains.ok() })
    }
}

/// Failed to read the certificates that are to be believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// No certificate at all.
    #[error("no certificate is in it")]
    Empty,
    /// One that is none.
    #[error("a certificate in it cannot be read: {reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: String,
    },
}

/// Makes connections to the real DC.
pub(super) struct Connector {
    address: IpAddr,
    name: String,
    tls: TlsConnector,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Connector {
    /// Believes `own_ca` beside those that are believed of `real`: that may show the certificate of
    /// its front.
    pub(super) fn new(real: &RealDc, own_ca: CertificateDer<'static>) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let trust = real.trust().and(own_ca);
        let judge = Judge { trust, provider: Arc::clone(&provider) };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the default provider has suites for the default versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(judge))
            .with_no_client_auth();
        Self {
            address: real.address(),
            name: real.dns_name().to_owned(),
            tls: TlsConnector::from(Arc::new(config)),
        }
    }

    /// A connection to `port`, with TLS from the beginning if `tls`.
    pub(super) async fn connect(&self, port: u16, tls: bool) -> io::Result<Link> {
        within(async {
            let socket = TcpStream::connect((self.address, port)).await?;
            // A failure costs latency only.
            let _ = socket.set_nodelay(true);
            if tls { self.shake(socket).await } else { Ok(Either::Left(socket)) }
        })
        .await
    }

    /// The same connection with TLS, after the real DC has agreed to it.
    pub(super) async fn protect(&self, link: Link) -> io::Result<Link> {
        match link {
            Either::Left(socket) => within(self.shake(socket)).await,
            Either::Right(_) => Ok(link),
        }
    }

    async fn shake(&self, socket: TcpStream) -> io::Result<Link> {
        let name = ServerName::try_from(self.name.clone())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Either::Right(Box::new(self.tls.connect(name, socket).await?)))
    }
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limits::BEHIND_ANSWER, work).await.unwrap_or(Err(io::ErrorKind::TimedOut.into()))
}

/// A connection to the real DC, without TLS or with it.
pub(super) type Link = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// The first certificate that the real DC has shown on `link`.
pub(super) fn shown(link: &Link) -> Option<CertificateDer<'static>> {
    let Either::Right(stream) = link else { return None };
    stream.get_ref().1.peer_certificates()?.first().cloned().map(CertificateDer::into_owned)
}

/// Judges the real DC's chain.
#[derive(Debug)]
struct Judge {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let (certificates, chains) = match &self.trust.0 {
            Believed::Any => return Ok(ServerCertVerified::assertion()),
            Believed::Known { certificates, chains } => (certificates, chains),
        };
        if certificates.contains(leaf) {
            return Ok(ServerCertVerified::assertion());
        }
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let chains = chains.as_ref().ok_or(unknown)?;
        match chains.verify_server_cert(leaf, others, name, ocsp, now) {
            // The name is looked at last, and there in the SAN alone.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if has_common_name(leaf, name) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a certificate without SAN has `name` as its CN, as those have that Samba 4.22 makes for
/// itself.
fn has_common_name(leaf: &CertificateDer<'_>, name: &ServerName<'_>) -> bool {
    let Ok((_, leaf)) = X509Certificate::from_der(leaf) else { return false };
    let has_san = !matches!(leaf.subject_alternative_name(), Ok(None));
    let mut names = leaf.subject().iter_common_name().filter_map(|cn| cn.as_str().ok());
    let wanted = name.to_str();
    !has_san && names.any(|cn| cn.eq_ignore_ascii_case(&wanted))
}
