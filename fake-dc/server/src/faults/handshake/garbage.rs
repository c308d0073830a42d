use crate::faults::{FaultInfo, HelloVerdict, ServerFault};

/// Bytes that are neither TLS, nor LDAP, nor HTTP.
#[derive(Debug)]
pub(crate) struct Garbage;

impl ServerFault for Garbage {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.garbage",
            "the server answers the ClientHello with bytes that are no TLS",
            "another program listens on the port, or a proxy speaks another protocol",
            "",
        )
    }

    fn on_hello(&self) -> Option<HelloVerdict> {
        Some(HelloVerdict::Answer(&[0xde, 0xad, 0xbe, 0xef, 0x00, 0x01, 0x02, 0x03]))
    }
}
