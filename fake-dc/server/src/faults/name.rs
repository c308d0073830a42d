//! Family `name`, as far as it is the server that gives the name: what netlogon pings say.
//!
//! Samba takes the name that it expects in the certificate from the answer to its ping. Wrong
//! names in certificates are in `fake-dc-pki`.

mod cldap_name_differs;
mod cldap_name_netbios;

use super::ServerFault;

pub(super) const FAULTS: &[&dyn ServerFault] =
    &[&cldap_name_differs::CldapNameDiffers, &cldap_name_netbios::CldapNameNetbios];
