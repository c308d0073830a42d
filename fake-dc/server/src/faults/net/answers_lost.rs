use std::sync::Arc;

use super::CONNECTIONS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    line::{Line, sooner},
};

/// What the DC sends is lost, from a byte on; what the client sends arrives. The DC's ledger has
/// the requests.
#[derive(Debug)]
pub(crate) struct AnswersLost(u64);

impl AnswersLost {
    pub(crate) const USUAL: Self = Self(0);
}

impl ServerFault for AnswersLost {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.answers-lost",
            "requests reach the DC, and what it sends is lost on the way to the client",
            "packets come back another way, through a firewall that never saw the SYN",
            "client → DC   ClientHello\n\
             DC →          ServerHello, Certificate: lost\n\
             …             sent again, and lost again",
        )
        .taking("a number of bytes that arrive before, such as `100` (without one `0`)")
        .at(CONNECTIONS)
        .on_route()
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self(values::number(value)?)))
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        sooner(&mut line.to_client.lost_after, self.0);
    }
}
