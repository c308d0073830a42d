use std::sync::Arc;

use super::CONNECTIONS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    line::{Line, sooner},
};

/// What the client sends is lost, from a byte on, and the end of its stream as well.
#[derive(Debug)]
pub(crate) struct RequestsLost(u64);

impl RequestsLost {
    pub(crate) const USUAL: Self = Self(0);
}

impl ServerFault for RequestsLost {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.requests-lost",
            "connections are taken, and what the client sends never arrives",
            "a firewall inspects the first bytes and drops what it takes for another protocol",
            "client → DC   SYN\n\
             DC → client   SYN, ACK\n\
             client →      ClientHello: lost\n\
             …             sent again, and lost again; at last the DC closes",
        )
        .taking("a number of bytes that arrive before, such as `100` (without one `0`)")
        .at(CONNECTIONS)
        .on_route()
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self(values::number(value)?)))
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        sooner(&mut line.to_server.lost_after, self.0);
    }
}
