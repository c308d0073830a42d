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

/// A client got no answer, or none that can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The connection failed.
    #[error("the server cannot be talked to: {0}")]
    Io(#[from] io::Error),
    /// The answer is too long.
    #[error("the answer has more than {} bytes", crate::client::ANSWER_MAX)]
    Long,
    /// The request was refused before anybody looked at the call.
    #[error("the server answered with HTTP status {status}")]
    Status {
        /// The number.
        status: String,
    },
    /// The answer is no JSON-RPC.
    #[error("the answer is no JSON-RPC")]
    Unreadable,
}

/// A body that holds no request. No variant holds a value of the request: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("a value is no {kind}")]
    Content { kind: &'static str },
    #[error("values are nested more than {max} deep")]
    Depth { max: usize },
    #[error("a document type is not taken")]
    DocumentType,
    #[error("expected {expected}, found {found}")]
    Element { expected: &'static str, found: String },
    #[error("the entity `&{name};` is not known")]
    Entity { name: String },
    #[error("member `{name}` is missing or of the wrong type")]
    Member { name: &'static str },
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("line {line}, column {column}: this is no JSON")]
    Json { line: usize, column: usize },
    #[error("byte {at}: this is no XML")]
    Xml { at: u64 },
}
