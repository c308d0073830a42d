use std::{sync::Arc, time::Duration};

use super::WAYS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    line::Line,
};

/// Everything from the DC comes later by a fixed time, as with `tc qdisc … netem delay` at its
/// interface. The SYN is answered at once: the kernel does that.
#[derive(Debug)]
pub(crate) struct Latency(Duration);

impl Latency {
    pub(crate) const USUAL: Self = Self(Duration::from_millis(200));
}

impl ServerFault for Latency {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.latency",
            "everything from the DC comes later",
            "the DC is on another continent, or behind a satellite link or a VPN",
            "client → DC   request\n\
             …             the given time passes\n\
             DC → client   answer",
        )
        .taking("a duration such as `250ms` or `2s` (without one `200ms`)")
        .at(WAYS)
        .on_route()
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self(values::duration(value)?)))
    }

    fn line(&self, _listener: Listener, line: &mut Line) {
        line.delay += self.0;
    }
}
