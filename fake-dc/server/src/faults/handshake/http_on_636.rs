use crate::faults::{FaultInfo, HelloVerdict, ServerFault};

/// The answer of a web server to what it takes for a broken request.
#[derive(Debug)]
pub(crate) struct HttpOn636;

impl ServerFault for HttpOn636 {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.http-on-636",
            "an HTTP server answers on the LDAPS port",
            "a port forwarding or load balancer leads to the wrong service",
            "",
        )
    }

    fn on_hello(&self) -> Option<HelloVerdict> {
        Some(HelloVerdict::Answer(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"))
    }
}
