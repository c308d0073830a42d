use crate::{
    exchange::{After, Asked, Output},
    faults::{FaultInfo, ServerFault},
};

/// The connection is closed instead of an answer to a search of the directory.
#[derive(Debug)]
pub(crate) struct CloseOnSearch;

impl ServerFault for CloseOnSearch {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.close-on-search",
            "the connection is closed when a search comes",
            "a proxy or load balancer in front of the DC speaks LDAP up to the bind and gives up",
            "client → DC   bind\n\
             DC → client   0 success\n\
             client → DC   search below DC=…\n\
             DC → client   end of the stream",
        )
    }

    fn on_output(&self, asked: &Asked<'_>, output: &mut Output) {
        if asked.search().is_some() {
            output.bytes.clear();
            output.then = After::Close;
        }
    }
}
