use fake_dc_directory::Reply;
use ldap_wire::ProtocolOp;

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// Every entry that a search finds comes twice.
#[derive(Debug)]
pub(crate) struct DuplicateEntry;

impl ServerFault for DuplicateEntry {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.duplicate-entry",
            "every entry found comes twice",
            "two objects were made with one account name on two DCs before they replicated, or a \
             proxy merges the answers of two DCs",
            "client → DC   search below DC=…\n\
             DC → client   CN=krbtgt,CN=Users,DC=…\n\
             DC → client   CN=krbtgt,CN=Users,DC=…\n\
             DC → client   0 success",
        )
    }

    fn on_reply(&self, asked: &Asked<'_>, reply: &mut Reply) {
        if asked.search().is_none() {
            return;
        }
        let twice = std::mem::take(&mut reply.messages).into_iter().flat_map(|message| {
            let is_entry = matches!(message.op, ProtocolOp::SearchResultEntry(_));
            std::iter::repeat_n(message, if is_entry { 2 } else { 1 })
        });
        reply.messages = twice.collect();
    }
}
