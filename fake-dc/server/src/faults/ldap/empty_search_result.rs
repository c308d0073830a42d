use fake_dc_directory::Reply;
use ldap_wire::{LdapResult, ProtocolOp};

use crate::faults::{FaultInfo, ServerFault};

/// A search below the rootDSE succeeds and finds nothing. The rootDSE itself is answered.
#[derive(Debug)]
pub(crate) struct EmptySearchResult;

impl ServerFault for EmptySearchResult {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.empty-search-result",
            "searches of the domain succeed without finding anything",
            "the account may not read the objects, or they have not been replicated to this DC",
            "",
        )
    }

    fn on_reply(&self, request: &ProtocolOp, reply: &mut Reply) {
        let ProtocolOp::SearchRequest(search) = request else { return };
        if search.base.is_empty() {
            return;
        }
        reply.messages.retain(|message| matches!(message.op, ProtocolOp::SearchResultDone(_)));
        for message in &mut reply.messages {
            message.op = ProtocolOp::SearchResultDone(LdapResult::success());
        }
    }
}
