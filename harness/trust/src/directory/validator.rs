//! The application's word about a server.

use rustls::pki_types::CertificateDer;

use super::{Judgement, Known, pem};

/// What an application is asked.
#[derive(Debug)]
#[non_exhaustive]
pub struct Question<'a> {
    /// The server, as the application has called it.
    pub host: &'a str,
    /// What it shows as its own.
    pub certificate: &'a CertificateDer<'a>,
    /// Whether it is in the list of trusted servers.
    pub known: &'a Known,
    /// What the validation has concluded.
    pub judgement: &'a Judgement,
}

impl Question<'_> {
    /// The certificate as PEM, for people who want to see it.
    pub fn certificate_pem(&self) -> String {
        pem::encode("CERTIFICATE", self.certificate)
    }
}

/// What an application answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// For this connection.
    AcceptOnce,
    /// From now on: it is written to the list of trusted servers, once the server has proved that
    /// the key is its own.
    AcceptPermanently,
    /// There is no connection.
    Reject,
}

impl Answer {
    /// Its name in events.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AcceptOnce => "accept-once",
            Self::AcceptPermanently => "accept-permanently",
            Self::Reject => "reject",
        }
    }
}

/// Decides about servers. A closure is one.
///
/// It is called in the middle of the handshake, on a thread of its own, and both the server and the
/// thread that drives the connection wait: whoever asks a person has as long as the server is
/// patient, and no longer than what is left of [`HANDSHAKE_LIMIT`](super::HANDSHAKE_LIMIT), or of
/// what [`Client::within`](super::Client::within) has set. After that there is no connection
/// ([`ConnectError::Silent`](super::ConnectError::Silent)), and the answer is not heard. The server
/// sees a rejection as the alert `access_denied`, and never gets to see the client's certificate.
pub trait Validator: Send + Sync {
    /// The answer.
    fn decide(&self, question: &Question<'_>) -> Answer;
}

impl<F: Fn(&Question<'_>) -> Answer + Send + Sync> Validator for F {
    fn decide(&self, question: &Question<'_>) -> Answer {
        self(question)
    }
}
