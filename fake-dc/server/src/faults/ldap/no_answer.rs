use crate::{
    exchange::{After, Asked, Output},
    faults::{FaultInfo, ServerFault},
};

/// No request is answered. The connection, TLS included, comes about and stays open.
#[derive(Debug)]
pub(crate) struct NoAnswer;

impl ServerFault for NoAnswer {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.no-answer",
            "the connection comes about, TLS included, and no request is answered",
            "the directory service hangs while the system still accepts connections for it",
            "client ⇄ DC   TCP, TLS\n\
             client → DC   search of the rootDSE\n\
             client        waits until its own time limit is over",
        )
    }

    fn on_output(&self, _asked: &Asked<'_>, output: &mut Output) {
        output.bytes.clear();
        output.then = After::Stall;
    }
}
