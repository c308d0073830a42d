use std::net::Ipv4Addr;

use crate::{
    dns::Registration,
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// The DC's name has other addresses than the DC. Its SRV records are right.
#[derive(Debug)]
pub(crate) struct ARecord {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    addresses: fn(Ipv4Addr) -> Vec<Ipv4Addr>,
}

/// The old address is the one before the last of the domain's /24, at which no listener is.
pub(crate) const STALE: ARecord = ARecord {
    id: "discovery.stale-record",
    summary: "the DC's name has an address that it had before, in front of its own",
    cause: "the DC got another address, or lost a network card, and scavenging of DNS is off",
    drawing: "client → DNS   dc1.corp.example A\n\
              DNS → client   127.0.0.253, 127.0.0.10\n\
              client → 127.0.0.253   nobody is there\n\
              client → 127.0.0.10    the DC, if the client tries the second address",
    addresses: |own| {
        let [a, b, c, _] = own.octets();
        vec![Ipv4Addr::new(a, b, c, 253), own]
    },
};

pub(crate) const MISSING: ARecord = ARecord {
    id: "discovery.a-record-missing",
    summary: "SRV records lead to the DC's name, which has no address",
    cause: "the DC registers its SRV records and not its host name: the network card is set not to",
    drawing: "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
              DNS → client   0 100 389 dc1.corp.example\n\
              client → DNS   dc1.corp.example A\n\
              DNS → client   NXDOMAIN",
    addresses: |_| Vec::new(),
};

impl ServerFault for ARecord {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing).at(&[Listener::Dns])
    }

    fn registers(&self, registration: &mut Registration) {
        registration.addresses = (self.addresses)(registration.address);
    }
}
