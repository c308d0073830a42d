use std::sync::Arc;

use fake_dc_directory::DcView;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
};

/// Netlogon answers are those of a DC of another domain. DNS is right.
#[derive(Debug)]
pub(crate) struct CldapOtherDomain {
    domain: Option<String>,
}

impl CldapOtherDomain {
    pub(crate) const USUAL: Self = Self { domain: None };
}

impl ServerFault for CldapOtherDomain {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.cldap-other-domain",
            "netlogon answers are those of another domain",
            "the address was given to a DC of another domain, or a lab is cloned with addresses \
             kept",
            "client → DC   netlogon ping\n\
             DC → client   domain and forest other.example, DnsHostName dc1.other.example\n\
             client        goes on with realm OTHER.EXAMPLE and base dc=OTHER,dc=EXAMPLE",
        )
        .taking("the name of the other domain; `other` for the first label of ours by default")
        .at(Listener::PINGED)
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { domain: Some(values::dns_name(value)?) }))
    }

    fn netlogon(&self, dc: &mut DcView) {
        let ours = dc.dns_name.split_once('.').map_or("", |(_, rest)| rest);
        let other = self.domain.clone().unwrap_or_else(|| other_domain(ours));
        dc.netlogon.dns_name = Some(format!("{}.{other}", dc.name));
        dc.netlogon.domain = Some(other);
    }
}

/// The neighbour of a domain: `other.example` for `corp.example`.
pub(super) fn other_domain(ours: &str) -> String {
    let rest = ours.split_once('.').map_or(ours, |(_, rest)| rest);
    format!("other.{rest}")
}
