use std::sync::Arc;

use fake_dc_directory::DcView;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
};

/// Netlogon answers give the name that the DC had before: `dc1-old.corp.example` for
/// `dc1.corp.example`. Its certificate and its DNS records have the new one.
#[derive(Debug)]
pub(crate) struct CldapNameDiffers {
    name: Option<String>,
}

impl CldapNameDiffers {
    pub(crate) const USUAL: Self = Self { name: None };
}

impl ServerFault for CldapNameDiffers {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "name.cldap-name-differs",
            "netlogon answers give another DNS name than DNS and certificate",
            "the DC was renamed and has not been restarted, or two names lead to it",
            "client → DC   netlogon ping\n\
             DC → client   DnsHostName dc1-old.corp.example\n\
             client ⇄ DC   TLS; the certificate is for dc1.corp.example\n\
             client        compares it with dc1-old.corp.example",
        )
        .taking("the name; `-old` behind the DC's own by default")
        .at(Listener::PINGED)
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { name: Some(values::dns_name(value)?) }))
    }

    fn netlogon(&self, dc: &mut DcView) {
        let rest = dc.dns_name.strip_prefix(&dc.name).unwrap_or_default();
        let old = || format!("{}-old{rest}", dc.name);
        dc.netlogon.dns_name = Some(self.name.clone().unwrap_or_else(old));
    }
}
