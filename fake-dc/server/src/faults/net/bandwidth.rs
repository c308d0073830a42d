use std::sync::Arc;

use super::CONNECTIONS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    line::{Line, Pace},
};

/// Each direction of each connection passes so many bytes per second.
#[derive(Debug)]
pub(crate) struct Bandwidth(u64);

impl Bandwidth {
    /// A modem line of 64 kbit/s: a handshake with a chain of two takes half a second.
    pub(crate) const USUAL: Self = Self(8_000);
}

impl ServerFault for Bandwidth {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.bandwidth",
            "connections pass a limited number of bytes per second in each direction",
            "the branch office has a thin line, or a shaper gives LDAP the smallest share",
            "DC → client   a few bytes of the certificate\n\
             …             a pause\n\
             DC → client   a few bytes of the certificate\n\
             …             and so on",
        )
        .taking("a number of bytes per second such as `2400` (without one `8000`)")
        .at(CONNECTIONS)
        .on_route()
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self(values::positive(value)?)))
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        let pace = Some(Pace::rate(self.0));
        (line.to_client.pace, line.to_server.pace) = (pace, pace);
    }
}
