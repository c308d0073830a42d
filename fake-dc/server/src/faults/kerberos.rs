//! Family `kerberos`: a KDC that is not reached, or that answers what nobody wants to hear.

mod account;
mod clock_skew;
mod garbage;
mod krbtgt_not_replicated;
mod no_supported_etype;
mod refused;
mod service;
mod tcp_blocked;
mod unreachable;

use super::ServerFault;

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    &unreachable::UNREACHABLE,
    &unreachable::STOPPED,
    &unreachable::UDP_BLOCKED,
    &tcp_blocked::TcpBlocked,
    &garbage::Garbage,
    &clock_skew::ClockSkew::USUAL,
    &no_supported_etype::NoSupportedEtype,
    &account::PRINCIPAL_UNKNOWN,
    &account::PREAUTH_FAILED,
    &account::ACCOUNT_REVOKED,
    &account::PASSWORD_EXPIRED,
    &account::MACHINE_PASSWORD_NOT_REPLICATED,
    &service::WRONG_SPN,
    &service::SPN_MISSING,
    &refused::SPN_DUPLICATE,
    &refused::TGS_REFUSED,
    &refused::WRONG_REALM,
    &refused::SERVICE_UNAVAILABLE,
    &krbtgt_not_replicated::KrbtgtNotReplicated,
];
