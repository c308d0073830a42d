use super::end_after_bind;
use crate::{
    exchange::{After, Asked, Output},
    faults::{FaultInfo, ServerFault},
};

/// The connection is closed when a bind has been answered.
#[derive(Debug)]
pub(crate) struct CloseAfterBind;

impl ServerFault for CloseAfterBind {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.close-after-bind",
            "the connection is closed when a bind has been answered",
            "the DC restarts, or drops connections because MaxConnections is reached",
            "client → DC   bind\n\
             DC → client   0 success\n\
             DC → client   end of the stream",
        )
    }

    fn on_output(&self, asked: &Asked<'_>, output: &mut Output) {
        end_after_bind(asked, output, After::Close);
    }
}
