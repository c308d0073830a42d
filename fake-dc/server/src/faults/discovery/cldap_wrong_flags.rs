use std::sync::Arc;

use fake_dc_directory::{DcView, netlogon_flag};

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Netlogon answers lack flags that every DC has.
#[derive(Debug)]
pub(crate) struct CldapWrongFlags {
    missing: u32,
}

impl CldapWrongFlags {
    pub(crate) const USUAL: Self =
        Self { missing: netlogon_flag::LDAP | netlogon_flag::DS | netlogon_flag::KDC };
}

impl ServerFault for CldapWrongFlags {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.cldap-wrong-flags",
            "netlogon answers deny that the DC serves LDAP, a domain or Kerberos",
            "the directory service of the DC is stopped while its Netlogon service still answers",
            "client → DC   netlogon ping\n\
             DC → client   flags without DS_LDAP, DS_DS and DS_KDC\n\
             client        passes the DC over",
        )
        .taking("the flags missing, as `0x38`, which is the default")
        .at(Listener::PINGED)
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        let missing = u32::from_str_radix(value.strip_prefix("0x")?, 16).ok()?;
        Some(Arc::new(Self { missing }))
    }

    fn netlogon(&self, dc: &mut DcView) {
        dc.netlogon.flags_missing |= self.missing;
    }
}
