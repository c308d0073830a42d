use ground::Transport;
use hickory_proto::op::Message;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Over UDP this DC's DNS server answers that the answer does not fit. Over TCP it gives it.
#[derive(Debug)]
pub(crate) struct DnsTruncated;

impl ServerFault for DnsTruncated {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.dns-truncated",
            "every DNS answer over UDP is truncated, and must be asked for over TCP",
            "the domain has so many DCs that their SRV records do not fit into a datagram",
            "client → DNS   over UDP: _ldap._tcp.dc._msdcs.corp.example SRV\n\
             DNS → client   over UDP: truncated, no records\n\
             client → DNS   over TCP: the same question\n\
             DNS → client   over TCP: the records",
        )
        .at(&[Listener::Dns])
    }

    fn dns(&self, response: Message, over: Transport) -> Option<Message> {
        Some(if over == Transport::Udp { response.truncate() } else { response })
    }
}
