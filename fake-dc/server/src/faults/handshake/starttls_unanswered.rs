use fake_dc_directory::{Reply, Then};

use super::starttls_refused::asks_for_tls;
use crate::{
    exchange::Asked,
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// A StartTLS request without an answer; other requests have theirs.
#[derive(Debug)]
pub(crate) struct StartTlsUnanswered;

impl ServerFault for StartTlsUnanswered {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.starttls-unanswered",
            "StartTLS is never answered",
            "a middlebox swallows the extended requests that it does not know",
            "client → DC   StartTLS\n\
             DC → client   [nothing; other requests are answered]",
        )
        .at(Listener::STARTTLS)
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        asks_for_tls(asked).then(|| Reply { messages: Vec::new(), then: Then::Continue })
    }
}
