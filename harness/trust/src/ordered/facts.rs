//! What a cloud records in the ledger. Kinds and field names are part of the event format. No key
//! and no certificate is in any of them: the set-up message is not logged.

use std::net::SocketAddr;

use ground::{Timestamp, fact};
use serde::Serialize;

/// The kinds of all facts below.
pub const KINDS: &[&str] = &[
    ApiCalled::KIND,
    Cleaned::KIND,
    Connected::KIND,
    ConsoleStarted::KIND,
    Copied::KIND,
    CopyFailed::KIND,
    Diagnosed::KIND,
    Downloaded::KIND,
    DownloadFailed::KIND,
    Fetching::KIND,
    JobEnded::KIND,
    LinkMade::KIND,
    ManagementStarted::KIND,
    Refused::KIND,
    Restarted::KIND,
    Served::KIND,
    SetUp::KIND,
    SetUpRefused::KIND,
    SetUpSent::KIND,
    Uploaded::KIND,
];

/// The management server takes a call.
#[derive(Clone, Debug, Serialize)]
pub struct ApiCalled {
    /// `uploadCustomCertificate`, or whatever was asked for.
    pub command: String,
}
fact!(ApiCalled, "ordered.api-called");

/// An upload changed the keystore.
#[derive(Clone, Debug, Serialize)]
pub struct Uploaded {
    /// Name of the row.
    pub name: String,
    /// Its place in the chain; none for the server certificate.
    pub seq: Option<i32>,
    /// Whether there was a row of that name.
    pub replaced: bool,
}
fact!(Uploaded, "ordered.uploaded");

/// An upload was refused; the keystore is as it was.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// Why, as a name.
    pub reason: &'static str,
    /// Why, in words.
    pub words: String,
}
fact!(Refused, "ordered.refused");

/// What a call has begun has ended, and its result can be asked for.
#[derive(Clone, Debug, Serialize)]
pub struct JobEnded {
    /// Whether it succeeded.
    pub success: bool,
}
fact!(JobEnded, "ordered.job-ended");

/// The management server starts, and reads its configuration.
#[derive(Clone, Debug, Serialize)]
pub struct ManagementStarted {
    /// `extract.url.expiration.interval`, in seconds.
    pub expiration_seconds: u64,
    /// `extract.url.cleanup.interval`, in seconds.
    pub cleanup_seconds: u64,
}
fact!(ManagementStarted, "ordered.management-started");

/// A storage appliance restarts.
#[derive(Clone, Debug, Serialize)]
pub struct Restarted {}
fact!(Restarted, "ordered.restarted");

/// An appliance connects to the management server.
#[derive(Clone, Debug, Serialize)]
pub struct Connected {
    /// Where.
    pub address: SocketAddr,
}
fact!(Connected, "ordered.connected");

/// The management server sends an appliance its set-up message.
#[derive(Clone, Debug, Serialize)]
pub struct SetUpSent {
    /// To whom.
    pub appliance: String,
    /// Certificates in it; none while the built-in ones are in use.
    pub certificates: usize,
}
fact!(SetUpSent, "ordered.set-up-sent");

/// Somebody reports to the management server, and gets nothing.
#[derive(Clone, Debug, Serialize)]
pub struct SetUpRefused {
    /// What it calls itself.
    pub appliance: String,
    /// Why the management server cannot tell what to send; `None` if it has not created that appliance.
    pub why: Option<String>,
}
fact!(SetUpRefused, "ordered.set-up-refused");

/// An appliance has carried out its set-up message and serves.
#[derive(Clone, Debug, Serialize)]
pub struct SetUp {
    /// `current` or `old`.
    pub script: &'static str,
    /// Certificates that it shows from now on.
    pub shows: usize,
    /// Whether it has put a root into its trust store.
    pub root_imported: bool,
}
fact!(SetUp, "ordered.set-up");

/// A console appliance starts.
#[derive(Clone, Debug, Serialize)]
pub struct ConsoleStarted {
    /// `http` or `https`.
    pub protocol: &'static str,
}
fact!(ConsoleStarted, "ordered.console-started");

/// Somebody asks an appliance for a file.
#[derive(Clone, Debug, Serialize)]
pub struct Fetching {
    /// From where, by name.
    pub url: String,
}
fact!(Fetching, "ordered.fetching");

/// An appliance has answered a request.
#[derive(Clone, Debug, Serialize)]
pub struct Served {
    /// The status of HTTP.
    pub status: u16,
}
fact!(Served, "ordered.served");

/// An appliance has copied a template from another.
#[derive(Clone, Debug, Serialize)]
pub struct Copied {
    /// Which.
    pub template: String,
    /// From whom.
    pub source: String,
}
fact!(Copied, "ordered.copied");

/// An appliance could not copy a template.
#[derive(Clone, Debug, Serialize)]
pub struct CopyFailed {
    /// Which.
    pub template: String,
    /// From whom.
    pub source: String,
    /// Why, as a name.
    pub reason: &'static str,
    /// Why, in Java's words.
    pub words: String,
    /// Whom the certificates name that were shown, in this order.
    pub shown: Vec<String>,
}
fact!(CopyFailed, "ordered.copy-failed");

/// A link for downloads is given out.
#[derive(Clone, Debug, Serialize)]
pub struct LinkMade {
    /// The link.
    pub url: String,
    /// Whether it was there already.
    pub existed: bool,
}
fact!(LinkMade, "ordered.link-made");

/// The clean-up has deleted links.
#[derive(Clone, Debug, Serialize)]
pub struct Cleaned {
    /// When it ran.
    pub at: Timestamp,
    /// The links that are gone.
    pub urls: Vec<String>,
}
fact!(Cleaned, "ordered.cleaned");

/// A user has downloaded a file through a link.
#[derive(Clone, Debug, Serialize)]
pub struct Downloaded {
    /// The link.
    pub url: String,
}
fact!(Downloaded, "ordered.downloaded");

/// A user's browser could not download a file.
#[derive(Clone, Debug, Serialize)]
pub struct DownloadFailed {
    /// The link.
    pub url: String,
    /// Why, as a name.
    pub reason: &'static str,
    /// Why, in words.
    pub words: String,
}
fact!(DownloadFailed, "ordered.download-failed");

/// What an operator should conclude.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosed {
    /// The entry of the troubleshooting list, as a name.
    pub diagnosis: &'static str,
    /// What it is about: an appliance, a link, a row.
    pub subject: String,
    /// What was seen.
    pub evidence: String,
    /// What to do.
    pub advice: String,
}
fact!(Diagnosed, "ordered.diagnosed");
