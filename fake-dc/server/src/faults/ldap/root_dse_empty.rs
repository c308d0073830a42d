use fake_dc_directory::Reply;
use ldap_wire::ProtocolOp;

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// The search of the rootDSE succeeds without an entry. Netlogon pings are answered.
#[derive(Debug)]
pub(crate) struct RootDseEmpty;

impl ServerFault for RootDseEmpty {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.root-dse-empty",
            "the search of the rootDSE succeeds and brings no entry",
            "a proxy in front of the DC does not pass on the rootDSE, or hides it from anonymous \
             clients",
            "client → DC   search of the rootDSE\n\
             DC → client   0 success",
        )
    }

    fn on_reply(&self, asked: &Asked<'_>, reply: &mut Reply) {
        if asked.root_dse_search().is_some() {
            let is_entry = |op: &ProtocolOp| matches!(op, ProtocolOp::SearchResultEntry(_));
            reply.messages.retain(|message| !is_entry(&message.op));
        }
    }
}
