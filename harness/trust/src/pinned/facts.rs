//! What parties record in the ledger. Kinds and field names are part of the event format.

use std::collections::{BTreeMap, BTreeSet};

use ground::fact;
use serde::Serialize;

use super::{Conclusion, Fingerprint, PeerName, Verdict};

/// The kinds of all facts below.
pub const KINDS: &[&str] = &[
    Dialled::KIND,
    Accepted::KIND,
    ProxyReached::KIND,
    Judged::KIND,
    Failed::KIND,
    DeploymentBegan::KIND,
    FingerprintCompared::KIND,
    StoreChanged::KIND,
    KeySwitched::KIND,
    Ordered::KIND,
    Lent::KIND,
    SymmetricKeyProof::KIND,
    ComponentEnrolled::KIND,
    Guessed::KIND,
    TriedOffline::KIND,
];

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

/// Somebody has come to a proxy, in whichever model, and believes to have come to whom it stands before.
#[derive(Clone, Debug, Serialize)]
pub struct ProxyReached {}
fact!(ProxyReached, "proxy.reached");

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
    /// `altered`, `connect`, `handshake`, `refused-by-peer` or `silent`.
    pub cause: &'static str,
}
fact!(Failed, "pinned.failed");

/// A manager begins to deploy a host.
#[derive(Clone, Debug, Serialize)]
pub struct DeploymentBegan {
    /// The host.
    pub agent: PeerName,
}
fact!(DeploymentBegan, "pinned.deployment-began");

/// The key that a host shows at deployment was compared with what the operator expects.
#[derive(Clone, Debug, Serialize)]
pub struct FingerprintCompared {
    /// What the host shows.
    pub shown: Fingerprint,
    /// What it should show; `None` if nobody said.
    pub expected: Option<Fingerprint>,
    /// Whether they are the same, if there was something to compare with.
    pub same: Option<bool>,
}
fact!(FingerprintCompared, "pinned.fingerprint-compared");

/// A store changed.
#[derive(Clone, Debug, Serialize)]
pub struct StoreChanged {
    /// Of whom it tells.
    pub peer: PeerName,
    /// `pending`, `trusted`, `taken-back`, `removed`, `key-added` or `key-dropped`.
    pub change: &'static str,
}
fact!(StoreChanged, "pinned.store-changed");

/// A party shows another key from now on.
#[derive(Clone, Debug, Serialize)]
pub struct KeySwitched {
    /// The new one.
    pub key: Fingerprint,
}
fact!(KeySwitched, "pinned.key-switched");

/// An agent carried out an order, or refused it.
#[derive(Clone, Debug, Serialize)]
pub struct Ordered {
    /// Who ordered.
    pub by: PeerName,
    /// What.
    pub order: &'static str,
    /// Why not, if it refused.
    pub refused: Option<String>,
}
fact!(Ordered, "pinned.ordered");

/// A key is held for a migration, or no longer.
#[derive(Clone, Debug, Serialize)]
pub struct Lent {
    /// Which migration.
    pub migration: String,
    /// Whose key.
    pub peer: PeerName,
    /// `lent`, `taken-back` or `lapsed`.
    pub state: &'static str,
}
fact!(Lent, "pinned.lent");

/// A symmetric key was to be proven.
#[derive(Clone, Debug, Serialize)]
pub struct SymmetricKeyProof {
    /// By or to whom, if that is known.
    pub peer: Option<PeerName>,
    /// Why not.
    pub refused: Option<String>,
}
fact!(SymmetricKeyProof, "pinned.symmetric-key-proof");

/// Another component of a host got a certificate.
#[derive(Clone, Debug, Serialize)]
pub struct ComponentEnrolled {
    /// Which component.
    pub component: String,
    /// Of its key.
    pub key: Fingerprint,
}
fact!(ComponentEnrolled, "pinned.component-enrolled");

/// Somebody reported in an agent's place with a key that was made up.
#[derive(Clone, Debug, Serialize)]
pub struct Guessed {
    /// Which guess, from 1.
    pub number: u64,
    /// Why it was in vain, if it was.
    pub refused: Option<String>,
}
fact!(Guessed, "pinned.guessed");

/// Somebody tried keys on what was overheard of a proof, the right one among them.
#[derive(Clone, Debug, Serialize)]
pub struct TriedOffline {
    /// How many.
    pub keys: u64,
    /// How many fit for an onlooker.
    pub by_onlooker: u64,
    /// How many fit for somebody who also has what the agent drew for its proof.
    pub with_draws: u64,
}
fact!(TriedOffline, "pinned.tried-offline");
