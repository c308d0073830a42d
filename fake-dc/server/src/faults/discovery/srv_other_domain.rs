use std::sync::Arc;

use fake_dc_directory::DcView;
use hickory_proto::rr::{Name, RData, rdata::A};

use super::cldap_other_domain::other_domain;
use crate::{
    dns::Registration,
    facts::Listener,
    faults::{FaultInfo, ServerFault, values},
};

/// The DC's SRV records name a DC of another domain, `dc1.other.example`. It has the DC's own
/// address, and answers pings as that other domain's DC does: for its own domain.
#[derive(Debug)]
pub(crate) struct SrvOtherDomain {
    domain: Option<String>,
}

impl SrvOtherDomain {
    pub(crate) const USUAL: Self = Self { domain: None };

    fn domain(&self, ours: &str) -> String {
        self.domain.clone().unwrap_or_else(|| other_domain(ours))
    }
}

impl ServerFault for SrvOtherDomain {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.srv-other-domain",
            "the DC's SRV records lead to a DC of another domain",
            "the zone was copied from a test domain, or the DC moved to another domain and its \
             records stayed",
            "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
             DNS → client   0 100 389 dc1.other.example\n\
             client → DC    netlogon ping\n\
             DC → client    domain other.example, DnsHostName dc1.other.example",
        )
        .taking("the name of the other domain; `other` for the first label of ours by default")
        .at(&[
            Listener::Cldap,
            Listener::Dns,
            Listener::Gc,
            Listener::Gcs,
            Listener::Ldap,
            Listener::Ldaps,
        ])
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { domain: Some(values::dns_name(value)?) }))
    }

    fn registers(&self, registration: &mut Registration) {
        let host = registration.host.to_ascii();
        let Some((dc, ours)) = host.trim_end_matches('.').split_once('.') else { return };
        let Ok(mut name) = Name::from_ascii(format!("{dc}.{}", self.domain(ours))) else { return };
        name.set_fqdn(true);
        registration.srv_target = Some((name, RData::A(A(registration.address))));
    }

    fn netlogon(&self, dc: &mut DcView) {
        let ours = dc.dns_name.split_once('.').map_or("", |(_, rest)| rest);
        let other = self.domain(ours);
        dc.netlogon.dns_name = Some(format!("{}.{other}", dc.name));
        dc.netlogon.domain = Some(other);
    }
}
