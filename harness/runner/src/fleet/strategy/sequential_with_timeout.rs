//! As xapi does, but giving each DC no more than so much time. What is slower than that is never
//! found.

use std::time::Duration;

use super::{Pacing, Plan, sequential};

pub(super) fn plan(count: usize, limit: Duration) -> Plan {
    let pacing = Pacing { attempt_limit: Some(limit), ..Pacing::ONE_BY_ONE };
    Plan { pacing, ..sequential::plan(count) }
}
