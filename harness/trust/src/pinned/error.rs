//! How things fail.

use std::{error::Error, io, net::SocketAddr, time::Duration};

use fake_dc_pki::PkiError;
use rustls::{AlertDescription, Error as TlsError};

use super::{
    Fingerprint, NoPublicKey, PeerName, Reason, StoreError, Verdict, frames::MESSAGE_LIMIT,
};

/// Every reason: those of [`PinnedError::reason`], an agent's own among them.
pub const REASONS: &[&str] = &[
    // Of the end that dials, about its peer's key; and what it hears of the other's opinion.
    "key-not-pinned",
    "no-certificate",
    "no-public-key",
    "possession-refuted",
    "refused-by-peer",
    "scheme-unsupported",
    // Of the way between the two.
    "cut",
    "handshake-failed",
    "malformed",
    "message-altered",
    "silent",
    "unreachable",
    // Of a manager.
    "deployment-unsettled",
    "name-taken",
    "no-such-key",
    "not-deployed",
    "wrong-fingerprint",
    // Of an agent.
    "deployment-decided",
    "no-key-prepared",
    "not-a-manager",
    "unknown-migration",
    "wrong-password",
    // Of a proof, and of an ordinary TLS client.
    "server-not-trusted",
    "symmetric-key-not-proven",
    // Of what is kept.
    "identity-unusable",
    "store-failed",
    "symmetric-key-unusable",
];

/// The reason of whoever is given the name of another: managers and agents are told apart by their names.
pub(super) const NAME_TAKEN: &str = "name-taken";

/// A certificate and a key that cannot be used together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is no certificate.
    #[error("there is no certificate")]
    NoCertificate,
    /// The certificate is no envelope of a key.
    #[error(transparent)]
    NoPublicKey(#[from] NoPublicKey),
    /// The key is not the certificate's.
    #[error("the certificate holds the key {certificate}, but the private key belongs to {key}")]
    OtherKey {
        /// Key of the certificate.
        certificate: Fingerprint,
        /// Key that the private key belongs to.
        key: Fingerprint,
    },
    /// What should be a private key is none.
    #[error("there is no private key")]
    NoPrivateKey,
    /// The key is of a kind that cannot sign a handshake.
    #[error("the private key cannot be used: {0}")]
    PrivateKey(rustls::Error),
}

/// No connection came about, or what was to be done over it was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinnedError {
    /// The peer could not be reached.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Where it was looked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The two do not get as far as keys.
    #[error("the handshake failed: {0}")]
    Handshake(io::Error),
    /// This end refuses the peer.
    #[error("{0}")]
    Refused(Box<Verdict>),
    /// The peer refuses this end, or its own reading of the handshake.
    #[error("the peer ended the handshake with the alert {alert:?}")]
    RefusedByPeer {
        /// What it said.
        alert: AlertDescription,
    },
    /// The peer does not answer.
    #[error("the peer said nothing for {limit:?}")]
    Silent {
        /// How long it was waited for.
        limit: Duration,
    },
    /// A sealed message, or a record of TLS, was altered, repeated, left out or made up.
    #[error("a sealed message does not open: it was altered, or is not the one that comes next")]
    Altered,
    /// The peer left in the middle of a conversation.
    #[error("the peer ended the conversation")]
    Cut,
    /// A certificate or key that a party keeps cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The channel is broken.
    #[error("the channel is broken: {0}")]
    Io(io::Error),
    /// The other end has not shown that it knows the symmetric key of the deployment.
    #[error("the other end does not know the symmetric key that was made at deployment")]
    KeyNotProven,
    /// A message is too long.
    #[error("a message has {length} bytes; at most {MESSAGE_LIMIT} are allowed")]
    LongMessage {
        /// Bytes that were announced.
        length: u32,
    },
    /// A message is not one of this conversation.
    #[error("the peer sent what is no message of this conversation")]
    Malformed,
    /// A party has the name of another.
    #[error("`{name}` is the name of the manager itself: call the host something else")]
    NameTaken {
        /// The name.
        name: PeerName,
    },
    /// A key is to be shown or withdrawn that the manager does not have.
    #[error("the manager has no {which} key: prepare one first, or switch first")]
    NoKey {
        /// Which: `prepared` or `former`.
        which: &'static str,
    },
    /// The manager has no such agent.
    #[error("no host `{agent}` is deployed")]
    NotDeployed {
        /// Whom it was to reach.
        agent: PeerName,
    },
    /// The peer says no.
    #[error("{peer} refuses: {words}")]
    OrderRefused {
        /// Who.
        peer: PeerName,
        /// Its reason.
        reason: String,
        /// In its words.
        words: String,
    },
    /// What OPAQUE needs does not fit together.
    #[error("the symmetric key cannot be used: {0}")]
    Pake(String),
    /// A certificate could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// A server of ordinary HTTPS is not who it should be.
    #[error("the server {name} is not trusted: {words}")]
    ServerNotTrusted {
        /// Whom the certificate was to name.
        name: String,
        /// What is wrong with it.
        words: String,
    },
    /// A store could not be read or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A host is to be deployed whose former deployment is neither carried out nor taken back.
    #[error(
        "the former deployment of `{agent}` cannot be settled: {source}; start that host again, or remove `{agent}` to \
         give it up"
    )]
    Unsettled {
        /// The host.
        agent: PeerName,
        /// Why its host could not be asked.
        source: Box<PinnedError>,
    },
    /// The host to deploy is not the one that the operator means.
    #[error(
        "the host shows the key {shown}, but the operator expects {expected}; nothing was stored"
    )]
    WrongFingerprint {
        /// Of the key that it shows.
        shown: Fingerprint,
        /// What the operator gave.
        expected: Fingerprint,
    },
}

/// A channel breaks for a reason: what rustls says of it is looked for.
impl From<io::Error> for PinnedError {
    fn from(error: io::Error) -> Self {
        if was_altered(&error) { Self::Altered } else { Self::Io(error) }
    }
}

/// Whether a record of TLS did not open, here or at the other end.
fn was_altered(error: &io::Error) -> bool {
    let mut cause = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<TlsError>() {
            return matches!(
                error,
                TlsError::DecryptError | TlsError::AlertReceived(AlertDescription::BadRecordMac)
            );
        }
        // The source of such an error is that of what it holds.
        cause = match inner.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(held) => Some(held),
            None => inner.source(),
        };
    }
    false
}

impl PinnedError {
    /// A handshake that failed before anybody was judged.
    pub(super) fn of_handshake(error: io::Error) -> Self {
        if was_altered(&error) { Self::Altered } else { Self::Handshake(error) }
    }

    /// The rule that was broken, as scenarios and comparisons name it.
    pub fn reason(&self) -> &str {
        match self {
            Self::Altered => "message-altered",
            Self::Connect { .. } => "unreachable",
            Self::Cut | Self::Io(_) => "cut",
            Self::Handshake(_) => "handshake-failed",
            Self::Identity(_) | Self::Pki(_) => "identity-unusable",
            Self::KeyNotProven => "symmetric-key-not-proven",
            Self::LongMessage { .. } | Self::Malformed => "malformed",
            Self::NameTaken { .. } => NAME_TAKEN,
            Self::NoKey { .. } => "no-such-key",
            Self::NotDeployed { .. } => "not-deployed",
            Self::OrderRefused { reason, .. } => reason,
            Self::Pake(_) => "symmetric-key-unusable",
            Self::Refused(verdict) => verdict.reason().map_or("trusted", Reason::id),
            Self::RefusedByPeer { .. } => "refused-by-peer",
            Self::ServerNotTrusted { .. } => "server-not-trusted",
            Self::Silent { .. } => "silent",
            Self::Store(_) => "store-failed",
            Self::Unsettled { .. } => "deployment-unsettled",
            Self::WrongFingerprint { .. } => "wrong-fingerprint",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{NAME_TAKEN, REASONS};

    /// By the text of the modules that name reasons.
    #[test]
    fn the_list_of_reasons_is_whole() {
        let functions = [
            (include_str!("error.rs"), "pub fn reason("),
            (include_str!("verdict.rs"), "pub fn id("),
        ];
        let arms = functions.into_iter().flat_map(|(module, function)| {
            let body = module.split_once(function).unwrap().1;
            body.split("\n    }\n").next().unwrap().split("=> \"").skip(1)
        });
        let agent = [include_str!("agent/deployed.rs"), include_str!("agent/orders.rs")];
        let answers = agent.into_iter().flat_map(|module| {
            let answers = module.split("reason: ").chain(module.split("Answer::refused("));
            answers.filter_map(|rest| rest.trim_start().strip_prefix('"'))
        });
        let named = arms.chain(answers).filter_map(|rest| rest.split('"').next());
        let named: BTreeSet<&str> = named.chain([NAME_TAKEN]).collect();
        let listed: BTreeSet<&str> = REASONS.iter().copied().collect();
        assert_eq!(listed.len(), REASONS.len(), "a reason is there twice");
        assert_eq!(listed, named);
    }
}
