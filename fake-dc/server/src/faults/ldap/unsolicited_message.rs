use fake_dc_directory::{Reply, Then};
use ldap_wire::{ExtendedResponse, LdapMessage, ProtocolOp};

use crate::faults::{FaultInfo, ServerFault};

/// The server speaks first, and says what no client waits for. Clients ignore unsolicited
/// notifications that they do not know (RFC 4511 §4.4).
#[derive(Debug)]
pub(crate) struct UnsolicitedMessage;

impl ServerFault for UnsolicitedMessage {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.unsolicited-message",
            "the server sends a notification before the client has asked anything",
            "a server other than AD stands behind the name and reports an aborted transaction",
            "client ⇄ DC   TCP, TLS\n\
             DC → client   message 0, extended response 1.3.6.1.1.21.4\n\
             client ⇄ DC   all is well for clients that ignore it, as they must",
        )
    }

    fn on_connect(&self) -> Option<Reply> {
        let notice = ExtendedResponse {
            name: Some(ABORTED_TRANSACTION_NOTICE.to_owned()),
            ..ExtendedResponse::default()
        };
        let message = LdapMessage::new(0, ProtocolOp::ExtendedResponse(notice));
        Some(Reply { messages: vec![message], then: Then::Continue })
    }
}

/// RFC 5805 §2.3.
const ABORTED_TRANSACTION_NOTICE: &str = "1.3.6.1.1.21.4";
