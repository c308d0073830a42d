//! What telemetry reads of a pool (xapi-flows.md §1.3, the design's telemetry fields).
//!
//! Two questions to every host's record, and nothing else: it is a look, and keeps nothing.

use crate::{HostRecord, Records};

/// How many hosts of a pool use AD, and how many of them LDAPS. In a sound pool each number is none
/// or all; what is between tells of a pool that a failed call has split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Telemetry {
    /// Hosts of the pool.
    pub hosts: usize,
    /// Hosts whose `external_auth_type` is `AD`.
    pub ad_enabled: usize,
    /// Hosts whose key `ldaps` reads as true.
    pub ldaps_enabled: usize,
}

impl Telemetry {
    /// Looks at the hosts of a pool.
    ///
    /// ```
    /// # fn look(pool: &sim_host::Pool) {
    /// use sim_host::Telemetry;
    ///
    /// let seen = Telemetry::of(&pool.database_view());
    /// let is_split = ![0, seen.hosts].contains(&seen.ldaps_enabled);
    /// # }
    /// ```
    pub fn of(records: &Records) -> Self {
        let count =
            |question: fn(&&HostRecord) -> bool| records.hosts.iter().filter(question).count();
        Self {
            hosts: records.hosts.len(),
            ad_enabled: count(|host| host.external_auth_type == "AD"),
            ldaps_enabled: count(|host| host.ldaps()),
        }
    }
}
