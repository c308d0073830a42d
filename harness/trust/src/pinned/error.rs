//! How things fail.

use std::{io, net::SocketAddr, time::Duration};

use fake_dc_pki::PkiError;
use rustls::AlertDescription;

use super::{
    Fingerprint, NoPublicKey, PeerName, Reason, StoreError, Verdict, frames::MESSAGE_LIMIT,
};

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
    /// A sealed message was altered, repeated, left out or made up.
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
    Io(#[from] io::Error),
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

impl PinnedError {
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
            Self::NoKey { .. } => "no-such-key",
            Self::NotDeployed { .. } => "not-deployed",
            Self::OrderRefused { reason, .. } => reason,
            Self::Pake(_) => "symmetric-key-unusable",
            Self::Refused(verdict) => verdict.reason().map_or("trusted", Reason::id),
            Self::RefusedByPeer { .. } => "refused-by-peer",
            Self::ServerNotTrusted { .. } => "server-not-trusted",
            Self::Silent { .. } => "silent",
            Self::Store(_) => "store-failed",
            Self::WrongFingerprint { .. } => "wrong-fingerprint",
        }
    }
}
