use std::sync::Arc;

use super::CONNECTIONS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    line::{Line, sooner},
};

/// The connection is reset when so many bytes have reached the client.
#[derive(Debug)]
pub(crate) struct ResetAtByte(u64);

impl ResetAtByte {
    /// In the middle of the certificates.
    pub(crate) const USUAL: Self = Self(1_000);
}

impl ServerFault for ResetAtByte {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.reset-at-byte",
            "connections are reset when a number of bytes has reached the client",
            "an intrusion prevention system dislikes what it sees, or a middlebox fails over",
            "client → DC   ClientHello\n\
             DC → client   the given number of bytes\n\
             DC → client   RST",
        )
        .taking("a number of bytes such as `5` (without one `1000`)")
        .at(CONNECTIONS)
        .on_route()
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self(values::number(value)?)))
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        sooner(&mut line.reset_after, self.0);
    }
}
