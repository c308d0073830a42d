//! How long the client waits. Every wait of the model is in this table.
//!
//! A wait on a real socket is short; what the real program would have spent is said in the fact of
//! the failure, so that a report can tell the cost of a silent DC. The short waits are long enough
//! for a busy machine: nothing here is meant to expire while a peer on loopback is alive.

use std::time::Duration;

use crate::Patience;

/// One limit of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// What the real program waits.
    pub(crate) real: Duration,
    /// What the model waits on its real socket, once.
    waited: Duration,
}

impl Limit {
    const fn new(real_seconds: u64, waited_ms: u64) -> Self {
        Self { real: Duration::from_secs(real_seconds), waited: Duration::from_millis(waited_ms) }
    }

    /// What the model waits on its real socket: never longer than the real program.
    pub(crate) fn waited(self, patience: Patience) -> Duration {
        (self.waited * patience.0).min(self.real.max(self.waited))
    }

    /// The real wait in seconds, for facts.
    pub(crate) const fn real_seconds(self) -> u64 {
        self.real.as_secs()
    }
}

/// One question to one name server: smb.conf `async dns timeout`, default 10 (Samba 4.22).
pub(crate) const DNS_QUESTION: Limit = Limit::new(10, 1_000);

/// The CLDAP ping of one DC. Measured 12 to 18 s until `net ads search` gives up.
pub(crate) const CLDAP_PING: Limit = Limit::new(15, 1_000);

/// TCP connection to 389 or 636: smb.conf `ldap timeout`, default 15. Measured 15.1 s.
pub(crate) const TCP_CONNECT: Limit = Limit::new(15, 1_500);

/// TLS handshake: smb.conf `ldap connection timeout`, default 2 (samba-tls-verify.md §11). The
/// real client sometimes misses its own limit and waits until the server closes; the model never
/// does.
pub(crate) const TLS_HANDSHAKE: Limit = Limit::new(2, 1_500);

/// Answer of one KDC. Measured 33 s until `net ads search` gives up on the only one.
pub(crate) const KDC_ANSWER: Limit = Limit::new(33, 1_500);

/// Answer to one LDAP request: smb.conf `ldap timeout`, default 15.
pub(crate) const LDAP_ANSWER: Limit = Limit::new(15, 1_500);

/// How long the model lets a peer close its side. The real client closes at once and does not look
/// back; on loopback the peer is given the chance to read the last bytes before a reset.
pub(crate) const CLOSING: Limit = Limit::new(0, 200);
