use fake_dc_directory::DcView;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Netlogon answers give the DC's NetBIOS name, `DC1`, where its DNS name should be.
#[derive(Debug)]
pub(crate) struct CldapNameNetbios;

impl ServerFault for CldapNameNetbios {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "name.cldap-name-netbios",
            "netlogon answers give the NetBIOS name instead of the DNS name",
            "the primary DNS suffix of the DC is not set",
            "",
        )
        .at(&[Listener::Cldap, Listener::Ldap, Listener::Ldaps])
    }

    fn netlogon(&self, dc: &mut DcView) {
        dc.netlogon.dns_name = Some(dc.name.to_uppercase());
    }
}
