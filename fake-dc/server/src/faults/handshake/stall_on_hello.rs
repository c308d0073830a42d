use crate::faults::{FaultInfo, Greeting, HelloVerdict, ServerFault};

/// The port accepts and says nothing, whatever comes. The real `net ads search` was still waiting
/// after ten minutes (`real-client-wire.md`, "What silence costs the real client").
#[derive(Debug)]
pub(crate) struct StallOnHello;

impl ServerFault for StallOnHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.stall-on-hello",
            "the port accepts connections and never says a word of TLS",
            "the process behind the port hangs while the kernel still accepts, or a TCP proxy has lost its server",
            "client → DC   ClientHello\n\
             DC → client   [nothing; the connection stays open]",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::Silence)
    }
}
