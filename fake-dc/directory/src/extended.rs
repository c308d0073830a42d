//! Extended requests: StartTLS, who am I.

use ldap_wire::{ExtendedRequest, ExtendedResponse, LdapMessage, LdapResult, ProtocolOp, extended};

use crate::{
    directory::Directory,
    session::{Protection, Reply, Session, Then},
};

impl Directory {
    pub(crate) fn extended(&self, session: &Session, id: u32, request: &ExtendedRequest) -> Reply {
        let diagnostics = self.domain.diagnostics();
        let mut value = None;
        let mut then = Then::Continue;
        let result = match request.name.as_str() {
            extended::START_TLS if session.protection == Protection::None => {
                then = Then::StartTls;
                LdapResult::success()
            }
            extended::START_TLS => diagnostics.tls_already(),
            extended::WHO_AM_I => {
                value = self.bound_name(session).map(|name| format!("u:{name}").into_bytes());
                LdapResult::success()
            }
            name => diagnostics.unknown_extended(name),
        };
        let name = Some(request.name.clone());
        let response = ProtocolOp::ExtendedResponse(ExtendedResponse { result, name, value });
        Reply { messages: vec![LdapMessage::new(id, response)], then }
    }
}
