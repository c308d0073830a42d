use fake_dc_directory::{Reply, Then};
use ldap_wire::ProtocolOp;

use crate::faults::{FaultInfo, ServerFault};

/// The connection is closed when a bind has been answered.
#[derive(Debug)]
pub(crate) struct CloseAfterBind;

impl ServerFault for CloseAfterBind {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.close-after-bind",
            "the connection is closed when a bind has been answered",
            "the DC restarts, or drops connections because MaxConnections is reached",
            "",
        )
    }

    fn on_reply(&self, request: &ProtocolOp, reply: &mut Reply) {
        if matches!(request, ProtocolOp::BindRequest(_)) {
            reply.then = Then::Close;
        }
    }
}
