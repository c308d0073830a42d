//! What a server presented, and reading it from the forms people save chains in.

use serde::Serialize;

use crate::{
    certificate::oid,
    der::{DerError, Reader, oid_text, tag},
    pem,
};

/// Most certificates read from one file.
pub const CERTIFICATES_MAX: usize = 1_000;

/// TLS protocol versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum TlsVersion {
    /// TLS 1.0.
    #[serde(rename = "1.0")]
    Tls10,
    /// TLS 1.1.
    #[serde(rename = "1.1")]
    Tls11,
    /// TLS 1.2.
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "1.3")]
    Tls13,
}

impl TlsVersion {
    /// Usual spelling.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        }
    }
}

/// The certificate message of a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presented {
    /// DER as sent, leaf first. They need not parse: that is something to be judged.
    pub certificates: Vec<Vec<u8>>,
    /// The protocol version that was negotiated.
    pub tls: TlsVersion,
}

/// Bytes in which no certificate was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// There is nothing of the kind.
    #[error("find a certificate: expected PEM, DER, PKCS#7 or `s_client -showcerts` text")]
    NoCertificate,
    /// A PEM block that is no base64.
    #[error("decode the PEM block at line {line}: expected base64")]
    NotBase64 {
        /// Line of its `BEGIN`, from 1.
        line: usize,
    },
    /// More than anybody sends.
    #[error("read the chain: expected at most {limit} certificates, found {found}")]
    TooMany {
        /// How many are taken.
        limit: usize,
        /// How many there are.
        found: usize,
    },
}

impl Presented {
    /// Reads PEM (also within other text), DER (one or several in a row) or PKCS#7.
    ///
    /// The order is kept, as is what does not parse as a certificate.
    pub fn from_bytes(bytes: &[u8], tls: TlsVersion) -> Result<Self, EvidenceError> {
        let certificates = certificates(bytes)?;
        match certificates.len() {
            0 => Err(EvidenceError::NoCertificate),
            found if found > CERTIFICATES_MAX => {
                Err(EvidenceError::TooMany { limit: CERTIFICATES_MAX, found })
            }
            _ => Ok(Self { certificates, tls }),
        }
    }
}

fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, EvidenceError> {
    let mut found = Vec::new();
    for label in ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"] {
        for block in pem::labelled(bytes, label) {
            let der = block.der.map_err(|_| EvidenceError::NotBase64 { line: block.line })?;
            found.push((block.line, der));
        }
    }
    if !found.is_empty() {
        found.sort_by_key(|(line, _)| *line);
        return Ok(found.into_iter().map(|(_, der)| der).collect());
    }
    let bundle = ["PKCS7", "CMS"].iter().flat_map(|label| pem::labelled(bytes, label)).next();
    if let Some(block) = bundle {
        let der = block.der.map_err(|_| EvidenceError::NotBase64 { line: block.line })?;
        return pkcs7(&der).map_err(|_| EvidenceError::NoCertificate);
    }
    if let Ok(certificates) = pkcs7(bytes) {
        return Ok(certificates);
    }
    let mut reader = Reader::new(bytes);
    let mut certificates = Vec::new();
    while reader.peek() == Some(tag::SEQUENCE) {
        let Ok(element) = reader.element() else { break };
        certificates.push(element.whole.to_vec());
    }
    Ok(certificates)
}

/// The certificates of a SignedData (RFC 2315 §9.1, RFC 5652 §5.1).
fn pkcs7(der: &[u8]) -> Result<Vec<Vec<u8>>, DerError> {
    let mut content = Reader::only(der, tag::SEQUENCE)?.inner();
    if oid_text(oid(&mut content)?) != "1.2.840.113549.1.7.2" {
        return Err(DerError::Tag);
    }
    let wrapper = content.expect(tag::context_constructed(0))?;
    let mut signed = wrapper.inner().expect(tag::SEQUENCE)?.inner();
    signed.expect(tag::INTEGER)?;
    signed.expect(tag::SET)?;
    signed.expect(tag::SEQUENCE)?;
    let list = signed.expect(tag::context_constructed(0))?;
    let mut entries = list.inner();
    let mut certificates = Vec::new();
    while !entries.is_empty() {
        certificates.push(entries.element()?.whole.to_vec());
    }
    Ok(certificates)
}
