//! What the benches share: a sound domain, and a TLS handshake in memory under xapi's policy.
//!
//! Nothing here is measured code of the rig; it is what the rig is measured against.

use std::{
    error::Error,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use fake_dc_pki::{DcIdentity, Pki};
use ground::{Seed, Timestamp};
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, DigitallySignedStruct, ServerConfig,
    ServerConnection, SideData, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    server::NoServerSessionStorage,
};
use trust_verdict::{PemFile, Presented, TlsVersion, TrustFiles, VerifyPeer, XAPI_PRIORITY};

/// Whatever went wrong while a bench was prepared.
pub type Failure = Box<dyn Error + Send + Sync>;

/// A DC with a chain of three RSA-2048 certificates, and a client that trusts their root.
pub struct Scene {
    /// The name the DC is connected by.
    pub peer: String,
    /// Leaf, intermediate and root, as sent.
    pub presented: Presented,
    /// The client's settings, in xapi's words.
    pub client: trust_verdict::ClientConfig,
    /// A time at which everything is valid.
    pub at: Timestamp,
    key: PrivateKeyDer<'static>,
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Scene {
    /// Makes the domain; the same on every machine.
    pub fn new() -> Result<Self, Failure> {
        let at: Timestamp = "2026-08-21T02:00:00Z".parse()?;
        let pki = Pki::new(&Seed::new(1), at, "corp.example")?;
        let dc = DcIdentity::new("dc1", "corp.example", [127, 0, 1, 11].into());
        let chain = pki.chain(&dc, &[])?;
        let root = Presented::from_bytes(pki.root_pem().as_bytes(), TlsVersion::Tls12)?;
        let mut certificates: Vec<Vec<u8>> =
            chain.certificates.iter().map(|certificate| certificate.to_vec()).collect();
        certificates.extend(root.certificates);
        Ok(Self {
            peer: "dc1.corp.example".to_owned(),
            presented: Presented { certificates, tls: TlsVersion::Tls12 },
            client: trust_verdict::ClientConfig {
                mode: VerifyPeer::CaAndNameIfAvailable,
                trust: TrustFiles {
                    cafile: Some(PemFile::new("/etc/trusted-certs.pem", pki.root_pem())),
                    ..TrustFiles::default()
                },
                priority: XAPI_PRIORITY.to_owned(),
            },
            at,
            key: chain.key.to_der(),
        })
    }

    /// Both ends of a handshake as xapi's Samba and its DC do it.
    pub fn handshake(&self) -> Result<Handshake, Failure> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: vec![aws_lc_rs::cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384],
            kx_groups: vec![aws_lc_rs::kx_group::SECP384R1],
            ..aws_lc_rs::default_provider()
        });
        let versions = &[&rustls::version::TLS12];
        let chain = self.presented.certificates.iter().cloned().map(CertificateDer::from);
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(chain.collect(), self.key.clone_key())?;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Witness(provider)))
            .with_no_client_auth();
        client.resumption = Resumption::disabled();
        client.enable_sni = false;
        Ok(Handshake {
            client: Arc::new(client),
            server: Arc::new(server),
            name: ServerName::try_from(self.peer.clone())?,
        })
    }
}

/// What a handshake needs again and again.
#[derive(Debug)]
pub struct Handshake {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    name: ServerName<'static>,
}

/// Time spent by each end of one handshake.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// The client, proof of possession included, judgement not.
    pub client: Duration,
    /// The server.
    pub server: Duration,
}

impl Handshake {
    /// One full handshake without sockets.
    pub fn run(&self) -> Result<Spent, Failure> {
        let mut spent = Spent::default();
        let start = Instant::now();
        let mut client = ClientConnection::new(self.client.clone(), self.name.clone())?;
        spent.client += start.elapsed();
        let start = Instant::now();
        let mut server = ServerConnection::new(self.server.clone())?;
        spent.server += start.elapsed();
        let mut wire = Vec::with_capacity(8_192);
        while client.is_handshaking() || server.is_handshaking() {
            spent.client += turn(&mut client, &mut wire)?;
            spent.server += turn(&mut server, &mut wire)?;
        }
        Ok(spent)
    }
}

/// Takes what is on the wire and leaves the answer there.
fn turn<S: SideData>(
    end: &mut ConnectionCommon<S>,
    wire: &mut Vec<u8>,
) -> Result<Duration, Failure> {
    let start = Instant::now();
    let mut arrived = wire.as_slice();
    while !arrived.is_empty() {
        end.read_tls(&mut arrived)?;
        end.process_new_packets()?;
    }
    wire.clear();
    while end.wants_write() {
        end.write_tls(wire)?;
    }
    Ok(start.elapsed())
}

/// Lets every chain pass, as Samba does until the handshake is over, and checks possession.
#[derive(Debug)]
struct Witness(Arc<CryptoProvider>);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use trust_verdict::Client;

    use super::Scene;

    #[test]
    fn the_scene_is_sound() {
        let scene = Scene::new().expect("a domain");
        assert_eq!(scene.presented.certificates.len(), 3);
        scene.handshake().expect("configurations").run().expect("a handshake");
        let client = Client::new(scene.client).expect("settings");
        assert!(client.judge(&scene.peer.as_str().into(), &scene.presented, scene.at).is_accept());
    }
}
