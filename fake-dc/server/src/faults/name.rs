//! Family `name`, as far as it is the server that gives the name: what netlogon pings say.
//!
//! Samba takes the name that it expects in the certificate from the answer to its ping. Wrong
//! names in certificates are in `fake-dc-pki`.

mod cldap_name;
mod cldap_name_differs;

use super::ServerFault;

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    &cldap_name_differs::CldapNameDiffers::USUAL,
    &cldap_name::NETBIOS,
    &cldap_name::EMPTY,
    &cldap_name::IP,
    &cldap_name::DOMAIN,
    &cldap_name::CAPITALS,
];
