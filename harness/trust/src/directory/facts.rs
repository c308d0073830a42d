//! What clients and servers record in the ledger. Kinds and field names are part of the event
//! format.

use ground::fact;
use serde::Serialize;

use super::Judgement;

/// The kinds of all facts below.
pub const KINDS: &[&str] = &[
    Dialled::KIND,
    Accepted::KIND,
    Judged::KIND,
    Asked::KIND,
    Remembered::KIND,
    CertificateWanted::KIND,
    Refused::KIND,
];

/// A client connects to a server.
#[derive(Clone, Debug, Serialize)]
pub struct Dialled {
    /// What it calls the server.
    pub host: String,
    /// Where it looks for it.
    pub address: String,
}
fact!(Dialled, "directory.dialled");

/// A server takes a connection.
#[derive(Clone, Debug, Serialize)]
pub struct Accepted {}
fact!(Accepted, "directory.accepted");

/// A client has judged a server, or a server a client.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// `client` or `server`: who is judged.
    pub whom: &'static str,
    /// Subject of the certificate.
    pub subject: String,
    /// Its SHA-256 fingerprint.
    pub certificate: String,
    /// `new`, `trusted` or `changed`, of a server.
    pub known: Option<&'static str>,
    /// What is wrong with it.
    pub reasons: Vec<String>,
    /// What is wrong with the revocation lists.
    pub notices: Vec<String>,
}
fact!(Judged, "directory.judged");

impl Judged {
    pub(super) fn new(
        whom: &'static str,
        judgement: &Judgement,
        known: Option<&'static str>,
    ) -> Self {
        Self {
            whom,
            subject: judgement.subject.clone(),
            certificate: judgement.certificate.clone(),
            known,
            reasons: judgement.reasons.iter().map(ToString::to_string).collect(),
            notices: judgement.notices.iter().map(ToString::to_string).collect(),
        }
    }
}

/// An application was asked about a server.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// The server.
    pub host: String,
    /// What it answered.
    pub answer: &'static str,
}
fact!(Asked, "directory.asked");

/// A server is trusted from now on.
#[derive(Clone, Debug, Serialize)]
pub struct Remembered {
    /// The server.
    pub host: String,
    /// Fingerprint of its certificate.
    pub certificate: String,
    /// Whether it is in a file, or in this client's memory alone.
    pub in_file: bool,
}
fact!(Remembered, "directory.remembered");

/// A server has asked the client for a certificate.
#[derive(Clone, Debug, Serialize)]
pub struct CertificateWanted {
    /// CAs that it should be of; any, if there is none.
    pub wanted: Vec<String>,
    /// Fingerprint of the one that was shown.
    pub shown: Option<String>,
}
fact!(CertificateWanted, "directory.certificate-wanted");

/// There is no connection.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    /// Id of the reason.
    pub reason: String,
    /// Why, in words.
    pub words: String,
}
fact!(Refused, "directory.refused");
