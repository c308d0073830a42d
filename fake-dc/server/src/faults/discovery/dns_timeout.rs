use ground::Transport;
use hickory_proto::op::Message;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// This DC's DNS server takes questions and answers none.
#[derive(Debug)]
pub(crate) struct DnsTimeout;

impl ServerFault for DnsTimeout {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.dns-timeout",
            "the DC's DNS server answers nothing",
            "a name server that is gone is still in the client's configuration",
            "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
             client         waits, asks again, and then the next server",
        )
        .at(&[Listener::Dns])
    }

    fn dns(&self, _response: Message, _over: Transport) -> Option<Message> {
        None
    }
}
