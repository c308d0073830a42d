//! What a client asks for, whatever it was written in.

use serde::Serialize;

use crate::{ApiError, Value};

/// A method as the client wrote it, and its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Such as `Async.pool.join`.
    pub method: String,
    /// All of them, the session among them.
    pub params: Vec<Value>,
}

/// What the client gets.
pub type Answer = Result<Value, ApiError>;

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// JSON-RPC 1.0 or 2.0.
    JsonRpc,
    /// XML-RPC.
    XmlRpc,
}
