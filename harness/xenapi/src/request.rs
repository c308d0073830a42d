//! What a client asks for, whatever it was written in.

use sim_host::ApiError;

use crate::value::Value;

/// A method as the client wrote it, and its parameters.
#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) params: Vec<Value>,
}

/// What the client gets.
pub(crate) type Answer = Result<Value, ApiError>;
