use std::sync::Arc;

use fake_dc_directory::{Reply, Then};
use ldap_wire::{LdapMessage, LdapResult, ResultCode};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// The first request is answered with the announcement that the connection ends, and then it does.
#[derive(Debug)]
pub(crate) struct NoticeOfDisconnection {
    code: ResultCode,
    text: &'static str,
}

impl NoticeOfDisconnection {
    pub(crate) const USUAL: Self = Self {
        code: ResultCode::UNAVAILABLE,
        text: "00002027: LdapErr: DSID-0C060420, comment: The server is shutting down, data 0, \
               v4f7c",
    };
    const BUSY: Self = Self {
        code: ResultCode::BUSY,
        text: "00002028: LdapErr: DSID-0C060421, comment: The server has too many connections, \
               data 0, v4f7c",
    };
    const STRONGER_AUTH_REQUIRED: Self = Self {
        code: ResultCode::STRONGER_AUTH_REQUIRED,
        text: "00002028: LdapErr: DSID-0C090346, comment: The server requires binds to turn on \
               integrity checking if SSL\\TLS are not already active on the connection, data 0, \
               v4f7c",
    };
}

impl ServerFault for NoticeOfDisconnection {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.notice-of-disconnection",
            "the first request is answered with a notice of disconnection, and the connection closed",
            "the DC is shutting down, has no room for the connection, or no longer trusts it",
            "client → DC   message 1, search of the rootDSE\n\
             DC → client   message 0, extended response 1.3.6.1.4.1.1466.20036, 52 unavailable\n\
             DC → client   end of the stream",
        )
        .taking(
            "why the connection ends: `unavailable`, `busy` or `stronger-auth-required`; \
             `unavailable` by default",
        )
    }

    fn with(&self, value: &str) -> Option<Arc<dyn ServerFault>> {
        Some(Arc::new(match value {
            "unavailable" => Self::USUAL,
            "busy" => Self::BUSY,
            "stronger-auth-required" => Self::STRONGER_AUTH_REQUIRED,
            _ => return None,
        }))
    }

    fn on_request(&self, _asked: &Asked<'_>) -> Option<Reply> {
        let result = LdapResult::new(self.code, self.text);
        let notice = LdapMessage::notice_of_disconnection(result);
        Some(Reply { messages: vec![notice], then: Then::Close })
    }
}
