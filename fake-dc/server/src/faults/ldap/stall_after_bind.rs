use super::end_after_bind;
use crate::{
    exchange::{After, Asked, Output},
    faults::{FaultInfo, ServerFault},
};

/// A bind is answered, and nothing after it. The connection stays open.
#[derive(Debug)]
pub(crate) struct StallAfterBind;

impl ServerFault for StallAfterBind {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.stall-after-bind",
            "the DC answers a bind and then nothing more, and keeps the connection open",
            "all threads of the DC wait for its disk or its database, or a firewall lost the session",
            "client → DC   bind\n\
             DC → client   0 success\n\
             client → DC   search below DC=…\n\
             client        waits until its own time limit is over",
        )
    }

    fn on_output(&self, asked: &Asked<'_>, output: &mut Output) {
        end_after_bind(asked, output, After::Stall);
    }
}
