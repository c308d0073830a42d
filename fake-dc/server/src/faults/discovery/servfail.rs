use hickory_proto::op::{Message, ResponseCode};

use super::failed;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// This DC's DNS server answers every question with SERVFAIL.
#[derive(Debug)]
pub(crate) struct ServFail;

impl ServerFault for ServFail {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.servfail",
            "the DC's DNS server answers every question with SERVFAIL",
            "the DNS service has not loaded its zones yet, or its forwarder is unreachable",
            "",
        )
        .at(&[Listener::Dns])
    }

    fn dns(&self, response: Message) -> Option<Message> {
        Some(failed(response, ResponseCode::ServFail))
    }
}
