use fake_dc_directory::{Reply, Then};
use ldap_wire::{LdapMessage, LdapResult, ResultCode};

use crate::faults::{FaultInfo, ServerFault};

/// Who connects is told that the connection ends, before it has asked anything: `MaxConnections` of
/// the LDAP policies is reached.
#[derive(Debug)]
pub(crate) struct TooManyConnections;

impl ServerFault for TooManyConnections {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.too-many-connections",
            "every new connection is closed at once with a notice of disconnection",
            "clients that leak connections have used up MaxConnections, 5,000 by default",
            "client ⇄ DC   TCP, TLS\n\
             DC → client   message 0, extended response 1.3.6.1.4.1.1466.20036, 51 busy\n\
             DC → client   end of the stream",
        )
    }

    fn on_connect(&self) -> Option<Reply> {
        let result = LdapResult::new(ResultCode::BUSY, "");
        let notice = LdapMessage::notice_of_disconnection(result);
        Some(Reply { messages: vec![notice], then: Then::Close })
    }
}
