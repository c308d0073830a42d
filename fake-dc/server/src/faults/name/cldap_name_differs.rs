use fake_dc_directory::DcView;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Netlogon answers give the name that the DC had before: `dc1-old.corp.example` for
/// `dc1.corp.example`. Its certificate and its DNS records have the new one.
#[derive(Debug)]
pub(crate) struct CldapNameDiffers;

impl ServerFault for CldapNameDiffers {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "name.cldap-name-differs",
            "netlogon answers give another DNS name than DNS and certificate",
            "the DC was renamed and has not been restarted, or two names lead to it",
            "",
        )
        .at(&[Listener::Cldap, Listener::Ldap, Listener::Ldaps])
    }

    fn netlogon(&self, dc: &mut DcView) {
        let rest = dc.dns_name.strip_prefix(&dc.name).unwrap_or_default();
        dc.netlogon.dns_name = Some(format!("{}-old{rest}", dc.name));
    }
}
