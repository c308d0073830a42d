use fake_dc_directory::{Reply, Then};
use ldap_wire::{
    ExtendedResponse, LdapMessage, LdapResult, ProtocolOp, ResultCode, extended::START_TLS,
};

use crate::{
    exchange::Asked,
    facts::Listener,
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
            "client → DC   StartTLS\n\
             DC → client   unavailable (52): Error initializing SSL/TLS\n\
             [the connection goes on in clear]",
        )
        .at(Listener::STARTTLS)
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        asks_for_tls(asked).then(|| refuse(asked))
    }
}

/// Whether it is a StartTLS request.
pub(super) fn asks_for_tls(asked: &Asked<'_>) -> bool {
    matches!(&asked.message.op, ProtocolOp::ExtendedRequest(extended) if extended.name == START_TLS)
}

/// The answer of a DC that has no certificate.
pub(super) fn refuse(asked: &Asked<'_>) -> Reply {
    let response = ExtendedResponse {
        result: LdapResult::new(ResultCode::UNAVAILABLE, TEXT),
        name: Some(START_TLS.to_owned()),
        value: None,
    };
    Reply {
        messages: vec![LdapMessage::new(asked.message.id, ProtocolOp::ExtendedResponse(response))],
        then: Then::Continue,
    }
}

const TEXT: &str =
    "00000000: LdapErr: DSID-0C09106F, comment: Error initializing SSL/TLS, data 0, v4f7c";
