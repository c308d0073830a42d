use std::net::Ipv4Addr;

use hickory_proto::rr::{RData, rdata::A};

use crate::{
    dns::Registration,
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// The DC's SRV records name a host that has an address and is not there: `gone-dc1` for `dc1`.
///
/// Its address is the last one of the domain's /24, at which no listener is.
#[derive(Debug)]
pub(crate) struct SrvDeadHost;

impl ServerFault for SrvDeadHost {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.srv-dead-host",
            "the DC's SRV records lead to a host that is gone",
            "a DC was demoted by force, or its machine replaced, and its records were left behind",
            "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
             DNS → client   0 100 389 gone-dc1.corp.example\n\
             client → DNS   gone-dc1.corp.example A\n\
             DNS → client   127.0.0.254\n\
             client → 127.0.0.254   nobody is there",
        )
        .at(&[Listener::Dns])
    }

    fn registers(&self, registration: &mut Registration) {
        let Some(gone) = registration.sibling("gone-") else { return };
        let [a, b, c, _] = registration.address.octets();
        registration.srv_target = Some((gone, RData::A(A(Ipv4Addr::new(a, b, c, 254)))));
    }
}
