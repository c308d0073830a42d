use crate::{
    exchange::{After, Asked, Output},
    faults::{FaultInfo, ServerFault},
};

/// Requests are answered until a bind comes, which is not. The connection stays open.
#[derive(Debug)]
pub(crate) struct StallOnBind;

impl ServerFault for StallOnBind {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.stall-on-bind",
            "the DC answers the rootDSE and never a bind",
            "the DC cannot reach the DC that it asks about the account, or LSASS hangs",
            "client → DC   search of the rootDSE\n\
             DC → client   entry, 0 success\n\
             client → DC   bind\n\
             client        waits until its own time limit is over",
        )
    }

    fn on_output(&self, asked: &Asked<'_>, output: &mut Output) {
        if asked.is_bind() {
            output.bytes.clear();
            output.then = After::Stall;
        }
    }
}
