use ground::Transport;
use hickory_proto::op::{Message, ResponseCode};

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// This DC's DNS server answers every question with one code and no records.
#[derive(Debug)]
pub(crate) struct DnsAnswer {
    id: &'static str,
    summary: &'static str,
    cause: &'static str,
    drawing: &'static str,
    code: ResponseCode,
}

pub(crate) const NXDOMAIN: DnsAnswer = DnsAnswer {
    id: "discovery.nxdomain",
    summary: "the DC's DNS server answers every question with NXDOMAIN",
    cause: "the name server does not know the domain's zone and does not forward to one that does",
    drawing: "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
              DNS → client   NXDOMAIN; a client does not ask the next server",
    code: ResponseCode::NXDomain,
};

pub(crate) const SERVFAIL: DnsAnswer = DnsAnswer {
    id: "discovery.servfail",
    summary: "the DC's DNS server answers every question with SERVFAIL",
    cause: "the DNS service has not loaded its zones yet, or its forwarder is unreachable",
    drawing: "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
              DNS → client   SERVFAIL; Samba gives up, the C library asks the next server",
    code: ResponseCode::ServFail,
};

pub(crate) const REFUSED: DnsAnswer = DnsAnswer {
    id: "discovery.dns-refused",
    summary: "the DC's DNS server answers every question with REFUSED",
    cause: "the server takes questions from its own networks alone, and the hosts are in another",
    drawing: "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
              DNS → client   REFUSED; Samba gives up, the C library asks the next server",
    code: ResponseCode::Refused,
};

impl ServerFault for DnsAnswer {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(self.id, self.summary, self.cause, self.drawing).at(&[Listener::Dns])
    }

    fn dns(&self, mut response: Message, _over: Transport) -> Option<Message> {
        response.metadata.response_code = self.code;
        response.metadata.authoritative = false;
        response.answers.clear();
        response.authorities.clear();
        Some(response)
    }
}
