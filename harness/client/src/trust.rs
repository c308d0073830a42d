//! Whom a client believes, as xapi tells stunnel: by the certificate that the other end shows,
//! never by a chain, a name or a date.

use std::sync::Arc;

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};

/// Which certificate the other end of TLS must show. That it holds the key is always checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Any: the first login of a join (xapi-flows.md §12.1, step 2), or TLS verification off.
    Nothing,
    /// This one, in DER (§5.3, step 1).
    Leaf(Vec<u8>),
    /// One of these, in PEM: the bundle of a pool (§12.1, step 7), which holds the certificate of
    /// each of its hosts.
    Bundle(String),
}

impl Trust {
    /// The first certificate of a PEM text must be shown; `None` if it holds none.
    pub fn leaf_of_pem(pem: &str) -> Option<Self> {
        let leaf = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        Some(Self::Leaf(leaf.to_vec()))
    }

    /// What rustls is to do. Entries of a bundle that cannot be read are passed over.
    pub(crate) fn configuration(&self) -> Result<ClientConfig, rustls::Error> {
        let peers = match self {
            Self::Nothing => None,
            Self::Leaf(leaf) => Some(vec![CertificateDer::from(leaf.clone())]),
            Self::Bundle(pem) => Some(
                CertificateDer::pem_slice_iter(pem.as_bytes()).filter_map(Result::ok).collect(),
            ),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = Peers { peers, provider: Arc::clone(&provider) };
        Ok(ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }
}

/// stunnel's `verifyPeer`.
#[derive(Debug)]
struct Peers {
    /// `None` lets everybody pass.
    peers: Option<Vec<CertificateDer<'static>>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Peers {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.peers {
            Some(peers) if !peers.contains(leaf) => {
                Err(CertificateError::ApplicationVerificationFailure.into())
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
