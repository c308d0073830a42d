//! What a server shows, and the key that belongs to it.

use ground::Timestamp;
use rustls_pki_types::CertificateDer;

use crate::{
    crl::{Crl, Crls},
    error::PkiError,
    key::PrivateKey,
    pem_file::{PemFile, certificates, private_key},
};

/// Certificates as a server sends them, with the key of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// In the order of the wire. Nothing is checked: they are served as they are. None at all
    /// means that the DC has no identity for TLS: see [`CertificateStore`](crate::CertificateStore).
    pub certificates: Vec<CertificateDer<'static>>,
    /// The key of the leaf.
    pub key: PrivateKey,
    /// What an administrator would install to trust it, where that is known.
    pub anchor: Option<CertificateDer<'static>>,
    /// The revocation lists that its CAs publish.
    pub crls: Crls,
    /// The time that its dates are relative to, if it was planned and not read.
    pub planned: Option<Timestamp>,
}

impl Chain {
    /// Reads a real chain and its key.
    ///
    /// The certificates need not be X.509: whatever bytes the blocks hold are served. Text around
    /// the blocks is ignored, so the output of `openssl s_client -showcerts` can be given as it
    /// is; so are keys in the file of certificates and certificates in the file of the key.
    ///
    /// # Errors
    ///
    /// [`PkiError::Pem`] names file, block, line and cause.
    pub fn from_pem(chain: &PemFile<'_>, key: &PemFile<'_>) -> Result<Self, PkiError> {
        Ok(Self {
            certificates: certificates(chain)?,
            key: private_key(key)?,
            anchor: None,
            crls: Crls::default(),
            planned: None,
        })
    }

    /// All certificates as PEM text, in the order of the wire.
    pub fn to_pem(&self) -> String {
        self.certificates.iter().map(certificate_pem).collect()
    }

    /// The first certificate as PEM text; empty if there is none.
    pub fn leaf_pem(&self) -> String {
        self.certificates.first().map(certificate_pem).unwrap_or_default()
    }

    /// [`Chain::anchor`] as PEM text.
    pub fn anchor_pem(&self) -> Option<String> {
        self.anchor.as_ref().map(certificate_pem)
    }

    /// All of [`Chain::crls`] as PEM text; empty if there is none.
    pub fn crl_pem(&self) -> String {
        self.crls.iter().map(Crl::to_pem).collect()
    }
}

pub(crate) fn certificate_pem(certificate: &CertificateDer<'_>) -> String {
    pem::encode_config(
        &pem::Pem::new("CERTIFICATE", certificate.as_ref()),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}
