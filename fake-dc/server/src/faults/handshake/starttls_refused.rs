use fake_dc_directory::{Reply, Then};
use ldap_wire::{
    ExtendedResponse, LdapMessage, LdapResult, ProtocolOp, ResultCode, extended::START_TLS,
};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault},
};

/// StartTLS is answered with `unavailable` (52), the text being that of a Windows DC without a
/// certificate. The text is widely quoted in the field; its DSID differs between builds.
#[derive(Debug)]
pub(crate) struct StartTlsRefused;

impl ServerFault for StartTlsRefused {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.starttls-refused",
            "StartTLS is answered with unavailable (52)",
            "the DC has no certificate that Schannel accepts",
            "",
        )
    }

    fn on_request(&self, request: &Asked<'_>) -> Option<Reply> {
        let request = request.message;
        let ProtocolOp::ExtendedRequest(asked) = &request.op else { return None };
        if asked.name != START_TLS {
            return None;
        }
        let response = ExtendedResponse {
            result: LdapResult::new(ResultCode::UNAVAILABLE, TEXT),
            name: Some(START_TLS.to_owned()),
            value: None,
        };
        Some(Reply {
            messages: vec![LdapMessage::new(request.id, ProtocolOp::ExtendedResponse(response))],
            then: Then::Continue,
        })
    }
}

const TEXT: &str =
    "00000000: LdapErr: DSID-0C09106F, comment: Error initializing SSL/TLS, data 0, v4f7c";
