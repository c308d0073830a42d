//! The searches that `net ads` makes.

use ldap_wire::{Filter, Scope, SearchRequest};

use super::ads::{FoundDc, TIME_LIMIT};

/// The search of `net ads sid`: the entry that an extended DN names (`ads_search_retry_sid` of Samba
/// 4.22).
pub(super) fn account_search(sid: &[u8], attributes: Vec<String>) -> SearchRequest {
    let hex: String = sid.iter().map(|byte| format!("{byte:02X}")).collect();
    SearchRequest {
        base: format!("<SID={hex}>"),
        scope: Scope::BaseObject,
        attributes,
        time_limit: TIME_LIMIT,
        ..SearchRequest::default()
    }
}

/// A search of the whole domain, as `net ads search` asks it.
pub(super) fn domain_search(
    dc: &FoundDc,
    filter: Filter,
    attributes: Vec<String>,
) -> SearchRequest {
    SearchRequest {
        base: dc.bind_path(),
        scope: Scope::WholeSubtree,
        filter,
        attributes,
        time_limit: TIME_LIMIT,
        ..SearchRequest::default()
    }
}
