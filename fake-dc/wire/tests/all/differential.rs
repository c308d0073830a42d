//! An independent codec, rasn-ldap 0.30, reads what we write, and we read what it writes.
//!
//! rasn-ldap keeps sets and the terms of `and` and `or` in an order of its own, so both sides are
//! sorted before they are compared. It has a closed set of result codes and authentication
//! choices, and reads a version as at most 127: messages outside of that are not compared.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use crate::generate::message;
use ldap_wire::{
    Attribute, Authentication, Decoded, Filter, LdapMessage, Limits, ProtocolOp, ResultCode, decode,
};
use proptest::prelude::*;
use rasn_ldap::LdapMessage as Theirs;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn rasn_reads_and_writes_the_same_messages(message in message().prop_map(both_can_speak)) {
        let bytes = message.encode();
        let theirs: Theirs = match rasn::ber::decode(&bytes) {
            Ok(theirs) => theirs,
            Err(error) => return Err(TestCaseError::fail(format!("{error}: {message:?}"))),
        };
        prop_assert_eq!(theirs.message_id, message.id);
        let theirs = rasn::ber::encode(&theirs).unwrap();
        let Ok(Decoded::Message { message: back, consumed }) =
            decode(&theirs, &Limits::default())
        else {
            return Err(TestCaseError::fail(format!("{theirs:02x?} of {message:?}")));
        };
        prop_assert_eq!(consumed, theirs.len());
        prop_assert_eq!(sorted(back), sorted(message));
    }
}

/// Replaces what rasn-ldap cannot express.
fn both_can_speak(mut message: LdapMessage) -> LdapMessage {
    let result = match &mut message.op {
        ProtocolOp::BindRequest(bind) => {
            bind.version = bind.version.max(1);
            if let Authentication::Other { content, .. } = &bind.authentication {
                bind.authentication = Authentication::Simple(content.clone());
            }
            None
        }
        ProtocolOp::ModifyRequest(modify) => {
            modify.changes.retain(|change| change.operation as u8 != 3);
            None
        }
        ProtocolOp::BindResponse(response) => Some(&mut response.result),
        ProtocolOp::ExtendedResponse(response) => Some(&mut response.result),
        ProtocolOp::SearchResultDone(result)
        | ProtocolOp::ModifyResponse(result)
        | ProtocolOp::AddResponse(result)
        | ProtocolOp::DelResponse(result)
        | ProtocolOp::ModifyDnResponse(result)
        | ProtocolOp::CompareResponse(result) => Some(result),
        _ => None,
    };
    if let Some(result) = result {
        let code = ResultCode(result.code.0 % 81);
        result.code = if code.name().is_some() { code } else { ResultCode::OTHER };
    }
    message
}

fn sorted(mut message: LdapMessage) -> LdapMessage {
    match &mut message.op {
        ProtocolOp::SearchRequest(search) => sort_filter(&mut search.filter),
        ProtocolOp::SearchResultEntry(entry) => entry.attributes.iter_mut().for_each(sort_values),
        ProtocolOp::AddRequest(add) => add.attributes.iter_mut().for_each(sort_values),
        ProtocolOp::ModifyRequest(modify) => {
            modify.changes.iter_mut().for_each(|change| sort_values(&mut change.modification));
        }
        _ => {}
    }
    message
}

fn sort_values(attribute: &mut Attribute) {
    attribute.values.sort();
    attribute.values.dedup();
}

fn sort_filter(filter: &mut Filter) {
    match filter {
        Filter::And(filters) | Filter::Or(filters) => {
            filters.iter_mut().for_each(sort_filter);
            filters.sort_by_key(|filter| format!("{filter:?}"));
            filters.dedup();
        }
        Filter::Not(inner) => sort_filter(inner),
        _ => {}
    }
}
