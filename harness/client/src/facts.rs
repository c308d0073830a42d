//! What a client records of the calls that it makes for somebody.
//!
//! Parameters are recorded as far as they may be shown: no password, no session. Kinds and field
//! names are part of the event format.

use ground::fact;
use serde::Serialize;

use crate::joining::Side;

/// The kinds of all facts below.
pub const KINDS: &[&str] = &[ClientCalls::KIND, ClientAnswered::KIND];

/// A client calls. What the server does for it is caused by this.
#[derive(Clone, Debug, Serialize)]
pub struct ClientCalls {
    /// Which end.
    pub at: Side,
    /// Method.
    pub method: String,
    /// Its parameters after the session: `name: value`, joined with `; `.
    pub params: String,
}
fact!(ClientCalls, "client.call");

/// What that came to.
#[derive(Clone, Debug, Serialize)]
pub struct ClientAnswered {
    /// What was returned; `None` if it failed.
    pub returned: Option<String>,
    /// Error code, or why there was no answer.
    pub error: Option<String>,
}
fact!(ClientAnswered, "client.answer");
