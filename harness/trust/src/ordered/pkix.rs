//! What Java's client concludes about the chain of a server (`sun.security.validator.PKIXValidator`
//! and what it calls), for an appliance that copies from another.
//!
//! Modelled on Java 17 and compared with it (`tests/ordered/java.rs`). Two habits give most of its
//! words: a chain in order whose top a trusted certificate may have issued is *validated*, and says
//! what is wrong; any other is searched for a path that is right in everything, and if there is
//! none, that is all that is said. A server that sends its chain from the root down, as an appliance
//! does, is always searched.
//!
//! The host name is not looked at. CloudStack 4.4 copies by `HttpTemplateDownloader`, whose client is
//! that of `org.apache.commons.httpclient`, with no socket factory of its own for `https`; this client,
//! 3.1, compares no names (CVE-2012-5783), which was to change with 4.0 (HTTPCLIENT-613). Some
//! distributions have mended their 3.1; that appliances had such a one could not be confirmed.
//!
//! Left out: policies, name constraints, Java's list of disabled algorithms.

use std::{cell::Cell, fmt};

use ground::Timestamp;
use rustls::pki_types::CertificateDer;
use serde::Serialize;
use x509_parser::{
    extensions::ParsedExtension,
    prelude::{FromDer as _, X509Certificate},
};

use super::reasons::named_by_reason;

/// Certificates that a server may show: Java's limit.
pub const CERTIFICATES_MAX: usize = 10;
/// Certificates that a search looks at, however they name each other.
const STEPS_MAX: usize = 1_000;

/// Why a chain is refused. Its text is what Java says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Refusal {
    /// A certificate of the path may not sign certificates.
    NoAuthority,
    /// No certificate was shown, or one that cannot be read.
    NoCertificate,
    /// The search found nothing: something is missing, or wrong in a chain that is out of order.
    NoPath,
    /// A trusted certificate has the issuer's name, but not the key identifier that is asked for.
    NoSuchAnchor,
    /// The path is longer than a CA permits.
    PathTooLong,
    /// The server's certificate is for something else.
    Purpose,
    /// A signature does not fit its issuer's key.
    Signature,
    /// More certificates were shown than are looked at.
    TooMany {
        /// How many.
        shown: usize,
    },
    /// A certificate has expired, or is not valid yet.
    Validity,
}

named_by_reason!(pub Refusal {
    Self::NoAuthority => "pkix-no-authority",
    Self::NoCertificate => "pkix-no-certificate",
    Self::NoPath => "pkix-no-path",
    Self::NoSuchAnchor => "pkix-no-such-anchor",
    Self::PathTooLong => "pkix-path-too-long",
    Self::Purpose => "pkix-purpose",
    Self::Signature => "pkix-signature",
    Self::TooMany { .. } => "pkix-too-many",
    Self::Validity => "pkix-validity",
});

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let validation = match self {
            Self::NoPath => {
                return f.write_str(
                    "sun.security.validator.ValidatorException: PKIX path building failed: \
                     sun.security.provider.certpath.SunCertPathBuilderException: \
                     unable to find valid certification path to requested target",
                );
            }
            Self::Purpose => {
                return f.write_str(
                    "sun.security.validator.ValidatorException: \
                     Extended key usage does not permit use for TLS server authentication",
                );
            }
            Self::NoCertificate => {
                return f.write_str(
                    "java.security.cert.CertificateException: \
                     null or zero-length certificate chain",
                );
            }
            Self::TooMany { shown } => {
                return write!(
                    f,
                    "javax.net.ssl.SSLProtocolException: The certificate chain length ({shown}) \
                     exceeds the maximum allowed length ({CERTIFICATES_MAX})"
                );
            }
            Self::NoAuthority => "basic constraints check failed: this is not a CA certificate",
            Self::NoSuchAnchor => "Path does not chain with any of the trust anchors",
            Self::PathTooLong => {
                "basic constraints check failed: pathLenConstraint violated - \
                 this cert must be the last cert in the certification path"
            }
            Self::Signature => "signature check failed",
            Self::Validity => "validity check failed",
        };
        write!(
            f,
            "sun.security.validator.ValidatorException: PKIX path validation failed: \
             java.security.cert.CertPathValidatorException: {validation}"
        )
    }
}

impl std::error::Error for Refusal {}

/// Judges what a server showed, leaf first, by the certificates that are trusted.
///
/// # Errors
///
/// The chain is refused.
pub fn judge(
    shown: &[CertificateDer<'_>],
    trusted: &[CertificateDer<'_>],
    at: Timestamp,
) -> Result<(), Refusal> {
    if shown.len() > CERTIFICATES_MAX {
        return Err(Refusal::TooMany { shown: shown.len() });
    }
    let read = |der: &CertificateDer<'_>| Certificate::read(der.as_ref().to_vec());
    let shown: Option<Vec<_>> = shown.iter().map(read).collect();
    let shown = shown.filter(|shown| !shown.is_empty()).ok_or(Refusal::NoCertificate)?;
    let trusted: Vec<_> = trusted.iter().filter_map(read).collect();
    Judge { trusted: &trusted, at, steps: Cell::new(0) }.engine_validate(&shown)
}

/// Whom a certificate names.
pub(super) fn subject(der: &[u8]) -> String {
    X509Certificate::from_der(der)
        .map_or_else(|_| "(unreadable)".to_owned(), |(_, read)| read.subject().to_string())
}

struct Judge<'a> {
    trusted: &'a [Certificate],
    at: Timestamp,
    steps: Cell<usize>,
}

impl Judge<'_> {
    fn engine_validate(&self, shown: &[Certificate]) -> Result<(), Refusal> {
        let path: Vec<&Certificate> = shown.iter().collect();
        let mut wanted = None;
        for (place, certificate) in shown.iter().enumerate() {
            if wanted.is_some_and(|issuer| issuer != certificate.subject()) {
                return self.build(shown);
            }
            if self.trusted.iter().any(|trusted| trusted.is_same_as(certificate)) {
                return match place {
                    0 => Ok(()),
                    _ => self.validate(&path[..place]),
                };
            }
            wanted = Some(certificate.issuer());
        }
        let may_be_issued = |top: &Certificate| {
            self.trusted.iter().any(|trusted| trusted.subject() == top.issuer())
        };
        match shown.last() {
            Some(top) if may_be_issued(top) => self.validate(&path),
            _ => self.build(shown),
        }
    }

    /// A path from the leaf up, without its anchor. Of several anchors the first that fits counts,
    /// and of failures the last.
    fn validate(&self, path: &[&Certificate]) -> Result<(), Refusal> {
        let mut outcome = Err(Refusal::NoSuchAnchor);
        let top = path.last().copied();
        for anchor in self.trusted {
            if top.is_some_and(|top| top.names_as_issuer(anchor)) {
                outcome = self.check(path, anchor);
                if outcome.is_ok() {
                    break;
                }
            }
        }
        outcome
    }

    /// From the anchor down; the anchor itself has its key and its name, and no dates.
    fn check(&self, path: &[&Certificate], anchor: &Certificate) -> Result<(), Refusal> {
        let mut issuer = anchor;
        // How many more CAs that are not self-issued may follow.
        let mut limit: Option<u32> = None;
        for (place, certificate) in path.iter().enumerate().rev() {
            let is_self_issued = certificate.subject() == certificate.issuer();
            if place > 0 {
                if !certificate.is_authority() {
                    return Err(Refusal::NoAuthority);
                }
                if !is_self_issued {
                    limit = match limit {
                        Some(0) => return Err(Refusal::PathTooLong),
                        limit => limit.map(|limit| limit - 1),
                    };
                }
                let own = certificate.path_length();
                limit = limit.map_or(own, |limit| Some(own.map_or(limit, |own| own.min(limit))));
            }
            if !certificate.is_valid(self.at) {
                return Err(Refusal::Validity);
            }
            if !certificate.is_signed_by(issuer) {
                return Err(Refusal::Signature);
            }
            issuer = certificate;
        }
        path.first().map_or(Ok(()), |leaf| leaf.serves_tls())
    }

    fn build(&self, shown: &[Certificate]) -> Result<(), Refusal> {
        let (leaf, others) = shown.split_first().ok_or(Refusal::NoCertificate)?;
        self.search(&mut vec![leaf], others)
    }

    /// Depth first, through every path that does not meet a certificate twice.
    fn search<'a>(
        &self,
        path: &mut Vec<&'a Certificate>,
        others: &'a [Certificate],
    ) -> Result<(), Refusal> {
        let Some(top) = path.last().copied() else { return Err(Refusal::NoPath) };
        self.steps.set(self.steps.get() + 1);
        if self.steps.get() > STEPS_MAX {
            return Err(Refusal::NoPath);
        }
        for anchor in self.trusted {
            if top.names_as_issuer(anchor) && anchor.is_valid(self.at) {
                match self.check(path, anchor) {
                    Err(Refusal::Purpose) => return Err(Refusal::Purpose),
                    Err(_) => {}
                    Ok(()) => return Ok(()),
                }
            }
        }
        for next in others {
            let is_new = !path.iter().any(|used| used.der == next.der);
            // What does not fit is not followed: a path that goes on above it fails all the same.
            let fits = top.names_as_issuer(next) && next.is_valid(self.at) && next.is_authority();
            if is_new && fits && top.is_signed_by(next) {
                path.push(next);
                match self.search(path, others) {
                    Err(Refusal::NoPath) => {}
                    outcome => return outcome,
                }
                path.pop();
            }
        }
        Err(Refusal::NoPath)
    }
}

/// One certificate, decoded.
struct Certificate {
    der: Vec<u8>,
}

impl Certificate {
    fn read(der: Vec<u8>) -> Option<Self> {
        X509Certificate::from_der(&der).ok()?;
        Some(Self { der })
    }

    fn x509(&self) -> X509Certificate<'_> {
        let (_, certificate) =
            X509Certificate::from_der(&self.der).expect("it has been read before");
        certificate
    }

    fn subject(&self) -> Vec<u8> {
        self.x509().subject().as_raw().to_vec()
    }

    fn issuer(&self) -> Vec<u8> {
        self.x509().issuer().as_raw().to_vec()
    }

    /// The same certificate, or another of the same name and key.
    fn is_same_as(&self, other: &Self) -> bool {
        let (own, others) = (self.x509(), other.x509());
        own.subject().as_raw() == others.subject().as_raw()
            && own.public_key().raw == others.public_key().raw
    }

    fn is_valid(&self, at: Timestamp) -> bool {
        let certificate = self.x509();
        let validity = certificate.validity();
        (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&at.unix())
    }

    fn is_authority(&self) -> bool {
        let certificate = self.x509();
        let signs =
            certificate.key_usage().ok().flatten().is_none_or(|usage| usage.value.key_cert_sign());
        certificate.is_ca() && signs
    }

    fn path_length(&self) -> Option<u32> {
        let certificate = self.x509();
        certificate.basic_constraints().ok().flatten()?.value.path_len_constraint
    }

    /// By name, and by key identifiers where both have one.
    fn names_as_issuer(&self, issuer: &Self) -> bool {
        let identifiers = (self.identifier(true), issuer.identifier(false));
        self.issuer() == issuer.subject()
            && !matches!(&identifiers, (Some(wanted), Some(found)) if wanted != found)
    }

    /// The identifier of its issuer's key, or of its own.
    fn identifier(&self, of_issuer: bool) -> Option<Vec<u8>> {
        let certificate = self.x509();
        certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityKeyIdentifier(found) if of_issuer => {
                found.key_identifier.as_ref().map(|identifier| identifier.0.to_vec())
            }
            ParsedExtension::SubjectKeyIdentifier(found) if !of_issuer => Some(found.0.to_vec()),
            _ => None,
        })
    }

    fn is_signed_by(&self, issuer: &Self) -> bool {
        self.x509().verify_signature(Some(issuer.x509().public_key())).is_ok()
    }

    fn serves_tls(&self) -> Result<(), Refusal> {
        let certificate = self.x509();
        let usage = certificate.extended_key_usage().ok().flatten();
        if usage.is_none_or(|usage| usage.value.any || usage.value.server_auth) {
            Ok(())
        } else {
            Err(Refusal::Purpose)
        }
    }
}
