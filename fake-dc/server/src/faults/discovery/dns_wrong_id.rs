use ground::Transport;
use hickory_proto::op::Message;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Answers carry another number than the question, and clients take them for forged ones.
#[derive(Debug)]
pub(crate) struct DnsWrongId;

impl ServerFault for DnsWrongId {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.dns-wrong-id",
            "DNS answers carry another number than the question",
            "a home-grown forwarder or a firewall's DNS proxy mixes up who asked what",
            "client → DNS   question 4711\n\
             DNS → client   answer 4712\n\
             client         passes it over and waits",
        )
        .at(&[Listener::Dns])
    }

    fn dns(&self, mut response: Message, _over: Transport) -> Option<Message> {
        response.metadata.id = response.metadata.id.wrapping_add(1);
        Some(response)
    }
}
