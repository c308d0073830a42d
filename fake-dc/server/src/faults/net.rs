//! Family `net`: what happens to packets on the way to the DC, seen from every client alike, or,
//! on a route, from one.
//!
//! DNS is another service on the way to another port, and these faults leave it alone, so that a
//! client's name server may be the same DC; add `discovery.dns-timeout` for a machine that is gone
//! altogether.

mod black_hole;
mod only_389_filtered;
mod only_636_filtered;
mod refuse;

use super::ServerFault;
use crate::facts::Listener;

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    &refuse::Refuse,
    &black_hole::BlackHole,
    &only_636_filtered::Only636Filtered,
    &only_389_filtered::Only389Filtered,
];

/// All but DNS.
const WAYS: &[Listener] = &[Listener::Cldap, Listener::Kdc, Listener::Ldap, Listener::Ldaps];
