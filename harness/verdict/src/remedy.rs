//! Advice: the smallest changes that would turn a refusal into an acceptance.
//!
//! A [`Remedy`] says what to change so exactly that a program can do it, and its `Display` says
//! the same to a person. Remedies are guesses about what the owner of the domain wants, and are
//! kept apart from what was observed.

use std::fmt;

use ground::Timestamp;
use serde::Serialize;

use crate::{
    evidence::TlsVersion,
    reason::{AnchorRef, WireCertificate},
};

/// A change that would make one failed check pass. Advice, not observation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// The reason it answers, as an index into [`crate::Verdict::reasons`].
    pub reason: usize,
    /// What to change.
    pub remedy: Remedy,
    /// The same as a sentence.
    pub text: String,
}

impl Advice {
    pub(crate) fn new(reason: usize, remedy: Remedy) -> Self {
        let text = remedy.to_string();
        Self { reason, remedy, text }
    }
}

/// What to change: a file or setting of the client, or something about the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Remedy {
    /// Add a certificate to the client's bundle, behind the others.
    AddAnchor {
        /// Which.
        wanted: Wanted,
        /// `tls cafile`, if it is set.
        file: Option<String>,
    },
    /// Let the server offer one of these protocol versions.
    OfferTls {
        /// What the client offers.
        versions: Vec<TlsVersion>,
    },
    /// Issue a certificate again with one thing changed, and put it where the old one was.
    Reissue {
        /// Which.
        certificate: Holder,
        /// The change.
        with: Property,
    },
    /// Remove an anchor from the file it is in.
    RemoveAnchor {
        /// Which.
        anchor: AnchorRef,
    },
    /// Take a PEM block out of a file, or repair it.
    RemoveBlock {
        /// The file.
        file: String,
        /// Line of its `BEGIN`, from 1.
        line: usize,
    },
    /// Let the server send one certificate more.
    SendCertificate {
        /// Which.
        wanted: Wanted,
    },
    /// Let the server send only these certificates of those it sends, in this order.
    SendOnly {
        /// Their places in the message now.
        positions: Vec<usize>,
    },
    /// Set the client's clock to a time in this range.
    SetClock {
        /// First good second.
        from: Timestamp,
        /// Last good second.
        to: Timestamp,
    },
    /// Set a parameter of smb.conf, or remove it.
    SetParameter {
        /// Its name.
        parameter: &'static str,
        /// The value; none removes it.
        value: Option<String>,
    },
    /// Let the DC call itself by one of these names in its netlogon answer.
    SetPeerName {
        /// Names its certificate has; if there are none, any DNS name.
        names: Vec<String>,
    },
    /// Write a file of CRLs in PEM form.
    WriteCrl {
        /// Its path.
        file: String,
    },
}

/// A certificate that is looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// Subject as RFC 4514 text; none if the domain's root CA is meant, whatever its name.
    pub subject: Option<String>,
    /// Its subject key identifier in hexadecimal, if that is known.
    pub key_id: Option<String>,
    /// Its place in the message, if the server sends it.
    pub position: Option<usize>,
}

/// Where a certificate to be changed is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// In the client's bundle.
    Anchor(AnchorRef),
    /// At the server.
    Server(WireCertificate),
}

/// The one thing to change when a certificate is issued again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Property {
    /// Names its issuer as this certificate names itself, key identifier included.
    AuthorityOf(Holder),
    /// basicConstraints with CA:TRUE.
    CertificateAuthority,
    /// This dNSName among its names.
    DnsName(String),
    /// Everything in correct DER.
    Encoding,
    /// A new RSA key of at least this many bits; what the old key signed is signed again.
    RsaKey(u64),
    /// This usage among its key usages.
    KeyUsage(&'static str),
    /// No path length constraint.
    NoPathLength,
    /// A new serial number.
    SerialNumber,
    /// A new signature by its issuer, with SHA-256.
    Signature,
    /// A validity that holds this time.
    ValidAt(Timestamp),
    /// Without the extension of this OID.
    WithoutExtension(String),
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddAnchor { wanted, file } => {
                write!(f, "add {wanted} to ")?;
                match file {
                    Some(file) => f.write_str(file),
                    None => f.write_str("a file in PEM form and name it in `tls cafile`"),
                }
            }
            Self::OfferTls { versions } => {
                write!(f, "let the DC offer {}", list(versions.iter().map(|tls| tls.text())))
            }
            Self::Reissue { certificate, with } => {
                write!(f, "issue {certificate} again {with}")
            }
            Self::RemoveAnchor { anchor } => write!(f, "remove {anchor} from the trusted CAs"),
            Self::RemoveBlock { file, line } => {
                write!(f, "repair or remove what stands at line {line} of {file}")
            }
            Self::SendCertificate { wanted } => {
                write!(f, "let the server send {wanted} too, if it is below a trusted CA")
            }
            Self::SendOnly { positions } => {
                let places = positions.iter().map(|position| format!("#{position}"));
                let s = if positions.len() == 1 { "" } else { "s" };
                write!(f, "let the server send only certificate{s} {}", list(places))
            }
            Self::SetClock { from, to } => {
                write!(f, "set the clock, if it should be between {from} and {to}")
            }
            Self::SetParameter { parameter, value: Some(value) } => {
                write!(f, "set `{parameter} = {value}` in smb.conf")
            }
            Self::SetParameter { parameter, value: None } => {
                write!(f, "remove `{parameter}` from smb.conf")
            }
            Self::SetPeerName { names } if names.is_empty() => {
                f.write_str("let the DC call itself by a DNS name without blanks")
            }
            Self::SetPeerName { names } => {
                write!(f, "let the DC call itself {}", list(names))
            }
            Self::WriteCrl { file } => write!(f, "put CRLs in PEM form into {file}"),
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.subject, self.position) {
            (None, _) => f.write_str("the root CA of the domain"),
            (Some(subject), Some(position)) => {
                write!(f, "certificate #{position} {subject}, which the server sends,")
            }
            (Some(subject), None) => {
                write!(f, "the CA certificate {subject}")?;
                match &self.key_id {
                    Some(id) => write!(f, " with the key identifier {id}"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anchor(anchor) => write!(f, "the anchor {anchor}"),
            Self::Server(certificate) => write!(f, "certificate {certificate}"),
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AuthorityOf(issuer) => {
                write!(f, "with issuer name and authority key identifier exactly as of {issuer}")
            }
            Self::CertificateAuthority => f.write_str("as a CA certificate, with CA:TRUE"),
            Self::DnsName(name) => write!(f, "with the dNSName {name}"),
            Self::Encoding => f.write_str("in correct encoding"),
            Self::RsaKey(bits) => write!(
                f,
                "with a new RSA key of {bits} bits or more (and what the old key signed, too)"
            ),
            Self::KeyUsage(usage) => write!(f, "with the key usage {usage}"),
            Self::NoPathLength => f.write_str("without its path length constraint"),
            Self::SerialNumber => f.write_str("under a new serial number"),
            Self::Signature => f.write_str("with a SHA-256 signature by its issuer's key"),
            Self::ValidAt(at) => write!(f, "with a validity that holds {at}"),
            Self::WithoutExtension(oid) => {
                write!(f, "without the extension {}", extension_text(oid))
            }
        }
    }
}

fn extension_text(oid: &str) -> String {
    match oid {
        crate::extensions::NAME_CONSTRAINTS => format!("nameConstraints ({oid})"),
        crate::extensions::TLS_FEATURE => format!("TLS feature ({oid}), also called must-staple"),
        _ => oid.to_owned(),
    }
}

/// Items as a person lists alternatives and members alike.
fn list(items: impl IntoIterator<Item = impl fmt::Display>) -> String {
    let texts: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    texts.join(", ")
}
