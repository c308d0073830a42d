use crate::{
    exchange::{After, Asked, Output},
    faults::{FaultInfo, ServerFault},
};

/// Half of the bytes that answer a search are sent, and then a reset.
#[derive(Debug)]
pub(crate) struct ResetMidSearch;

impl ServerFault for ResetMidSearch {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.reset-mid-search",
            "the connection is reset in the middle of the answer to a search",
            "the DC crashes or is switched off, or a firewall ends a session it finds too long",
            "client → DC   search below DC=…\n\
             DC → client   the first half of the answer\n\
             DC → client   RST",
        )
    }

    fn on_output(&self, asked: &Asked<'_>, output: &mut Output) {
        if asked.search().is_some() {
            output.bytes.truncate(output.bytes.len() / 2);
            output.then = After::Reset;
        }
    }
}
