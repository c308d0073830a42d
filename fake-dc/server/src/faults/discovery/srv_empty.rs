use ground::Transport;
use hickory_proto::{op::Message, op::ResponseCode, rr::RecordType};

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// This DC's DNS server answers questions for SRV records with success and no record.
#[derive(Debug)]
pub(crate) struct SrvEmpty;

impl ServerFault for SrvEmpty {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.srv-empty",
            "the DC's DNS server has no SRV records, only addresses",
            "dynamic update is off for the zone, or the underscore zones were not delegated",
            "client → DNS   _ldap._tcp.dc._msdcs.corp.example SRV\n\
             DNS → client   NOERROR, no records\n\
             client → DNS   dc1.corp.example A\n\
             DNS → client   127.0.0.10",
        )
        .at(&[Listener::Dns])
    }

    fn dns(&self, mut response: Message, _over: Transport) -> Option<Message> {
        let asks_srv =
            |question: &hickory_proto::op::Query| question.query_type() == RecordType::SRV;
        if response.queries.iter().any(asks_srv) {
            response.answers.clear();
            response.metadata.response_code = ResponseCode::NoError;
        }
        Some(response)
    }
}
