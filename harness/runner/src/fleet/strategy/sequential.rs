//! What xapi does: one DC after the other, in the order of the lookup, for as long as Samba waits
//! (xapi-flows.md §6.5).

use super::{Pacing, Plan};

pub(super) fn plan(count: usize) -> Plan {
    Plan { order: (0..count).collect(), pacing: Pacing::ONE_BY_ONE }
}
