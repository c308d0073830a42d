use crate::faults::{FaultInfo, HelloVerdict, ServerFault};

/// A fatal alert, handshake_failure (RFC 5246, section 7.2), for any ClientHello.
#[derive(Debug)]
pub(crate) struct AlertOnHello;

impl ServerFault for AlertOnHello {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.alert-on-hello",
            "the server answers the ClientHello with the fatal alert handshake_failure",
            "server and client have no parameters in common, or a middlebox forbids the connection",
            "",
        )
    }

    fn on_hello(&self) -> Option<HelloVerdict> {
        Some(HelloVerdict::Answer(&[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28]))
    }
}
