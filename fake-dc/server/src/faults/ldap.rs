//! Family `ldap`: a session that works up to LDAP, which then answers what nobody wants to hear.

mod attribute_hidden;
mod bind_answered_twice;
mod channel_binding_mismatch;
mod close_after_bind;
mod close_on_search;
mod duplicate_entry;
mod empty_search_result;
mod garbage_attribute;
mod invalid_ber;
mod invalid_credentials;
mod no_answer;
mod no_naming_contexts;
mod notice_of_disconnection;
mod oversized_message;
mod paging_refused;
mod referral_loop;
mod refused;
mod reset_mid_search;
mod root_dse_empty;
mod search_without_end;
mod size_limit;
mod slow_search;
mod stall_after_bind;
mod stall_on_bind;
mod stronger_auth_required;
mod too_many_connections;
mod truncated_ber;
mod unsolicited_message;
mod wrong_message_id;

use super::ServerFault;
use crate::exchange::{After, Asked, Output};

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    // How binds end.
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
    &channel_binding_mismatch::ChannelBindingMismatch,
    &bind_answered_twice::BindAnsweredTwice,
    // Results in place of what was asked for.
    &refused::BUSY,
    &refused::UNAVAILABLE,
    &refused::OPERATIONS_ERROR_UNBOUND,
    &refused::NO_SUCH_OBJECT,
    &refused::INVALID_DN,
    &refused::INSUFFICIENT_ACCESS,
    &refused::TIME_LIMIT,
    &refused::ADMIN_LIMIT,
    &size_limit::SizeLimit::USUAL,
    &paging_refused::ANY_PAGE,
    &paging_refused::COOKIE,
    &referral_loop::ReferralLoop::USUAL,
    // What searches bring.
    &empty_search_result::EmptySearchResult,
    &duplicate_entry::DuplicateEntry,
    &attribute_hidden::AttributeHidden::USUAL,
    &garbage_attribute::GarbageAttribute,
    &root_dse_empty::RootDseEmpty,
    &no_naming_contexts::NoNamingContexts,
    // Messages and bytes.
    &wrong_message_id::WrongMessageId,
    &unsolicited_message::UnsolicitedMessage,
    &truncated_ber::TruncatedBer,
    &invalid_ber::InvalidBer,
    &oversized_message::OversizedMessage::USUAL,
    // Silence and ends.
    &slow_search::SlowSearch::USUAL,
    &search_without_end::SearchWithoutEnd,
    &stall_on_bind::StallOnBind,
    &stall_after_bind::StallAfterBind,
    &no_answer::NoAnswer,
    &close_after_bind::CloseAfterBind,
    &close_on_search::CloseOnSearch,
    &reset_mid_search::ResetMidSearch,
    &notice_of_disconnection::NoticeOfDisconnection::USUAL,
    &too_many_connections::TooManyConnections,
];

/// Lets the connection go that way once a bind has been answered.
fn end_after_bind(asked: &Asked<'_>, output: &mut Output, then: After) {
    if asked.is_bind() {
        output.then = then;
    }
}
