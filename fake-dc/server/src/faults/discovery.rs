//! Family `discovery`: what DNS and netlogon pings say, or do not say, about the DCs.
//!
//! A fault of a record is seen in the answers of every DNS server of the domain, as the zone is
//! replicated. A fault of a DNS server is seen by those who ask that one.

mod a_record;
mod cldap_answer;
mod cldap_garbage;
mod cldap_other_domain;
mod cldap_silent;
mod cldap_wrong_flags;
mod dns_answer;
mod dns_garbage;
mod dns_timeout;
mod dns_truncated;
mod dns_wrong_id;
mod read_only_dc;
mod round_robin;
mod site;
mod srv_cname_target;
mod srv_dead_host;
mod srv_empty;
mod srv_other_domain;
mod srv_weights;
mod srv_wrong_port;

use super::ServerFault;

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    // Records.
    &srv_empty::SrvEmpty,
    &srv_dead_host::SrvDeadHost,
    &srv_other_domain::SrvOtherDomain::USUAL,
    &srv_weights::SrvWeights::USUAL,
    &srv_wrong_port::SrvWrongPort::USUAL,
    &srv_cname_target::SrvCnameTarget,
    &a_record::STALE,
    &a_record::MISSING,
    &round_robin::RoundRobin,
    // DNS servers.
    &dns_answer::NXDOMAIN,
    &dns_answer::SERVFAIL,
    &dns_answer::REFUSED,
    &dns_timeout::DnsTimeout,
    &dns_truncated::DnsTruncated,
    &dns_garbage::DnsGarbage,
    &dns_wrong_id::DnsWrongId,
    // Netlogon pings.
    &cldap_silent::CldapSilent,
    &cldap_other_domain::CldapOtherDomain::USUAL,
    &cldap_answer::PAUSED,
    &cldap_answer::NT4_EMULATION,
    &cldap_answer::WITHHELD,
    &cldap_garbage::VALUE,
    &cldap_garbage::TRUNCATED,
    &cldap_wrong_flags::CldapWrongFlags::USUAL,
    &read_only_dc::ReadOnlyDc,
    &site::NONE,
    &site::OTHER,
];
