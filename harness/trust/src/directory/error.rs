//! How things fail: each way with its own id, which does not change, and words that say what was
//! found where.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use rustls::AlertDescription;

use super::{
    Judgement, Known, Notice,
    data::{DataKind, Origin, Place},
};

/// Every reason for which there is no connection: the ids of [`SetupError`] and [`ConnectError`].
pub const REASONS: &[&str] = &[
    // Data that does not go together.
    "ca-data-unusable",
    "client-certificate-without-key",
    "client-key-mismatch",
    "client-key-unusable",
    "client-key-without-certificate",
    "no-ca-certificate",
    // The client's own certificate.
    "client-certificate-expired",
    "client-certificate-missing",
    "client-certificate-refused",
    "client-certificate-revoked",
    "client-certificate-wrong-ca",
    "client-key-unproven",
    // The server's, by the check that fails.
    "server-authority",
    "server-count",
    "server-critical-extension",
    "server-key-usage",
    "server-name",
    "server-name-constraints",
    "server-parse",
    "server-path-length",
    "server-revocation",
    "server-signature",
    "server-signature-fit",
    "server-signer",
    "server-strength",
    "server-validity",
    // What is known of the server, and of what is revoked.
    "crl-expired",
    "crl-missing",
    "crl-of-another-issuer",
    "crl-signature",
    "rejected-by-application",
    "server-changed",
    "trusted-servers",
    // They do not meet.
    "connection-lost",
    "handshake",
    "host-name",
    "server-alert",
    "silent",
    "unreachable",
];

/// Data that is not what it should be.
#[derive(Debug, thiserror::Error)]
#[error("{kind} from {origin}: {cause}")]
pub struct DataError {
    /// What it should be.
    pub kind: DataKind,
    /// Where it comes from.
    pub origin: Origin,
    /// What is wrong.
    pub cause: DataCause,
}

/// What is wrong with data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataCause {
    /// There is nothing in it.
    #[error("there is nothing in it")]
    Empty,
    /// The key is protected by a password.
    #[error("{0} is an encrypted key")]
    EncryptedKey(Place),
    /// It is neither PEM nor base64.
    #[error("it has no PEM block, and is no base64 as a whole")]
    NoBlock,
    /// A block that is not what its label says.
    #[error("{block} cannot be read: {reason}")]
    NotA {
        /// Which.
        block: Place,
        /// What the parser says.
        reason: String,
    },
    /// A block with other characters in it.
    #[error("{0} is no base64")]
    NotBase64(Place),
    /// Bytes that are no text.
    #[error("it is no text")]
    NotText,
    /// PEM of something else.
    #[error("it holds {}, and no block of the right kind", .found.join(", "))]
    OtherBlocks {
        /// Labels of what it holds.
        found: Vec<String>,
    },
    /// More than one key.
    #[error("it holds {found} keys")]
    SeveralKeys {
        /// How many.
        found: usize,
    },
    /// More than anybody has.
    #[error("it is larger than {limit} bytes")]
    TooLarge {
        /// How much is read.
        limit: usize,
    },
    /// A block that does not end.
    #[error("the block `{label}` that begins on line {line} has no line `-----END {label}-----`")]
    Unclosed {
        /// What it is called.
        label: String,
        /// The line on which it begins.
        line: usize,
    },
    /// The file cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
}

impl DataError {
    /// What to do about it.
    pub fn advice(&self) -> String {
        let label = self.kind.labels().first().copied().unwrap_or_default();
        match &self.cause {
            DataCause::Empty | DataCause::NoBlock | DataCause::OtherBlocks { .. } => {
                format!("give the {} as `-----BEGIN {label}-----`", self.kind)
            }
            DataCause::EncryptedKey(_) => {
                "decrypt it: `openssl pkey -in FILE -out client/key.pem`".to_owned()
            }
            DataCause::NotA { .. } | DataCause::NotBase64(_) | DataCause::Unclosed { .. } => {
                format!("copy the {} again, whole, from where it was issued", self.kind)
            }
            DataCause::NotText => {
                "convert it from DER: `openssl x509 -inform DER -in FILE` (or `crl`, `pkey`)"
                    .to_owned()
            }
            DataCause::SeveralKeys { .. } => "keep the key of the certificate alone".to_owned(),
            DataCause::TooLarge { .. } => "check that it is the right file".to_owned(),
            DataCause::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                format!("put the {} there, or do not add it", self.kind)
            }
            DataCause::Unreadable(_) => "check the permissions of the file".to_owned(),
        }
    }
}

/// Data that is sound piece by piece and does not go together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A certificate without its key.
    #[error("there is the client certificate from {certificate}, but no client key")]
    CertificateWithoutKey {
        /// Where the certificate comes from.
        certificate: Origin,
    },
    /// Two that do not belong together.
    #[error(
        "the client key from {key} is not that of the client certificate from {certificate}: \
         its public key has the SHA-256 {key_digest}, that of the certificate {certificate_digest}"
    )]
    KeyMismatch {
        /// Where the key comes from.
        key: Origin,
        /// Where the certificate comes from.
        certificate: Origin,
        /// Of the public key that belongs to the key.
        key_digest: String,
        /// Of the public key in the certificate.
        certificate_digest: String,
    },
    /// A key of an algorithm that nobody signs with.
    #[error("the client key from {key} cannot be used: {source}")]
    KeyUnusable {
        /// Where it comes from.
        key: Origin,
        /// What TLS says.
        source: rustls::Error,
    },
    /// A key without its certificate.
    #[error("there is the client key from {key}, but no client certificate")]
    KeyWithoutCertificate {
        /// Where the key comes from.
        key: Origin,
    },
    /// Nothing to believe servers by.
    #[error("there is no CA certificate")]
    NoCaCertificate,
    /// GnuTLS' rules for files refuse the data.
    #[error("the CA certificates or revocation lists cannot be used: {0}")]
    Unusable(String),
}

impl SetupError {
    /// Its id.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::CertificateWithoutKey { .. } => "client-certificate-without-key",
            Self::KeyMismatch { .. } => "client-key-mismatch",
            Self::KeyUnusable { .. } => "client-key-unusable",
            Self::KeyWithoutCertificate { .. } => "client-key-without-certificate",
            Self::NoCaCertificate => "no-ca-certificate",
            Self::Unusable(_) => "ca-data-unusable",
        }
    }
}

/// The list of trusted servers cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// What is there is damaged.
    #[error(transparent)]
    Data(#[from] DataError),
    /// What cannot be the name of a host.
    #[error("`{0}` is no name of a host")]
    Host(String),
    /// Somebody else writes it, and does not come to an end.
    #[error("{} has been locked by somebody else for {limit:?}: end whoever holds it (`fuser` names it)", .path.display())]
    Locked {
        /// The file whose lock it is.
        path: PathBuf,
        /// How long was waited.
        limit: Duration,
    },
    /// It cannot be written.
    #[error("cannot {what} {}: {source}", .path.display())]
    Write {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// What is wrong with the client's own certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OwnFault {
    /// Its time is over, or has not begun.
    Expired,
    /// The server wants one, and there is none.
    Missing,
    /// Refused, and nobody says why.
    Refused,
    /// Its CA has revoked it.
    Revoked,
    /// The proof of the key does not hold.
    Unproven,
    /// It comes from a CA that is not the right one.
    WrongCa,
}

impl OwnFault {
    /// Its id.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Expired => "client-certificate-expired",
            Self::Missing => "client-certificate-missing",
            Self::Refused => "client-certificate-refused",
            Self::Revoked => "client-certificate-revoked",
            Self::Unproven => "client-key-unproven",
            Self::WrongCa => "client-certificate-wrong-ca",
        }
    }
}

/// No connection came about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The server is known with another certificate, and nobody was there to ask.
    #[error(
        "the certificate of {host} is {found}, but it was accepted with {}",
        before_text(.before)
    )]
    Changed {
        /// The server.
        host: String,
        /// Fingerprint of what it shows.
        found: String,
        /// What is known of it.
        before: Known,
    },
    /// The server cannot be reached.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where it was looked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The two do not get as far as certificates.
    #[error("the handshake failed: {0}")]
    Handshake(io::Error),
    /// What cannot be the name of a host.
    #[error("`{0}` is no name of a host")]
    Host(String),
    /// The connection had come about, and breaks off before anything was said.
    #[error("the connection breaks off: {0}")]
    Lost(io::Error),
    /// The client's own certificate does not do, by the client's own judgement.
    #[error("the client's own certificate: {judgement}")]
    Own {
        /// What is wrong with it.
        fault: OwnFault,
        /// Why.
        judgement: Box<Judgement>,
    },
    /// The server ends the connection, which has nothing to do with a client certificate.
    #[error("the server ended the connection with the alert {alert:?}")]
    Peer {
        /// What it said.
        alert: AlertDescription,
    },
    /// The server wants a client certificate, and does not take this, or none.
    #[error("{}", refused_text(*.fault, *.alert, .shown.as_deref(), .wanted))]
    RefusedByServer {
        /// What is wrong with it, as far as the server tells.
        fault: OwnFault,
        /// How it said so; nothing if it closed the connection.
        alert: Option<AlertDescription>,
        /// Fingerprint of what was shown.
        shown: Option<String>,
        /// CAs that the server asked for a certificate of.
        wanted: Vec<String>,
    },
    /// The application said no.
    #[error("the application rejects {found} of {host}")]
    Rejected {
        /// The server.
        host: String,
        /// Fingerprint of what it shows.
        found: String,
    },
    /// The application wants to know for certain what is revoked, and the lists do not tell.
    #[error("{0}")]
    RevocationUnknown(Notice),
    /// The server, or the application that was asked, does not answer.
    #[error("the connection had not come about after {limit:?}")]
    Silent {
        /// How long it was waited for.
        limit: Duration,
    },
    /// The list of trusted servers.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server's certificate did not pass.
    #[error("{0}")]
    Untrusted(Box<Judgement>),
}

impl ConnectError {
    /// Its id. That of a server that did not pass names the check, in the words of
    /// [`trust_verdict::Check`].
    pub fn id(&self) -> String {
        let id = match self {
            Self::Changed { .. } => "server-changed",
            Self::Connect { .. } => "unreachable",
            Self::Handshake(_) => "handshake",
            Self::Host(_) => "host-name",
            Self::Lost(_) => "connection-lost",
            Self::Own { fault, .. } | Self::RefusedByServer { fault, .. } => fault.id(),
            Self::Peer { .. } => "server-alert",
            Self::Rejected { .. } => "rejected-by-application",
            Self::RevocationUnknown(notice) => notice.id(),
            Self::Silent { .. } => "silent",
            Self::Store(_) => "trusted-servers",
            Self::Untrusted(judgement) => {
                let check = judgement.reasons.first().map_or("untrusted", |r| r.check.id());
                return format!("server-{check}");
            }
        };
        id.to_owned()
    }
}

fn before_text(before: &Known) -> String {
    match before {
        Known::Changed { before } => before.join(", "),
        Known::New | Known::Trusted => "none".to_owned(),
    }
}

fn refused_text(
    fault: OwnFault,
    alert: Option<AlertDescription>,
    shown: Option<&str>,
    wanted: &[String],
) -> String {
    let what = match (fault, shown) {
        (OwnFault::Missing, _) => "there is none".to_owned(),
        (OwnFault::WrongCa, None) => "there is none of the right CA, so none was shown".to_owned(),
        (OwnFault::Expired, Some(shown)) => format!("says that {shown} has expired"),
        (OwnFault::Revoked, Some(shown)) => format!("says that {shown} is revoked"),
        (OwnFault::WrongCa, Some(shown)) => format!("does not know the CA of {shown}"),
        (OwnFault::Unproven, Some(shown)) => {
            format!("does not believe that the key of {shown} is here")
        }
        (_, Some(shown)) => format!("does not take {shown}"),
        (_, None) => "none was shown".to_owned(),
    };
    let from = match wanted {
        [] => String::new(),
        wanted => format!(" of {}", wanted.join(" or ")),
    };
    let how = match alert {
        Some(alert) => format!("the alert {alert:?}"),
        None => "the end of the connection".to_owned(),
    };
    format!("the server wants a client certificate{from}: {what} ({how})")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::REASONS;

    /// The text of this module and of its neighbour, as far as it names ids.
    #[test]
    fn the_list_of_reasons_is_whole() {
        let named: BTreeSet<&str> = [include_str!("error.rs"), include_str!("judgement.rs")]
            .into_iter()
            .flat_map(|module| module.split("fn id(").skip(1))
            .flat_map(|body| body.split("\n    }\n").next().unwrap_or_default().lines())
            .filter_map(|arm| arm.split_once("=> \"")?.1.strip_suffix("\","))
            .collect();
        assert!(named.len() > 20, "{named:?}");
        let listed: BTreeSet<&str> = REASONS.iter().copied().collect();
        assert_eq!(listed.len(), REASONS.len(), "a reason is there twice");
        let missing: Vec<_> = named.difference(&listed).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let others: Vec<_> = listed.difference(&named).collect();
        // Those of checks are made from the ids of `trust_verdict::Check`.
        assert!(others.iter().all(|id| id.starts_with("server-")), "{others:?}");
    }
}
