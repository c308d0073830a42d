use crate::faults::{FaultInfo, Greeting, HelloVerdict, ServerFault};

/// The connection is reset (RST) when the ClientHello has come.
#[derive(Debug)]
pub(crate) struct ResetOnHello;

impl ServerFault for ResetOnHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.reset-on-hello",
            "the server resets the connection when it has read the ClientHello",
            "an inspecting firewall forbids TLS on the port, or Schannel fails and drops the connection",
            "client → DC   ClientHello\n\
             DC → client   reset of the connection [no alert]",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::Reset)
    }
}
