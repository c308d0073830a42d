//! Why a verdict is what it is: one [`Reason`] per check that failed. Advice is another matter.

use std::fmt;

use ground::Timestamp;
use serde::{Serialize, Serializer};

use crate::status::StatusBits;

/// SHA-256 over the DER bytes of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// From a digest; other lengths are cut or filled with zeros.
    pub(crate) fn new(digest: &[u8]) -> Self {
        let mut octets = [0; 32];
        for (to, from) in octets.iter_mut().zip(digest) {
            *to = *from;
        }
        Self(octets)
    }

    /// The octets.
    pub const fn octets(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first four octets, enough to tell certificates apart in a report.
    pub fn short(&self) -> String {
        self.0[..4].iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(":")?;
            }
            write!(f, "{octet:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A certificate of the message the server sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WireCertificate {
    /// Place in the message; 0 is the leaf.
    pub position: usize,
    /// Subject as RFC 4514 text; empty if it cannot be parsed or has none.
    pub subject: String,
    /// SHA-256.
    pub fingerprint: Fingerprint,
}

impl fmt::Display for WireCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = if self.subject.is_empty() { "(no subject)" } else { &self.subject };
        write!(f, "#{} {subject}", self.position)
    }
}

/// A certificate of the trust set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AnchorRef {
    /// Subject as RFC 4514 text.
    pub subject: String,
    /// SHA-256.
    pub fingerprint: Fingerprint,
    /// File it was read from.
    pub file: String,
    /// Line of its `BEGIN` in that file.
    pub line: usize,
}

impl fmt::Display for AnchorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} line {})", self.subject, self.file, self.line)
    }
}

/// What a failed check was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Check {
    /// The issuer is a CA.
    Authority,
    /// The channel binding can be computed.
    Binding,
    /// Number of certificates on the wire.
    Count,
    /// The CRL file can be read, or is there.
    CrlFile,
    /// Critical extensions are known.
    CriticalExtension,
    /// The handshake came to its end.
    Handshake,
    /// The server's key belongs to a cipher suite the client offers.
    KeyType,
    /// The issuer's key usage allows signing certificates.
    KeyUsage,
    /// The leaf's key usage allows what the handshake does.
    LeafKeyUsage,
    /// The name the DC gave itself.
    Name,
    /// Name constraints of the CAs above.
    NameConstraints,
    /// The certificate can be parsed.
    Parse,
    /// Path length constraint of a CA above.
    PathLength,
    /// The peer name makes an LDAP URI.
    PeerUri,
    /// The priority string can be parsed.
    Priority,
    /// Not revoked.
    Revocation,
    /// The signature holds.
    Signature,
    /// The signature algorithm belongs to the issuer's key.
    SignatureFit,
    /// An issuer is found.
    Signer,
    /// OCSP stapling as the certificate demands.
    Stapling,
    /// Sizes of keys and hashes.
    Strength,
    /// TLS features the CAs above demand.
    TlsFeature,
    /// The files of the trust set can be read.
    TrustFile,
    /// There is a trust set.
    TrustSet,
    /// Within notBefore and notAfter.
    Validity,
}

impl Check {
    /// Short name, as in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Authority => "authority",
            Self::Binding => "binding",
            Self::Count => "count",
            Self::CrlFile => "crl-file",
            Self::CriticalExtension => "critical-extension",
            Self::Handshake => "handshake",
            Self::KeyType => "key-type",
            Self::KeyUsage => "key-usage",
            Self::LeafKeyUsage => "leaf-key-usage",
            Self::Name => "name",
            Self::NameConstraints => "name-constraints",
            Self::Parse => "parse",
            Self::PathLength => "path-length",
            Self::PeerUri => "peer-uri",
            Self::Priority => "priority",
            Self::Revocation => "revocation",
            Self::Signature => "signature",
            Self::SignatureFit => "signature-fit",
            Self::Signer => "signer",
            Self::Stapling => "stapling",
            Self::Strength => "strength",
            Self::TlsFeature => "tls-feature",
            Self::TrustFile => "trust-file",
            Self::TrustSet => "trust-set",
            Self::Validity => "validity",
        }
    }
}

/// One check that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Which.
    pub check: Check,
    /// Status bits it sets; none if it ends the connection another way.
    pub status: StatusBits,
    /// On which certificate of the wire.
    pub certificate: Option<WireCertificate>,
    /// On or against which anchor.
    pub anchor: Option<AnchorRef>,
    /// File at fault, if it is one of the client's.
    pub file: Option<String>,
    /// Time of the judgement.
    pub at: Timestamp,
    /// What would have been right.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.check.id(), self.expected, self.found)
    }
}
