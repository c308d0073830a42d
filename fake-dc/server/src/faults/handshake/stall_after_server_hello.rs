use crate::{
    faults::{Afterwards, FaultInfo, Greeting, HelloVerdict, ServerFault},
    tls::flight::Flight,
};

/// The ServerHello and then silence. A path whose MTU black hole swallows the full-sized packets that
/// carry the certificate looks like this.
#[derive(Debug)]
pub(crate) struct StallAfterServerHello;

impl ServerFault for StallAfterServerHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.stall-after-server-hello",
            "the server sends its ServerHello and then nothing, with the connection open",
            "an overloaded server, or a path that drops the large packets with the certificate (MTU)",
            "client → DC   ClientHello\n\
             DC → client   ServerHello\n\
             DC → client   [nothing more; the connection stays open]",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::FirstFlight {
            edit: Flight::keep_server_hello,
            afterwards: Afterwards::Listen,
        })
    }
}
