//! Family `ldap`: a session that works up to LDAP, which then answers what nobody wants to hear.

mod busy;
mod close_after_bind;
mod empty_search_result;
mod invalid_credentials;
mod stronger_auth_required;
mod unavailable;

use fake_dc_directory::{Reply, Then};
use ldap_wire::{BindResponse, ExtendedResponse, LdapMessage, LdapResult, ProtocolOp};

use super::ServerFault;

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    &stronger_auth_required::StrongerAuthRequired,
    &invalid_credentials::NO_SUCH_USER,
    &invalid_credentials::WRONG_PASSWORD,
    &invalid_credentials::RESTRICTED,
    &invalid_credentials::HOURS,
    &invalid_credentials::WORKSTATION,
    &invalid_credentials::PASSWORD_EXPIRED,
    &invalid_credentials::DISABLED,
    &invalid_credentials::ACCOUNT_EXPIRED,
    &invalid_credentials::MUST_CHANGE,
    &invalid_credentials::LOCKED_OUT,
    &busy::Busy,
    &unavailable::Unavailable,
    &close_after_bind::CloseAfterBind,
    &empty_search_result::EmptySearchResult,
];

/// The response that `request` has, with `result`; `None` for requests without one.
fn refuse(request: &LdapMessage, result: LdapResult) -> Option<Reply> {
    let op = match &request.op {
        ProtocolOp::BindRequest(_) => {
            ProtocolOp::BindResponse(BindResponse { result, server_sasl_credentials: None })
        }
        ProtocolOp::SearchRequest(_) => ProtocolOp::SearchResultDone(result),
        ProtocolOp::ModifyRequest(_) => ProtocolOp::ModifyResponse(result),
        ProtocolOp::AddRequest(_) => ProtocolOp::AddResponse(result),
        ProtocolOp::DelRequest(_) => ProtocolOp::DelResponse(result),
        ProtocolOp::ModifyDnRequest(_) => ProtocolOp::ModifyDnResponse(result),
        ProtocolOp::CompareRequest(_) => ProtocolOp::CompareResponse(result),
        ProtocolOp::ExtendedRequest(asked) => ProtocolOp::ExtendedResponse(ExtendedResponse {
            result,
            name: Some(asked.name.clone()),
            value: None,
        }),
        _ => return None,
    };
    Some(Reply { messages: vec![LdapMessage::new(request.id, op)], then: Then::Continue })
}
