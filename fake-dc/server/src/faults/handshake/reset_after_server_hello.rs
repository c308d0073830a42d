use crate::{
    faults::{Afterwards, FaultInfo, Greeting, HelloVerdict, ServerFault},
    tls::flight::Flight,
};

/// The ServerHello, and a reset in place of the certificate.
#[derive(Debug)]
pub(crate) struct ResetAfterServerHello;

impl ServerFault for ResetAfterServerHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.reset-after-server-hello",
            "the server resets the connection after its ServerHello",
            "an inspecting firewall cuts connections whose certificate or version it does not like",
            "client → DC   ClientHello\n\
             DC → client   ServerHello\n\
             DC → client   reset of the connection [no certificate]",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::FirstFlight {
            edit: Flight::keep_server_hello,
            afterwards: Afterwards::Reset,
        })
    }
}
