//! What parties record in the ledger. Kinds and field names are part of the event format.

use std::collections::{BTreeMap, BTreeSet};

use ground::fact;
use serde::Serialize;

use super::{Conclusion, Fingerprint, PeerName, Verdict};

/// The kinds of all facts below.
pub const KINDS: &[&str] = &[Dialled::KIND, Accepted::KIND, Judged::KIND, Failed::KIND];

/// A party connects to a peer.
#[derive(Clone, Debug, Serialize)]
pub struct Dialled {
    /// Whom it wants to reach.
    pub peer: PeerName,
    /// Where.
    pub address: String,
}
fact!(Dialled, "pinned.dialled");

/// A party takes a connection.
#[derive(Clone, Debug, Serialize)]
pub struct Accepted {}
fact!(Accepted, "pinned.accepted");

/// A party has judged its peer.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// Whose key it is; `None` if the peer is refused.
    pub trusted: Option<PeerName>,
    /// The key that was shown.
    pub found: Option<Fingerprint>,
    /// The keys it could have been.
    pub expected: BTreeMap<PeerName, BTreeSet<Fingerprint>>,
    /// Why the peer is refused.
    pub reason: Option<String>,
}
fact!(Judged, "pinned.judged");

impl From<&Verdict> for Judged {
    fn from(verdict: &Verdict) -> Self {
        Self {
            trusted: verdict.trusted().cloned(),
            found: verdict.found.clone(),
            expected: verdict.expected.clone(),
            reason: match verdict.conclusion {
                Conclusion::Refused(_) => Some(verdict.to_string()),
                Conclusion::Trusted { .. } => None,
            },
        }
    }
}

/// No connection came about, for another reason than this party's own verdict.
#[derive(Clone, Debug, Serialize)]
pub struct Failed {
    /// `connect`, `handshake`, `refused-by-peer` or `silent`.
    pub cause: &'static str,
}
fact!(Failed, "pinned.failed");
