use fake_dc_directory::Reply;
use ldap_wire::ProtocolOp;

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// A search is answered with what it finds, and never ends. The connection goes on.
#[derive(Debug)]
pub(crate) struct SearchWithoutEnd;

impl ServerFault for SearchWithoutEnd {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.search-without-end",
            "a search brings its entries, and no result",
            "a packet was lost for good: a firewall lets small segments pass, and not full ones",
            "client → DC   search below DC=…\n\
             DC → client   CN=krbtgt,CN=Users,DC=…\n\
             client        waits for the result until its own time limit is over",
        )
    }

    fn on_reply(&self, asked: &Asked<'_>, reply: &mut Reply) {
        if asked.search().is_some() {
            reply.messages.retain(|message| !matches!(message.op, ProtocolOp::SearchResultDone(_)));
        }
    }
}
