use std::{sync::Arc, time::Duration};

use super::WAYS;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
    line::Line,
};

/// Everything from the DC comes later by a time that is drawn anew for each piece, from the seed
/// of the domain. On a connection nothing overtakes; datagrams may.
#[derive(Debug)]
pub(crate) struct Jitter(Duration);

impl Jitter {
    pub(crate) const USUAL: Self = Self(Duration::from_millis(200));
}

impl ServerFault for Jitter {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "net.jitter",
            "everything from the DC comes later, by a time that varies",
            "the link is shared and full at times, or a radio link",
            "client → DC   request\n\
             …             between nothing and the given time passes\n\
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
        line.jitter += self.0;
    }
}
