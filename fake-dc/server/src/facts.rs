//! What reached which DC, as facts of the ledger.
//!
//! A TCP connection is one [`Connection`]; what happens on it is recorded below that event in the
//! order of the connection. A datagram is one [`DnsQuery`] or [`CldapPing`]. No fact holds a
//! client's port, a password, or anything that depends on which end closed first.

use std::fmt;

use ground::{Timestamp, fact};
use serde::Serialize;

/// The kinds of all facts below.
pub const KINDS: &[&str] = &[
    "cldap.ping",
    "dc.certificate-enrolled",
    "dc.certificate-loaded",
    "dc.connection",
    "dc.connection-dropped",
    "dc.connection-refused",
    "dc.garbage",
    "dc.unreachable",
    "dns.query",
    "fault.cleared",
    "fault.set",
    "kdc.request",
    "kpasswd.request",
    "ldap.request",
    "ldap.result",
    "ldap.sasl-refused",
    "tls.client-certificate",
    "tls.handshake",
];

/// A listener of a DC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Listener {
    /// UDP 389: LDAP without a connection, for the netlogon ping.
    Cldap,
    /// UDP and TCP 53.
    Dns,
    /// TCP 3268: LDAP of the global catalogue.
    Gc,
    /// TCP 3269: LDAPS of the global catalogue.
    Gcs,
    /// UDP and TCP 88.
    Kdc,
    /// UDP and TCP 464: the password service.
    Kpasswd,
    /// TCP 389.
    Ldap,
    /// TCP 636.
    Ldaps,
    /// TCP 135, 139, 445, 464 and the ports that the endpoint mapper names: SMB, RPC and whatever
    /// else only a DC has that stands before a real one.
    Rpc,
}

impl Listener {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Cldap,
        Self::Dns,
        Self::Gc,
        Self::Gcs,
        Self::Kdc,
        Self::Kpasswd,
        Self::Ldap,
        Self::Ldaps,
        Self::Rpc,
    ];

    /// Those of LDAP over TCP.
    pub(crate) const LDAP: &'static [Self] = &[Self::Gc, Self::Gcs, Self::Ldap, Self::Ldaps];

    /// Those whose clients begin in clear and may ask for TLS.
    pub(crate) const STARTTLS: &'static [Self] = &[Self::Gc, Self::Ldap];

    /// Those whose clients begin with TLS.
    pub(crate) const TLS: &'static [Self] = &[Self::Gcs, Self::Ldaps];

    /// Those that answer netlogon pings.
    pub(crate) const PINGED: &'static [Self] =
        &[Self::Cldap, Self::Gc, Self::Gcs, Self::Ldap, Self::Ldaps];

    /// Its id in the text of faults and in the ledger: `ldaps`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Cldap => "cldap",
            Self::Dns => "dns",
            Self::Gc => "gc",
            Self::Gcs => "gcs",
            Self::Kdc => "kdc",
            Self::Kpasswd => "kpasswd",
            Self::Ldap => "ldap",
            Self::Ldaps => "ldaps",
            Self::Rpc => "rpc",
        }
    }

    /// Whether its clients begin with TLS.
    pub(crate) fn begins_with_tls(self) -> bool {
        Self::TLS.contains(&self)
    }

    /// Whether it is of the global catalogue.
    pub(crate) fn is_global_catalog(self) -> bool {
        matches!(self, Self::Gc | Self::Gcs)
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cldap => "CLDAP",
            Self::Dns => "DNS",
            Self::Gc => "the global catalogue",
            Self::Gcs => "the global catalogue over TLS",
            Self::Kdc => "Kerberos",
            Self::Kpasswd => "the password service",
            Self::Ldap => "LDAP",
            Self::Ldaps => "LDAPS",
            Self::Rpc => "RPC",
        })
    }
}

/// A DC has got a certificate from its CA, which it does not show until it looks for it.
#[derive(Debug, Serialize)]
pub struct CertificateEnrolled {
    /// When that ends.
    pub not_after: Timestamp,
}
fact!(CertificateEnrolled, "dc.certificate-enrolled");

/// A DC has looked for its certificate again, because it was told to.
#[derive(Debug, Serialize)]
pub struct CertificateLoaded {
    /// SHA-256 fingerprint of the certificate that LDAPS shows from now on, in lower-case hex;
    /// `None` if there is none that the DC can use.
    pub leaf: Option<String>,
}
fact!(CertificateLoaded, "dc.certificate-loaded");

/// A DC accepted a TCP connection.
#[derive(Debug, Serialize)]
pub struct Connection {
    /// Where.
    pub listener: Listener,
    /// The client whose route it came along; `None` if it came directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}
fact!(Connection, "dc.connection");

/// A connection was ended because another had come, and there was no room for both.
#[derive(Debug, Serialize)]
pub struct ConnectionDropped {
    /// Where.
    pub listener: Listener,
}
fact!(ConnectionDropped, "dc.connection-dropped");

/// A connection was ended at once, because the fault `net.connection-limit` takes no more.
#[derive(Debug, Serialize)]
pub struct ConnectionRefused {
    /// Where.
    pub listener: Listener,
    /// The limit.
    pub limit: usize,
}
fact!(ConnectionRefused, "dc.connection-refused");

/// Bytes arrived that are not of the listener's protocol. The connection is closed.
#[derive(Debug, Serialize)]
pub struct Garbage {
    /// Where.
    pub listener: Listener,
    /// The layer that could not read them: `dns`, `ldap` or `tls`.
    pub layer: &'static str,
    /// What is wrong with them.
    pub reason: String,
}
fact!(Garbage, "dc.garbage");

/// The real DC behind did not take a connection, or did not answer. The client's ends, too.
#[derive(Debug, Serialize)]
pub struct Unreachable {
    /// Where the client has connected.
    pub listener: Listener,
    /// What the system or the TLS library says.
    pub reason: String,
}
fact!(Unreachable, "dc.unreachable");

/// A DNS question was answered.
#[derive(Debug, Serialize)]
pub struct DnsQuery {
    /// The name asked for.
    pub name: String,
    /// The type asked for: `SRV`.
    pub record_type: String,
    /// Response code: `NOERROR`, `NXDOMAIN`; `none` if nothing was sent.
    pub code: String,
    /// Names and addresses in the answer section, in order, without ports.
    pub answers: Vec<String>,
}
fact!(DnsQuery, "dns.query");

/// A netlogon ping came over UDP.
#[derive(Debug, Serialize)]
pub struct CldapPing {
    /// The filter of the ping.
    pub filter: String,
    /// The DC name in the answer; `None` if nothing or no entry was sent.
    pub answered: Option<String>,
    /// The client whose route it came along; `None` if it came directly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}
fact!(CldapPing, "cldap.ping");

/// A request to the password service was answered.
#[derive(Debug, Serialize)]
pub struct PasswordAsked {
    /// Who asks; `None` if that was not proved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Whose password is to be set; `None`: the client's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The result code of RFC 3244; 0 if the password is changed.
    pub result: u16,
    /// Why the request was not looked into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
fact!(PasswordAsked, "kpasswd.request");

/// A Kerberos request was answered.
#[derive(Debug, Serialize)]
pub struct KdcRequest {
    /// Which: `AS-REQ`, `TGS-REQ`.
    pub request: &'static str,
    /// Who asks, as far as that became known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The service that a ticket is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Code and name of the error in the answer; `None` if it is a ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}
fact!(KdcRequest, "kdc.request");

/// A TLS handshake ended, as the DC sees it.
#[derive(Debug, Default, Serialize)]
pub struct Handshake {
    /// How.
    pub outcome: HandshakeOutcome,
    /// Why it failed, in the words of the TLS library, or the id of the fault that ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The name in the client's server name indication.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Agreed version: `TLSv1.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Agreed suite: `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cipher_suite: Option<String>,
    /// Agreed group: `secp384r1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// SHA-256 fingerprint of the first certificate served, in lower-case hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaf: Option<String>,
}
fact!(Handshake, "tls.handshake");

/// A client has shown a certificate of its own, whose key it has.
#[derive(Debug, Serialize)]
pub struct ClientCertificate {
    /// SHA-256 fingerprint, in lower-case hex.
    pub leaf: String,
    /// Why it is not good, in the words of the TLS library.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The account that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}
fact!(ClientCertificate, "tls.client-certificate");

/// How a handshake ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HandshakeOutcome {
    /// Both sides can send application data. The client may still reject the chain afterwards.
    Complete,
    /// It did not come to that.
    #[default]
    Failed,
}

/// An LDAP request arrived.
#[derive(Debug, Serialize)]
pub struct LdapRequest {
    /// Which: `bind`, `search`.
    pub operation: &'static str,
    /// What for, without credentials: base, scope, filter and attributes of a search, name and
    /// mechanism of a bind.
    pub summary: String,
}
fact!(LdapRequest, "ldap.request");

/// An LDAP request was answered.
#[derive(Debug, Serialize)]
pub struct LdapResult {
    /// Result code.
    pub code: u32,
    /// Entries sent before it.
    pub entries: usize,
    /// Diagnostic message.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub diagnostic: String,
}
fact!(LdapResult, "ldap.result");

/// A fault was set on a DC, or on a route to it.
#[derive(Debug, Serialize)]
pub struct FaultSet {
    /// The fault as text: `net.latency:250ms@ldaps`.
    pub fault: String,
    /// The client whose route has it; `None` if the DC has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}
fact!(FaultSet, "fault.set");

/// A fault was cleared from a DC, or from a route to it.
#[derive(Debug, Serialize)]
pub struct FaultCleared {
    /// The fault as text: `net.latency:250ms@ldaps`.
    pub fault: String,
    /// The client whose route had it; `None` if the DC had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
}
fact!(FaultCleared, "fault.cleared");

/// The token of a SASL bind was refused, for a reason that the client is not told.
#[derive(Debug, Serialize)]
pub struct SaslRefused {
    /// What is wrong with it.
    pub reason: String,
}
fact!(SaslRefused, "ldap.sasl-refused");
