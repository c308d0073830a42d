//! What can go wrong with the service itself, as opposed to what a call answers.

use std::{io, net::SocketAddr};

/// The service could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is not to be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The pool has no such host.
    #[error("the pool has no host `{name}`")]
    UnknownHost {
        /// The name.
        name: String,
    },
}
