//! Family `discovery`: what DNS and netlogon pings say, or do not say, about the DCs.
//!
//! A fault of a record is seen in the answers of every DNS server of the domain, as the zone is
//! replicated. A fault of a DNS server is seen by those who ask that one.

mod cldap_silent;
mod dns_timeout;
mod nxdomain;
mod servfail;
mod srv_dead_host;
mod srv_empty;

use hickory_proto::op::{Message, ResponseCode};

use super::ServerFault;

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    &srv_empty::SrvEmpty,
    &srv_dead_host::SrvDeadHost,
    &nxdomain::NxDomain,
    &servfail::ServFail,
    &dns_timeout::DnsTimeout,
    &cldap_silent::CldapSilent,
];

/// The response with that code and no records.
fn failed(mut response: Message, code: ResponseCode) -> Message {
    response.metadata.response_code = code;
    response.metadata.authoritative = false;
    response.answers.clear();
    response.authorities.clear();
    response
}
