use std::{sync::Arc, time::Duration};

use crate::{
    exchange::{Asked, Output},
    faults::{FaultInfo, ServerFault, values},
};

/// A search of the directory is answered late.
#[derive(Debug)]
pub(crate) struct SlowSearch {
    delay: Duration,
}

impl SlowSearch {
    /// Longer than the 15 seconds that Samba waits.
    pub(crate) const USUAL: Self = Self { delay: Duration::from_secs(20) };
}

impl ServerFault for SlowSearch {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.slow-search",
            "searches are answered after 20 seconds",
            "the DC is overloaded, or the filter names an attribute without an index",
            "client → DC   search below DC=…\n\
             DC            works for 20 s\n\
             DC → client   entries, 0 success",
        )
        .taking("a duration such as `250ms`, `2s` or `5m`; `20s` by default")
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { delay: values::duration(value)? }))
    }

    fn on_output(&self, asked: &Asked<'_>, output: &mut Output) {
        if asked.search().is_some() {
            output.delay += self.delay;
        }
    }
}
