use std::sync::Arc;

use super::CONNECTIONS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
};

/// A listener takes so many connections at a time and resets the next.
#[derive(Debug)]
pub(crate) struct ConnectionLimit(u64);

impl ConnectionLimit {
    /// Others have used them up.
    pub(crate) const USUAL: Self = Self(0);
}

impl ServerFault for ConnectionLimit {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.connection-limit",
            "connections beyond a number of them are reset as soon as the client speaks",
            "a program that never closes its connections uses up what a load balancer allows",
            "client → DC   SYN\n\
             DC → client   SYN, ACK\n\
             client → DC   its first bytes\n\
             DC → client   RST",
        )
        .taking("the number of connections that may be open, such as `2` (without one `0`)")
        .at(CONNECTIONS)
        .on_route()
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self(values::number(value)?)))
    }

    fn connections_max(&self, _listener: Listener) -> Option<u64> {
        Some(self.0)
    }
}
