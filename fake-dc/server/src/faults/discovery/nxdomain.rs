use hickory_proto::op::{Message, ResponseCode};

use super::failed;
use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// This DC's DNS server denies every name: it does not hold the zone of the domain.
#[derive(Debug)]
pub(crate) struct NxDomain;

impl ServerFault for NxDomain {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.nxdomain",
            "the DC's DNS server answers every question with NXDOMAIN",
            "the name server does not know the domain's zone and does not forward to one that does",
            "",
        )
        .at(&[Listener::Dns])
    }

    fn dns(&self, response: Message) -> Option<Message> {
        Some(failed(response, ResponseCode::NXDomain))
    }
}
