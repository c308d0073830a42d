use crate::{
    faults::{Afterwards, FaultInfo, Greeting, HelloVerdict, ServerFault},
    tls::{
        ONLY_TLS12, TlsPolicy,
        flight::{Flight, SERVER_HELLO},
    },
};

/// A ServerHello with a suite that no client offers: TLS_RSA_WITH_NULL_MD5.
#[derive(Debug)]
pub(crate) struct UnofferedCipher;

impl ServerFault for UnofferedCipher {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.unoffered-cipher",
            "the ServerHello names a cipher suite that the client did not offer",
            "a server that does not look at the list of the client, such as a TLS library of an appliance",
            "client → DC   ClientHello\n\
             DC → client   ServerHello [TLS_RSA_WITH_NULL_MD5], Certificate, ServerKeyExchange, …\n\
             client → DC   alert, or end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        policy.versions = ONLY_TLS12;
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::FirstFlight { edit: take_null, afterwards: Afterwards::Listen })
    }
}

fn take_null(flight: &mut Flight) {
    let Some(hello) = flight.message_mut(SERVER_HELLO) else { return };
    // Behind version and random lies the session id, and behind that the suite.
    let suite = 35 + hello.get(34).copied().map_or(0, usize::from);
    if let Some(number) = hello.get_mut(suite..suite + 2) {
        number.copy_from_slice(&[0, 1]);
    }
}
