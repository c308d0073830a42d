//! Family `net`: what happens to packets on the way to the DC, seen from every client alike, or,
//! on a route, from one.
//!
//! DNS is another service on the way to another port, and these faults leave it alone, so that a
//! client's name server may be the same DC; add `discovery.dns-timeout` for a machine that is gone
//! altogether.

mod answers_lost;
mod bandwidth;
mod black_hole;
mod connection_limit;
mod half_open;
mod idle_reset;
mod jitter;
mod latency;
mod mtu_black_hole;
mod only_389_filtered;
mod only_636_filtered;
mod refuse;
mod requests_lost;
mod reset_at_byte;
mod tcp_blocked;
mod udp_blocked;

use super::ServerFault;
use crate::facts::Listener;

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    &refuse::Refuse,
    &black_hole::BlackHole,
    &only_636_filtered::Only636Filtered,
    &only_389_filtered::Only389Filtered,
    &udp_blocked::UdpBlocked,
    &tcp_blocked::TcpBlocked,
    &connection_limit::ConnectionLimit::USUAL,
    &latency::Latency::USUAL,
    &jitter::Jitter::USUAL,
    &bandwidth::Bandwidth::USUAL,
    &reset_at_byte::ResetAtByte::USUAL,
    &half_open::HalfOpen,
    &requests_lost::RequestsLost::USUAL,
    &answers_lost::AnswersLost::USUAL,
    &mtu_black_hole::MtuBlackHole::USUAL,
    &idle_reset::IdleReset::USUAL,
];

/// All but DNS.
const WAYS: &[Listener] = &[
    Listener::Cldap,
    Listener::Gc,
    Listener::Gcs,
    Listener::Kdc,
    Listener::Kpasswd,
    Listener::Ldap,
    Listener::Ldaps,
    Listener::Rpc,
];

/// Those that are reached by TCP.
const CONNECTIONS: &[Listener] = &[
    Listener::Gc,
    Listener::Gcs,
    Listener::Kdc,
    Listener::Kpasswd,
    Listener::Ldap,
    Listener::Ldaps,
    Listener::Rpc,
];
