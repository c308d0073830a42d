use crate::faults::{FaultInfo, Greeting, HelloVerdict, ServerFault};

/// The connection is closed, without an alert, when the ClientHello has come.
#[derive(Debug)]
pub(crate) struct CloseOnHello;

impl ServerFault for CloseOnHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.close-on-hello",
            "the server closes the connection when it has read the ClientHello",
            "a load balancer in front of the DCs has no healthy server left",
            "client → DC   ClientHello\n\
             DC → client   end of the connection [no alert]",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::Answer(Vec::new()))
    }
}
