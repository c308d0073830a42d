//! TLS handshakes without any server of ours: what probes are measured against.

use std::{sync::Arc, time::Duration};

use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, DigitallySignedStruct, ServerConfig,
    ServerConnection, SideData, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::NoServerSessionStorage,
};

use crate::{Failure, Scene, processor_time};

/// What a handshake needs again and again.
#[derive(Clone, Debug)]
pub struct Handshake {
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) server: Arc<ServerConfig>,
    pub(crate) name: ServerName<'static>,
}

/// Processor time spent by each end of one handshake.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// The client, proof of possession included, judgement not.
    pub client: Duration,
    /// The server.
    pub server: Duration,
}

impl Handshake {
    /// Both ends as the policy of `scene` has them: no resumption, no tickets, no server name.
    pub(crate) fn new(scene: &Scene) -> Result<Self, Failure> {
        let (provider, versions) = (scene.policy.provider(), scene.policy.versions());
        let mut server = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(scene.chain.certificates.clone(), scene.chain.key.to_der())?;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Witness(provider)))
            .with_no_client_auth();
        client.resumption = Resumption::disabled();
        client.enable_sni = false;
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
            name: ServerName::try_from(scene.peer.clone())?,
        })
    }

    /// One full handshake without sockets.
    pub fn run(&self) -> Result<Spent, Failure> {
        let mut spent = Spent::default();
        let start = processor_time();
        let mut client = ClientConnection::new(self.client.clone(), self.name.clone())?;
        spent.client += processor_time().saturating_sub(start);
        let start = processor_time();
        let mut server = ServerConnection::new(self.server.clone())?;
        spent.server += processor_time().saturating_sub(start);
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
    let start = processor_time();
    let mut arrived = wire.as_slice();
    while !arrived.is_empty() {
        end.read_tls(&mut arrived)?;
        end.process_new_packets()?;
    }
    wire.clear();
    while end.wants_write() {
        end.write_tls(wire)?;
    }
    Ok(processor_time().saturating_sub(start))
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
