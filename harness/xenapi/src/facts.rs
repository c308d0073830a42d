//! What the service records in the ledger, on the trail of the coordinator.
//!
//! No field holds a parameter or a session: those are secrets, or may be. Kinds and field names
//! are part of the event format.

use ground::fact;
use serde::Serialize;
use xenapi_client::Encoding;

/// The kinds of all facts below.
pub const KINDS: &[&str] = &[Requested::KIND, Answered::KIND, Garbage::KIND];

/// A client asked for something. What the pool does for it is caused by this.
#[derive(Clone, Debug, Serialize)]
pub struct Requested {
    /// Real name, such as `pool.install_trusted_certificate`; `None` if there is no such method.
    pub method: Option<String>,
    /// How the request was written.
    pub encoding: Encoding,
}
fact!(Requested, "xenapi.request");

/// The client gets its answer. Caused by the request.
#[derive(Clone, Debug, Serialize)]
pub struct Answered {
    /// Error code; `None` is success.
    pub error: Option<String>,
}
fact!(Answered, "xenapi.response");

/// What a client sent is no request.
#[derive(Clone, Debug, Serialize)]
pub struct Garbage {
    /// HTTP status that it was answered with.
    pub status: u16,
}
fact!(Garbage, "xenapi.garbage");
