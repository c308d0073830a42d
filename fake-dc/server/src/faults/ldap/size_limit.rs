use std::sync::Arc;

use fake_dc_directory::Reply;
use ldap_wire::{LdapResult, ProtocolOp, ResultCode};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// A search brings its first entries and then `sizeLimitExceeded` (4), without a text as in AD.
#[derive(Debug)]
pub(crate) struct SizeLimit {
    entries: usize,
}

impl SizeLimit {
    pub(crate) const USUAL: Self = Self { entries: 0 };
}

impl ServerFault for SizeLimit {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.size-limit",
            "searches end with sizeLimitExceeded (4)",
            "MaxPageSize was lowered, or a proxy has a limit of its own, and the client does not page",
            "client → DC   search below DC=…\n\
             DC → client   as many entries as it will give\n\
             DC → client   4 sizeLimitExceeded",
        )
        .taking("the number of entries given before the limit; `0` by default")
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(Self { entries: value.parse().ok()? }))
    }

    fn on_reply(&self, asked: &Asked<'_>, reply: &mut Reply) {
        if asked.search().is_none() {
            return;
        }
        let mut room = self.entries;
        reply.messages.retain(|message| match message.op {
            ProtocolOp::SearchResultEntry(_) => {
                let fits = room > 0;
                room = room.saturating_sub(1);
                fits
            }
            ProtocolOp::SearchResultDone(_) => true,
            _ => false,
        });
        for message in &mut reply.messages {
            if let ProtocolOp::SearchResultDone(result) = &mut message.op {
                *result = LdapResult::new(ResultCode::SIZE_LIMIT_EXCEEDED, "");
                message.controls.clear();
            }
        }
    }
}
