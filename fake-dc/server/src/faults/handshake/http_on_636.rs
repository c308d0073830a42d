use crate::faults::{FaultInfo, Greeting, HelloVerdict, ServerFault};

/// The answer of a web server to what it takes for a broken request.
#[derive(Debug)]
pub(crate) struct HttpOn636;

impl ServerFault for HttpOn636 {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.http-on-636",
            "an HTTP server answers on the LDAPS port",
            "a port forwarding or load balancer leads to the wrong service",
            "client → DC   ClientHello\n\
             DC → client   HTTP/1.1 400 Bad Request [no record]\n\
             DC → client   end of the connection",
        )
    }

    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        Some(HelloVerdict::Answer(ANSWER.to_vec()))
    }
}

const ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
