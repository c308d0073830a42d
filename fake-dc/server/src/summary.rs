//! LDAP messages as the ledger tells them: one line, no credentials.

use std::fmt::Write as _;

use fake_dc_directory::Reply;
use ldap_wire::{Authentication, LdapMessage, ProtocolOp, Scope, SearchRequest};

use crate::facts::{LdapRequest, LdapResult};

/// What a client asks.
pub(crate) fn request(message: &LdapMessage) -> LdapRequest {
    let (operation, summary) = match &message.op {
        ProtocolOp::BindRequest(bind) => {
            let mechanism = match &bind.authentication {
                Authentication::Simple(_) => "simple",
                Authentication::Sasl { mechanism, .. } => mechanism,
                Authentication::Other { .. } => "other",
            };
            let name = if bind.name.is_empty() { "no name" } else { &bind.name };
            ("bind", format!("{mechanism}, {name}"))
        }
        ProtocolOp::UnbindRequest => ("unbind", String::new()),
        ProtocolOp::SearchRequest(search) => ("search", search_line(search)),
        ProtocolOp::ModifyRequest(modify) => {
            let changes = modify.changes.iter().map(|change| {
                format!("{:?} {}", change.operation, change.modification.name).to_lowercase()
            });
            ("modify", format!("{}: {}", modify.object, changes.collect::<Vec<_>>().join(", ")))
        }
        ProtocolOp::AddRequest(add) => ("add", add.entry.clone()),
        ProtocolOp::DelRequest(name) => ("delete", name.clone()),
        ProtocolOp::ModifyDnRequest(rename) => {
            ("modify-dn", format!("{} to {}", rename.entry, rename.new_rdn))
        }
        ProtocolOp::CompareRequest(compare) => {
            ("compare", format!("{}: {}", compare.entry, compare.attribute))
        }
        ProtocolOp::AbandonRequest(id) => ("abandon", id.to_string()),
        ProtocolOp::ExtendedRequest(extended) => ("extended", extended.name.clone()),
        ProtocolOp::BindResponse(_)
        | ProtocolOp::SearchResultEntry(_)
        | ProtocolOp::SearchResultReference(_)
        | ProtocolOp::SearchResultDone(_)
        | ProtocolOp::ModifyResponse(_)
        | ProtocolOp::AddResponse(_)
        | ProtocolOp::DelResponse(_)
        | ProtocolOp::ModifyDnResponse(_)
        | ProtocolOp::CompareResponse(_)
        | ProtocolOp::ExtendedResponse(_)
        | ProtocolOp::IntermediateResponse(_) => ("response", String::new()),
    };
    LdapRequest { operation, summary }
}

fn search_line(search: &SearchRequest) -> String {
    let scope = match search.scope {
        Scope::BaseObject => "base",
        Scope::SingleLevel => "one",
        Scope::WholeSubtree => "sub",
    };
    let mut line = String::with_capacity(96 + search.base.len());
    for part in ["base `", &search.base, "`, ", scope, ", "] {
        line.push_str(part);
    }
    // A `String` takes everything.
    let _ = write!(line, "{}", search.filter);
    line.push_str(", attributes");
    if search.attributes.is_empty() {
        line.push_str(" all");
    }
    for name in &search.attributes {
        line.push(' ');
        line.push_str(name);
    }
    line
}

/// How it was answered; `None` for what has no answer.
pub(crate) fn result(reply: &Reply) -> Option<LdapResult> {
    let result = reply.messages.iter().rev().find_map(|message| match &message.op {
        ProtocolOp::BindResponse(bind) => Some(&bind.result),
        ProtocolOp::ExtendedResponse(extended) => Some(&extended.result),
        ProtocolOp::SearchResultDone(result)
        | ProtocolOp::ModifyResponse(result)
        | ProtocolOp::AddResponse(result)
        | ProtocolOp::DelResponse(result)
        | ProtocolOp::ModifyDnResponse(result)
        | ProtocolOp::CompareResponse(result) => Some(result),
        _ => None,
    })?;
    let is_entry = |message: &&LdapMessage| matches!(message.op, ProtocolOp::SearchResultEntry(_));
    Some(LdapResult {
        code: result.code.0,
        entries: reply.messages.iter().filter(is_entry).count(),
        diagnostic: result.diagnostic.clone(),
    })
}
