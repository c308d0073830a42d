//! All DCs at once, or as many as are allowed: the fastest answer, at the price of a connection to
//! every DC.

use std::num::NonZeroUsize;

use super::{Pacing, Plan, sequential};

pub(super) fn plan(count: usize, in_flight_max: Option<NonZeroUsize>) -> Plan {
    let in_flight_max = in_flight_max.unwrap_or(NonZeroUsize::MAX);
    Plan { pacing: Pacing { in_flight_max, ..Pacing::ONE_BY_ONE }, ..sequential::plan(count) }
}
