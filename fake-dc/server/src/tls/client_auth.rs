//! Asking clients for certificates. Whatever they show is taken, unless somebody judges it.

use std::{fmt, sync::Arc};

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

/// Whether clients are asked for a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// They are not.
    #[default]
    Absent,
    /// They are, and need not have one.
    Requested,
    /// They are, and must have one.
    Required,
}

/// Says whether a client's chain is good.
pub(crate) type Judge = dyn Fn(&[CertificateDer<'_>]) -> Result<(), Error> + Send + Sync;

/// Takes any certificate whose key the client has, or those that are good.
pub(crate) struct Anybody {
    pub(crate) is_required: bool,
    pub(crate) judge: Option<Arc<Judge>>,
    pub(crate) provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Anybody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Anybody")
            .field("is_required", &self.is_required)
            .field("judges", &self.judge.is_some())
            .finish_non_exhaustive()
    }
}

impl ClientCertVerifier for Anybody {
    fn client_auth_mandatory(&self) -> bool {
        self.is_required
    }

    /// None: Schannel names no authorities since Windows Server 2012 (`SendTrustedIssuerList` is 0
    /// by default).
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if let Some(judge) = &self.judge {
            let chain: Vec<_> = [leaf].into_iter().chain(others).cloned().collect();
            judge(&chain)?;
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
