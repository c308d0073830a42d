use std::{sync::Arc, time::Duration};

use super::CONNECTIONS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    line::{Line, sooner},
};

/// A connection on which nothing has passed for some time is reset.
#[derive(Debug)]
pub(crate) struct IdleReset(Duration);

impl IdleReset {
    /// The idle timeout of F5 BIG-IP's TCP profile, which resets on timeout unless told otherwise.
    pub(crate) const USUAL: Self = Self(Duration::from_secs(300));
}

impl ServerFault for IdleReset {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.idle-reset",
            "connections are reset after some time without a byte",
            "a load balancer or stateful firewall forgets idle connections",
            "client ⇄ DC   bind, search\n\
             …             silence for the given time\n\
             DC → client   RST",
        )
        .taking("a duration such as `250ms` or `2s` (without one `5m`)")
        .at(CONNECTIONS)
        .on_route()
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self(values::duration(value)?)))
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        sooner(&mut line.silence_max, self.0);
    }
}
