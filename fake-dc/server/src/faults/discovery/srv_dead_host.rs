use std::net::Ipv4Addr;

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
            "",
        )
        .at(&[Listener::Dns])
    }

    fn registers(&self, registration: &mut Registration) {
        let [name, ..] = registration.host.iter().collect::<Vec<_>>()[..] else { return };
        let gone = format!("gone-{}", String::from_utf8_lossy(name));
        let Ok(target) = registration.host.base_name().prepend_label(gone.as_str()) else { return };
        let [a, b, c, _] = registration.address.octets();
        registration.srv_target = Some((target, Ipv4Addr::new(a, b, c, 254)));
    }
}
