use hickory_proto::rr::{RData, rdata::CNAME};

use crate::{
    dns::Registration,
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// The DC's SRV records name an alias of it, which RFC 2782 forbids: `alias-dc1` for `dc1`.
#[derive(Debug)]
pub(crate) struct SrvCnameTarget;

impl ServerFault for SrvCnameTarget {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.srv-cname-target",
            "the DC's SRV records lead to an alias of its name",
            "somebody made the SRV records by hand, for a name that should outlive the machine",
            "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
             DNS → client   0 100 389 alias-dc1.corp.example\n\
             client → DNS   alias-dc1.corp.example A\n\
             DNS → client   CNAME dc1.corp.example, and its address\n\
             client → DC    whoever takes its name from the record expects alias-dc1.corp.example",
        )
        .at(&[Listener::Dns])
    }

    fn registers(&self, registration: &mut Registration) {
        let Some(alias) = registration.sibling("alias-") else { return };
        let host = registration.host.clone();
        registration.srv_target = Some((alias, RData::CNAME(CNAME(host))));
    }
}
