//! The verdict: what the client concludes, with everything needed to say why.

use ground::Timestamp;
use serde::Serialize;

use crate::{
    client::VerifyPeer,
    evidence::TlsVersion,
    name::PeerName,
    reason::{AnchorRef, Fingerprint, Reason},
    remedy::Advice,
    status::{GnutlsError, NtStatus, StatusBits},
};

/// How a connection attempt ends, as far as certificates and configuration decide it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The client goes on to LDAP.
    Accept,
    /// Verification says no: NT_STATUS_IMAGE_CERT_REVOKED.
    Reject,
    /// The handshake fails.
    TlsError,
    /// Verification itself fails.
    VerifyError,
    /// The channel binding cannot be computed.
    BindingError,
    /// The client's own configuration is refused.
    ConfigError,
}

impl Class {
    /// The name used in JSON and in the reference verdicts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::TlsError => "tls_error",
            Self::VerifyError => "verify_error",
            Self::BindingError => "binding_error",
            Self::ConfigError => "config_error",
        }
    }
}

/// What one client concludes about one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The kind of ending.
    #[serde(rename = "verdict")]
    pub class: Class,
    /// GnuTLS' verification status; zero unless the class is [`Class::Reject`].
    pub status: StatusBits,
    /// Names of the bits of `status`.
    pub flags: Vec<&'static str>,
    /// GnuTLS error, if one ended the connection.
    pub gnutls: Option<GnutlsError>,
    /// What Samba returns.
    pub ntstatus: NtStatus,
    /// `tls verify peer` of the client.
    pub mode: VerifyPeer,
    /// The name that was verified; none if the configuration failed before it mattered.
    pub peer: Option<PeerName>,
    /// Time of the judgement.
    pub at: Option<Timestamp>,
    /// Version of the handshake.
    pub tls: Option<TlsVersion>,
    /// Every check that failed.
    pub reasons: Vec<Reason>,
    /// Advice, not observation: the smallest changes that would turn the verdict.
    pub advice: Vec<Advice>,
    /// What the other modes would have concluded.
    pub other_modes: Vec<OtherMode>,
    /// What was presented, and the part each certificate played.
    pub chain: Vec<Link>,
    /// What Samba prints follows from this.
    #[serde(skip)]
    pub(crate) cause: Cause,
}

impl Verdict {
    /// Whether the client goes on to LDAP.
    pub fn is_accept(&self) -> bool {
        self.class == Class::Accept
    }

    /// Whether verification gave up because the peer name is an address.
    pub fn is_without_hostname(&self) -> bool {
        self.cause == Cause::NoHostname
    }
}

/// What another value of `tls verify peer` would have led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct OtherMode {
    /// The other value.
    pub mode: VerifyPeer,
    /// The class then.
    #[serde(rename = "verdict")]
    pub class: Class,
    /// The status then.
    pub status: StatusBits,
}

/// One certificate of the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Place in the message; 0 is the leaf.
    pub position: usize,
    /// RFC 4514 text; `None` if it cannot be parsed.
    pub subject: Option<String>,
    /// RFC 4514 text of the issuer; `None` if it cannot be parsed.
    pub issuer: Option<String>,
    /// SHA-256 of the bytes.
    pub fingerprint: Fingerprint,
    /// Validity; `None` if it cannot be parsed.
    pub validity: Option<(Timestamp, Timestamp)>,
    /// Key and signature algorithm, for people.
    pub algorithms: Option<String>,
    /// Place in the judged path, 0 for the leaf; `None` if the path does not use it.
    pub step: Option<usize>,
    /// The anchor that issued it or is it, if there is one.
    pub anchor: Option<AnchorRef>,
}

/// What exactly ended the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    Accepted,
    BadCafile { path: String, line: usize, error: GnutlsError },
    BadCrlfile { path: String, error: GnutlsError },
    Binding(GnutlsError),
    CheckFailed,
    Handshake(GnutlsError),
    NoHostname,
    NoTrustSource,
    PeerUri { uri: String },
    Prepare(GnutlsError),
    StrictWithoutCrl { path: String },
    Verify(GnutlsError),
}

impl Cause {
    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Accepted => Class::Accept,
            Self::CheckFailed | Self::NoHostname => Class::Reject,
            Self::Handshake(_) => Class::TlsError,
            Self::Verify(_) => Class::VerifyError,
            Self::Binding(_) => Class::BindingError,
            Self::BadCafile { .. }
            | Self::BadCrlfile { .. }
            | Self::NoTrustSource
            | Self::PeerUri { .. }
            | Self::Prepare(_)
            | Self::StrictWithoutCrl { .. } => Class::ConfigError,
        }
    }

    /// The error GnuTLS ends a handshake, a verification or its preparation with.
    pub(crate) fn gnutls(&self) -> Option<GnutlsError> {
        match self {
            Self::Binding(error)
            | Self::Handshake(error)
            | Self::Prepare(error)
            | Self::Verify(error)
            | Self::BadCafile { error, .. }
            | Self::BadCrlfile { error, .. } => Some(*error),
            _ => None,
        }
    }

    pub(crate) fn ntstatus(&self) -> NtStatus {
        match self {
            Self::Accepted => NtStatus::Ok,
            Self::BadCafile { .. } | Self::BadCrlfile { .. } => NtStatus::CantAccessDomainInfo,
            Self::CheckFailed | Self::NoHostname => NtStatus::ImageCertRevoked,
            Self::NoTrustSource | Self::StrictWithoutCrl { .. } => NtStatus::InvalidParameterMix,
            Self::PeerUri { .. } => NtStatus::Unsuccessful,
            Self::Binding(error)
            | Self::Handshake(error)
            | Self::Prepare(error)
            | Self::Verify(error) => error.ntstatus(),
        }
    }
}
