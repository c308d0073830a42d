use crate::faults::{AfterFlight, FaultInfo, HelloVerdict, ServerFault};

/// The ServerHello and then silence. A path whose MTU
/// black hole swallows the full-sized packets that carry the certificate looks like this.
#[derive(Debug)]
pub(crate) struct StallAfterServerHello;

impl ServerFault for StallAfterServerHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.stall-after-server-hello",
            "the server sends its ServerHello and then nothing, with the connection open",
            "an overloaded server, or a path that drops the large packets with the certificate (MTU)",
            "",
        )
    }

    fn on_hello(&self) -> Option<HelloVerdict> {
        Some(HelloVerdict::FirstFlight(AfterFlight::StallAfterServerHello))
    }
}
