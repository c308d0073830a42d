//! Clients that know nothing of this crate: rustls, the ldap3 crate, raw sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses some of these")]

pub(crate) mod tools;

use std::{
    io,
    net::{SocketAddr, TcpStream as StdStream},
    sync::{Arc, Mutex},
    time::Duration,
};

use fake_dc::{Dc, Domain};
use ground::Event;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, StdStream as LdapStream};
use rustls::{
    CipherSuite, ClientConfig, DigitallySignedStruct, NamedGroup, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use tokio::{net::TcpStream, net::UdpSocket, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// The account and password that every default domain has.
pub(crate) const ADMINISTRATOR: &str = "Administrator@corp.example";
pub(crate) const PASSWORD: &str = "Passw0rd!Lab1";

/// Longest wait for something that must come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A client that trusts the domain's CA and nothing else.
pub(crate) fn trusting(domain: &Domain) -> Arc<ClientConfig> {
    trusting_with(domain, aws_lc_rs::default_provider())
}

/// The same with the TLS policy of xapi: TLS 1.2, ECDHE-RSA with AES-GCM, P-384.
pub(crate) fn xapi(domain: &Domain) -> Arc<ClientConfig> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.retain(|suite| {
        matches!(
            suite.suite(),
            CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384
                | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        )
    });
    provider.kx_groups.retain(|group| group.name() == NamedGroup::secp384r1);
    trusting_with(domain, provider)
}

fn trusting_with(domain: &Domain, provider: CryptoProvider) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(domain.ca_pem().as_bytes()).unwrap()).unwrap();
    let is_tls12 = provider.cipher_suites.iter().all(|suite| suite.tls13().is_none());
    let versions = if is_tls12 { &[&rustls::version::TLS12][..] } else { rustls::ALL_VERSIONS };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// What a server showed, whatever it was.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown(Arc<Mutex<Vec<Vec<u8>>>>);

impl Shown {
    pub(crate) fn certificates(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap().clone()
    }
}

/// A client that accepts every chain and notes it.
pub(crate) fn noting() -> (Arc<ClientConfig>, Shown) {
    let shown = Shown::default();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Noting(shown.clone())))
        .with_no_client_auth();
    (Arc::new(config), shown)
}

#[derive(Debug)]
struct Noting(Shown);

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let all = std::iter::once(leaf).chain(others).map(|der| der.to_vec()).collect();
        *self.0.0.lock().unwrap() = all;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A TLS handshake with whatever is at `address`, expecting the certificate of `name`.
pub(crate) async fn tls(
    address: SocketAddr,
    name: &str,
    config: Arc<ClientConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    timeout(PATIENCE, TlsConnector::from(config).connect(name, stream)).await.unwrap()
}

/// The TLS error behind a failed handshake.
pub(crate) fn tls_error(error: &io::Error) -> &rustls::Error {
    error
        .get_ref()
        .and_then(|inner| inner.downcast_ref())
        .unwrap_or_else(|| panic!("no TLS error but {error:?}"))
}

/// How to come to LDAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Plain,
    StartTls,
    Ldaps,
    Gc,
    GcStartTls,
    Gcs,
}

impl Way {
    pub(crate) const ALL: [Self; 6] =
        [Self::Plain, Self::StartTls, Self::Ldaps, Self::Gc, Self::GcStartTls, Self::Gcs];
}

/// An LDAP connection to `dc` by its name, checked with `config`.
pub(crate) async fn ldap(dc: &Dc, way: Way, config: Arc<ClientConfig>) -> Result<Ldap, LdapError> {
    let (address, scheme) = match way {
        Way::Plain | Way::StartTls => (dc.ldap(), "ldap"),
        Way::Ldaps => (dc.ldaps(), "ldaps"),
        Way::Gc | Way::GcStartTls => (dc.gc(), "ldap"),
        Way::Gcs => (dc.gcs(), "ldaps"),
    };
    let stream = StdStream::connect(address)?;
    stream.set_nonblocking(true)?;
    let settings = LdapConnSettings::new()
        .set_std_stream(LdapStream::Tcp(stream))
        .set_starttls(matches!(way, Way::StartTls | Way::GcStartTls))
        .set_config(config);
    let url = format!("{scheme}://{}", dc.dns_name());
    let connecting = LdapConnAsync::with_settings(settings, &url);
    let (connection, ldap) = timeout(PATIENCE, connecting).await.unwrap()?;
    tokio::spawn(connection.drive());
    Ok(ldap)
}

/// One datagram there and one back.
pub(crate) async fn ask(server: SocketAddr, question: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(question, server).await.unwrap();
    let mut answer = vec![0; 65_535];
    let (size, from) = timeout(PATIENCE, socket.recv_from(&mut answer)).await.unwrap().unwrap();
    assert_eq!(from, server);
    answer.truncate(size);
    answer
}

/// Waits for the first event of `kind` at `dc`.
pub(crate) async fn event(domain: &Domain, dc: &str, kind: &str) -> Event {
    let actor = format!("dc:{dc}");
    let wanted = |event: &Event| event.kind() == kind && event.actor.to_string() == actor;
    timeout(PATIENCE, domain.ledger().wait_for(wanted)).await.unwrap()
}

/// Bytes written as hexadecimal digits.
pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// A file of the repository's reference data.
pub(crate) fn fixture(path: &str) -> String {
    let path = format!("{}/../../fixtures/samba-ad/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
