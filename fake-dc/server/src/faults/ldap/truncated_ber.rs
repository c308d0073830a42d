use crate::{
    exchange::{After, Asked, Output},
    faults::{FaultInfo, ServerFault},
};

/// The answer to a search ends in the middle of a message, and the connection is closed.
#[derive(Debug)]
pub(crate) struct TruncatedBer;

impl ServerFault for TruncatedBer {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.truncated-ber",
            "the answer to a search is cut in the middle of a message, and the connection closed",
            "a proxy has a limit on the size of answers, or the DC ends while it writes",
            "client → DC   search below DC=…\n\
             DC → client   30 84 00 00 01 0c 02 01 03 64 …, of which the second half is missing\n\
             DC → client   end of the stream",
        )
    }

    fn on_output(&self, asked: &Asked<'_>, output: &mut Output) {
        if asked.search().is_some() {
            output.bytes.truncate(output.bytes.len() / 2);
            output.then = After::Close;
        }
    }
}
