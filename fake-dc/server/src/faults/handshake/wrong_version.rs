use crate::{
    faults::{Afterwards, FaultInfo, Greeting, HelloVerdict, ServerFault},
    tls::{
        ONLY_TLS12, TlsPolicy,
        flight::{Flight, SERVER_HELLO},
        own::TLS10,
    },
};

/// A ServerHello of TLS 1.0, whatever was offered, and on as before. A server of TLS 1.0 may do this:
/// before TLS 1.3 a ClientHello says its newest version and not its oldest.
#[derive(Debug)]
pub(crate) struct WrongVersion;

impl ServerFault for WrongVersion {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.wrong-version",
            "the ServerHello says TLS 1.0, which the client did not offer",
            "an old server, or a middlebox that answers for it, knows nothing newer",
            "client → DC   ClientHello of TLS 1.2 or 1.3\n\
             DC → client   ServerHello [version 0x0301], Certificate, ServerKeyExchange, ServerHelloDone\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.versions = ONLY_TLS12;
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::FirstFlight { edit: say_tls10, afterwards: Afterwards::Listen })
    }
}

fn say_tls10(flight: &mut Flight) {
    flight.version = TLS10;
    if let Some([major, minor, ..]) = flight.message_mut(SERVER_HELLO).map(Vec::as_mut_slice) {
        [*major, *minor] = TLS10.to_be_bytes();
    }
}
