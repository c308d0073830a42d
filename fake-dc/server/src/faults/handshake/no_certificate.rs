use fake_dc_directory::Reply;

use super::starttls_refused::{asks_for_tls, refuse};
use crate::{
    exchange::Asked,
    faults::{FaultInfo, Greeting, HelloVerdict, ServerFault},
};

/// What a Windows DC without a certificate does: it listens on 636 all the same and resets whoever
/// says a hello there, and it refuses StartTLS.
#[derive(Debug)]
pub(crate) struct NoCertificate;

impl ServerFault for NoCertificate {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.no-certificate",
            "the DC has no certificate at all",
            "no CA was ever set up in the domain, or the only certificate was deleted",
            "on 636\n\
             client → DC   ClientHello\n\
             DC → client   reset of the connection [no alert]\n\
             \n\
             on 389\n\
             client → DC   StartTLS\n\
             DC → client   unavailable (52): Error initializing SSL/TLS",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::Reset)
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        asks_for_tls(asked).then(|| refuse(asked))
    }
}
