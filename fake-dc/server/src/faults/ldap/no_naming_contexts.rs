use fake_dc_directory::Reply;
use ldap_wire::ProtocolOp;

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// The rootDSE says nothing of naming contexts.
#[derive(Debug)]
pub(crate) struct NoNamingContexts;

impl ServerFault for NoNamingContexts {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.no-naming-contexts",
            "the rootDSE names no naming context",
            "what answers is an AD LDS instance without a default context, or no AD at all",
            "client → DC   search of the rootDSE, defaultNamingContext namingContexts\n\
             DC → client   an entry without attributes\n\
             DC → client   0 success",
        )
    }

    fn on_reply(&self, asked: &Asked<'_>, reply: &mut Reply) {
        if asked.root_dse_search().is_none() {
            return;
        }
        for message in &mut reply.messages {
            if let ProtocolOp::SearchResultEntry(entry) = &mut message.op {
                let is_context = |name: &str| name.to_ascii_lowercase().contains("namingcontext");
                entry.attributes.retain(|attribute| !is_context(&attribute.name));
            }
        }
    }
}
