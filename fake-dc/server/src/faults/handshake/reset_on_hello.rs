use crate::faults::{FaultInfo, HelloVerdict, ServerFault};

/// The connection is reset (RST) when the ClientHello has come.
#[derive(Debug)]
pub(crate) struct ResetOnHello;

impl ServerFault for ResetOnHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.reset-on-hello",
            "the server resets the connection when it has read the ClientHello",
            "the DC has no certificate: Schannel then resets connections to port 636",
            "",
        )
    }

    fn on_hello(&self) -> Option<HelloVerdict> {
        Some(HelloVerdict::Reset)
    }
}
