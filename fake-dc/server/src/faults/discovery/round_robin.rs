use ground::Transport;
use hickory_proto::op::Message;

use crate::{
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// The records of an answer turn: another one is the first next time.
///
/// Windows turns by a count of its answers. Here the number of the question decides, so that a run
/// does not depend on which host asks first.
#[derive(Debug)]
pub(crate) struct RoundRobin;

impl ServerFault for RoundRobin {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "discovery.round-robin",
            "the DC's DNS server gives the records of an answer in another order each time",
            "round robin is on, as it is by default on Windows: no DC is the first for everybody",
            "client → DNS   corp.example A\n\
             DNS → client   127.0.0.10, 127.0.0.11\n\
             client → DNS   corp.example A\n\
             DNS → client   127.0.0.11, 127.0.0.10",
        )
        .at(&[Listener::Dns])
    }

    fn dns(&self, mut response: Message, _over: Transport) -> Option<Message> {
        let by = usize::from(response.metadata.id) % response.answers.len().max(1);
        response.answers.rotate_left(by);
        Some(response)
    }
}
