use crate::faults::{Afterwards, FaultInfo, Greeting, HelloVerdict, ServerFault};

/// The server's first flight, and then a closed connection whatever the client says to it.
#[derive(Debug)]
pub(crate) struct CloseAfterCertificate;

impl ServerFault for CloseAfterCertificate {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.close-after-certificate",
            "the server closes the connection after it has sent its certificate",
            "the server process dies, or fails to use its private key, in the middle of handshakes",
            "client → DC   ClientHello\n\
             DC → client   ServerHello, Certificate, ServerKeyExchange, ServerHelloDone\n\
             client → DC   ClientKeyExchange, ChangeCipherSpec, Finished\n\
             DC → client   end of the connection [no alert]",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::FirstFlight { edit: |_| {}, afterwards: Afterwards::Close })
    }
}
