use fake_dc_directory::{Reply, Then};
use ldap_wire::{BindResponse, LdapMessage, ProtocolOp};

use crate::{
    exchange::Asked,
    facts::Listener,
    faults::{FaultInfo, ServerFault},
};

/// Behind the answer to StartTLS, in clear and in one piece with it, comes an answer to the bind that
/// the client is going to make inside TLS. A client that keeps it for later believes what anybody on
/// the way can say (CVE-2011-0411 and its many kin: "NO STARTTLS", Poddebniak and others, 2021).
#[derive(Debug)]
pub(crate) struct StartTlsInjectedData;

impl ServerFault for StartTlsInjectedData {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.starttls-injected-data",
            "an LDAP message in clear follows the answer to StartTLS",
            "somebody on the way adds answers to what the client will ask inside TLS",
            "client → DC   StartTLS\n\
             DC → client   success\n\
             DC → client   success of a bind [in clear, before the handshake]\n\
             client → DC   ClientHello",
        )
        .at(Listener::STARTTLS)
    }

    fn on_reply(&self, _asked: &Asked<'_>, reply: &mut Reply) {
        let last = reply.messages.last().map(|message| message.id);
        if let (Then::StartTls, Some(id)) = (&reply.then, last) {
            let bound = ProtocolOp::BindResponse(BindResponse::default());
            reply.messages.push(LdapMessage::new(id + 1, bound));
        }
    }
}
