//! "Happy Eyeballs" over DCs (RFC 8305, section 5): an attempt that has not ended after the Connection
//! Attempt Delay gets company, and one that fails is followed at once.

use std::{num::NonZeroUsize, time::Duration};

use super::{Pacing, Plan, parallel};

pub(super) fn plan(count: usize, delay: Duration, in_flight_max: Option<NonZeroUsize>) -> Plan {
    let Plan { order, pacing } = parallel::plan(count, in_flight_max);
    Plan { order, pacing: Pacing { delay, ..pacing } }
}
