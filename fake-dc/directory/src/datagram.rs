//! LDAP without a connection (CLDAP, RFC 3352; [MS-ADTS] 3.1.1.3.1.2): netlogon pings, and the
//! rootDSE.

use std::net::IpAddr;

use ldap_wire::{LdapMessage, LdapResult, ProtocolOp, ResultCode, Scope};

use crate::{
    config::DcView,
    directory::Directory,
    session::{Protection, Session},
};

impl Directory {
    /// Answers one datagram of the client at that address: searches of the rootDSE alone, in the
    /// words of Samba 4.22.
    ///
    /// The messages belong into one datagram; none means no answer.
    pub fn handle_datagram(
        &self,
        dc: &DcView,
        client: Option<IpAddr>,
        request: LdapMessage,
    ) -> Vec<LdapMessage> {
        let refusal = match &request.op {
            ProtocolOp::SearchRequest(search) if !search.base.is_empty() => "Invalid CLDAP basedn",
            ProtocolOp::SearchRequest(search) if search.scope != Scope::BaseObject => {
                "Invalid CLDAP scope"
            }
            ProtocolOp::SearchRequest(_) => {
                let mut session = Session::new(dc.clone(), Protection::None);
                session.client = client;
                session.is_datagram = true;
                return self.handle(&mut session, request).messages;
            }
            ProtocolOp::AbandonRequest(_) => return Vec::new(),
            _ => "Invalid CLDAP request",
        };
        let result = LdapResult::new(ResultCode::OPERATIONS_ERROR, refusal);
        vec![LdapMessage::new(request.id, ProtocolOp::SearchResultDone(result))]
    }
}
