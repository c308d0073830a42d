//! What the Samba client of a host records on its trail.
//!
//! A question or a connection is one fact, recorded before anything is sent; everything that
//! follows from it, at the client and at the DC, lies below that fact. No fact holds a port that
//! was chosen by the system, a password, or a wall time.

use std::net::IpAddr;

use ground::fact;
use serde::Serialize;

/// The client asks a name server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DnsAsked {
    /// The name in question.
    pub name: String,
    /// `SRV`, `A` or `AAAA`.
    pub record: String,
    /// The name server.
    pub server: IpAddr,
    /// `udp` or `tcp`.
    pub transport: &'static str,
}
fact!(DnsAsked, "dns.asked");

/// What came of a DNS question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DnsAnswered {
    /// The name in question.
    pub name: String,
    /// `SRV`, `A` or `AAAA`.
    pub record: String,
    /// `answers`, `no such name`, `refused`, `no answer`, ...
    pub outcome: String,
    /// The data of the answers, in the order the client uses them.
    pub answers: Vec<String>,
    /// Seconds the real program spends before it gives up, when there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_seconds: Option<u64>,
}
fact!(DnsAnswered, "dns.answered");

/// The client sends a CLDAP netlogon ping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CldapAsked {
    /// The DC's address.
    pub dc: IpAddr,
}
fact!(CldapAsked, "cldap.asked");

/// What came of a CLDAP ping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CldapAnswered {
    /// The DC's address.
    pub dc: IpAddr,
    /// `answered`, `refused`, `no answer`, `malformed`, `no netlogon`, `no LDAP server`.
    pub outcome: &'static str,
    /// DNS name the DC gives itself: from now on the name the client verifies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns_name: Option<String>,
    /// What was wrong with the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Seconds the real program spends before it gives up, when there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_seconds: Option<u64>,
}
fact!(CldapAnswered, "cldap.answered");

/// The client asks a KDC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KdcAsked {
    /// The KDC's address.
    pub kdc: IpAddr,
    /// `AS-REQ` or `TGS-REQ`.
    pub request: &'static str,
    /// What a ticket is wanted for.
    pub service: String,
    /// `udp` or `tcp`.
    pub transport: &'static str,
}
fact!(KdcAsked, "kdc.asked");

/// What came of asking a KDC. What it answered is in the DC's own facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KdcAnswered {
    /// The KDC's address.
    pub kdc: IpAddr,
    /// `answered`, `refused`, `no answer`, ...
    pub outcome: &'static str,
    /// Seconds the real program spends before it gives up, when there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_seconds: Option<u64>,
}
fact!(KdcAnswered, "kdc.answered");

/// The client opens a connection to a DC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TcpConnecting {
    /// The DC's address.
    pub dc: IpAddr,
    /// The standard port of the service: 88, 389 or 636.
    pub port: u16,
}
fact!(TcpConnecting, "tcp.connecting");

/// A connection could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TcpFailed {
    /// The DC's address.
    pub dc: IpAddr,
    /// The standard port of the service: 88, 389 or 636.
    pub port: u16,
    /// `refused`, `no answer`, `unreachable`.
    pub cause: &'static str,
    /// Seconds the real program spends before it gives up, when there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_seconds: Option<u64>,
}
fact!(TcpFailed, "tcp.failed");

/// A TLS handshake is complete. Nothing has been verified yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsFinished {
    /// Protocol version, such as `TLSv1_2`.
    pub version: String,
    /// Cipher suite.
    pub suite: String,
    /// The name sent in the handshake; `None` as Samba sends none in most modes.
    pub sni: Option<String>,
    /// SHA-256 fingerprints of the certificates, in the order they were sent.
    pub certificates: Vec<String>,
}
fact!(TlsFinished, "tls.finished");

/// A TLS handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsFailed {
    /// The failure as GnuTLS would call it.
    pub failure: String,
    /// What the model's own TLS library saw.
    pub cause: String,
    /// Seconds the real program spends before it gives up, when there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_seconds: Option<u64>,
}
fact!(TlsFailed, "tls.failed");

/// What the client concluded about a DC's certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsVerdict {
    /// The DC's address.
    pub dc: IpAddr,
    /// The name the certificate was judged for.
    pub peer_name: String,
    /// `tls verify peer`.
    pub mode: String,
    /// Class of the verdict, such as `accept`.
    pub class: String,
    /// GnuTLS status bits, in hex.
    pub status: String,
    /// NT status the client goes on with.
    pub nt_status: String,
    /// Why, most important reason first.
    pub reasons: Vec<String>,
    /// SHA-256 fingerprints of the certificates, in the order they were sent.
    pub certificates: Vec<String>,
}
fact!(TlsVerdict, "tls.verdict");

/// The client bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LdapBound {
    /// The DC's address.
    pub dc: IpAddr,
    /// Who bound, as the client names it to the DC.
    pub user: String,
    /// Result code of the DC.
    pub result: u32,
}
fact!(LdapBound, "ldap.bound");

/// The client searched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LdapSearched {
    /// The DC's address.
    pub dc: IpAddr,
    /// Base of the search.
    pub base: String,
    /// Filter, as RFC 4515 text.
    pub filter: String,
    /// Entries that came back.
    pub entries: usize,
    /// Result code of the DC.
    pub result: u32,
}
fact!(LdapSearched, "ldap.searched");

/// The client changed something in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LdapChanged {
    /// The DC's address.
    pub dc: IpAddr,
    /// `add`, `modify` or `delete`.
    pub change: &'static str,
    /// The entry.
    pub dn: String,
    /// Names of the attributes.
    pub attributes: Vec<String>,
    /// Result code of the DC.
    pub result: u32,
}
fact!(LdapChanged, "ldap.changed");

/// A connection to a DC broke off in the middle of LDAP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LdapFailed {
    /// The DC's address.
    pub dc: IpAddr,
    /// What happened.
    pub cause: String,
    /// Seconds the real program spends before it gives up, when there was no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub real_seconds: Option<u64>,
}
fact!(LdapFailed, "ldap.failed");

/// The host joined a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JoinDone {
    /// DNS name of the domain.
    pub domain: String,
    /// NetBIOS name of the machine account.
    pub machine: String,
    /// DNS name of the DC that served the join.
    pub dc: String,
}
fact!(JoinDone, "join.done");

/// The host left its domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeaveDone {
    /// DNS name of the domain.
    pub domain: String,
    /// NetBIOS name of the machine account.
    pub machine: String,
    /// Whether the account was deleted.
    pub account_deleted: bool,
}
fact!(LeaveDone, "leave.done");

/// The host gave its machine account a new password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PasswordChanged {
    /// The machine account.
    pub account: String,
    /// DNS name of the DC that took it.
    pub dc: String,
}
fact!(PasswordChanged, "password.changed");

/// winbind was started or stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WinbindChanged {
    /// Whether it runs now.
    pub running: bool,
}
fact!(WinbindChanged, "winbind.changed");

/// The kinds of all facts of this module.
pub const KINDS: &[&str] = &[
    "cldap.answered",
    "cldap.asked",
    "dns.answered",
    "dns.asked",
    "join.done",
    "kdc.answered",
    "kdc.asked",
    "ldap.bound",
    "ldap.changed",
    "ldap.failed",
    "ldap.searched",
    "leave.done",
    "password.changed",
    "tcp.connecting",
    "tcp.failed",
    "tls.failed",
    "tls.finished",
    "tls.verdict",
    "winbind.changed",
];
