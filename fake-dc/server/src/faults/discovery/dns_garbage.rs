use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// What this DC's DNS server sends is a header that fits the question, and then no DNS.
#[derive(Debug)]
pub(crate) struct DnsGarbage;

/// Bytes of a header (RFC 1035 §4.1.1).
const HEADER: usize = 12;

impl ServerFault for DnsGarbage {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.dns-garbage",
            "DNS answers are garbage behind their header",
            "a firewall that inspects DNS damages answers that it does not understand",
            "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
             DNS → client   a header that announces records, and ff ff ff … in place of them",
        )
        .at(&[Listener::Dns])
    }

    fn dns_bytes(&self, bytes: &mut Vec<u8>) {
        bytes.iter_mut().skip(HEADER).for_each(|byte| *byte = 0xff);
    }
}
