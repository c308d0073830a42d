use crate::faults::{FaultInfo, Greeting, HelloVerdict, ServerFault};

/// Bytes that are neither TLS, nor LDAP, nor HTTP.
#[derive(Debug)]
pub(crate) struct Garbage;

impl ServerFault for Garbage {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.garbage",
            "the server answers the ClientHello with bytes that are no TLS",
            "another program listens on the port, or a proxy speaks another protocol",
            "client → DC   ClientHello\n\
             DC → client   de ad be ef 00 01 02 03 [no record]\n\
             DC → client   end of the connection",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::Answer(vec![0xde, 0xad, 0xbe, 0xef, 0x00, 0x01, 0x02, 0x03]))
    }
}
