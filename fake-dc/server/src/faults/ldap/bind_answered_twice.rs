use fake_dc_directory::Reply;

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// A bind gets two answers. The second is one to nothing.
#[derive(Debug)]
pub(crate) struct BindAnsweredTwice;

impl ServerFault for BindAnsweredTwice {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.bind-answered-twice",
            "a bind is answered twice",
            "a proxy asks two DCs and passes on the answers of both",
            "client → DC   message 1, bind\n\
             DC → client   message 1, 0 success\n\
             DC → client   message 1, 0 success",
        )
    }

    fn on_reply(&self, asked: &Asked<'_>, reply: &mut Reply) {
        if asked.is_bind() {
            reply.messages.extend_from_within(..);
        }
    }
}
