//! How things fail.

use std::{io, net::SocketAddr, time::Duration};

use rustls::AlertDescription;

use super::{Fingerprint, NoPublicKey, Verdict};

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
    /// The key is of a kind that cannot sign a handshake.
    #[error("the private key cannot be used: {0}")]
    PrivateKey(rustls::Error),
}

/// No connection came about.
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
    #[error("the handshake was not over after {limit:?}")]
    Silent {
        /// How long it was waited for.
        limit: Duration,
    },
}
