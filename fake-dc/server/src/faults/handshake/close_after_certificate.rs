use crate::faults::{AfterFlight, FaultInfo, HelloVerdict, ServerFault};

/// The server's first flight, and then a closed connection whatever the client says to it.
#[derive(Debug)]
pub(crate) struct CloseAfterCertificate;

impl ServerFault for CloseAfterCertificate {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.close-after-certificate",
            "the server closes the connection after it has sent its certificate",
            "the server process dies, or fails to use its private key, in the middle of handshakes",
            "",
        )
    }

    fn on_hello(&self) -> Option<HelloVerdict> {
        Some(HelloVerdict::FirstFlight(AfterFlight::Close))
    }
}
