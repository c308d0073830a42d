use fake_dc_directory::Reply;
use ldap_wire::{LdapResult, ProtocolOp};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// A search below the rootDSE succeeds and finds nothing. The rootDSE itself is answered.
#[derive(Debug)]
pub(crate) struct EmptySearchResult;

impl ServerFault for EmptySearchResult {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.empty-search-result",
            "searches of the domain succeed without finding anything",
            "the account may not read the objects, or they have not been replicated to this DC",
            "client → DC   search below DC=…\n\
             DC → client   0 success",
        )
    }

    fn on_reply(&self, asked: &Asked<'_>, reply: &mut Reply) {
        if asked.search().is_none() {
            return;
        }
        reply.messages.retain(|message| matches!(message.op, ProtocolOp::SearchResultDone(_)));
        for message in &mut reply.messages {
            message.op = ProtocolOp::SearchResultDone(LdapResult::success());
        }
    }
}
