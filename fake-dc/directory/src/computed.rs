//! Attributes that are never stored: made when they are asked for.

use std::collections::BTreeSet;

use crate::{
    account::Account,
    domain::Domain,
    entry::Entry,
    schema::{self, Syntax},
    sid::Sid,
    state::State,
    store::EntryId,
};

/// The values of a computed attribute; `None` if the attribute is not computed.
///
/// `base` says that the entry is the base of a base search: only then does AD compute
/// `tokenGroups` ([MS-ADTS] 3.1.1.4.5.19).
pub(crate) fn values(
    domain: &Domain,
    state: &State,
    id: EntryId,
    entry: &Entry,
    name: &str,
    base: bool,
) -> Option<Vec<Vec<u8>>> {
    let one = |value: String| vec![value.into_bytes()];
    let of_account = |number: fn(&Domain, &State, &Entry) -> i64| {
        if entry.is_a("user") { one(number(domain, state, entry).to_string()) } else { Vec::new() }
    };
    let stored = |name: &str| entry.values(name).to_vec();
    Some(match name {
        "canonicalName" => one(entry.dn.canonical_name()),
        "createTimeStamp" => stored("whenCreated"),
        "distinguishedName" => one(entry.dn.to_string()),
        "memberOf" => member_of(state, entry),
        "modifyTimeStamp" => stored("whenChanged"),
        "msDS-KeyVersionNumber" if entry.is_a("user") => one(entry.password_version.to_string()),
        "msDS-User-Account-Control-Computed" => {
            of_account(|d, s, e| Account::new(d, s, e).computed_control())
        }
        "msDS-UserPasswordExpiryTimeComputed" => {
            of_account(|d, s, e| Account::new(d, s, e).password_expiry())
        }
        "attributeTypes"
        | "dITContentRules"
        | "extendedAttributeInfo"
        | "extendedClassInfo"
        | "objectClasses"
            if entry.is_a("subSchema") =>
        {
            schema::aggregate(name)
        }
        "structuralObjectClass" => stored("objectClass"),
        "tokenGroups" if base => {
            token_groups(state, id).iter().map(|sid| sid.as_bytes().to_vec()).collect()
        }
        "msDS-KeyVersionNumber" | "tokenGroups" => Vec::new(),
        _ => return None,
    })
}

/// The attributes that a request for all attributes gets besides the stored ones.
pub(crate) const ALWAYS: [&str; 2] = ["memberOf", "distinguishedName"];

/// DNs of the groups that list the entry, and those that only the LDIF knew.
fn member_of(state: &State, entry: &Entry) -> Vec<Vec<u8>> {
    let mut groups = entry.values("memberOf").to_vec();
    groups.extend(
        groups_of(state, entry)
            .filter_map(|group| state.store.get(group))
            .map(|group| group.dn.to_string().into_bytes()),
    );
    groups
}

fn groups_of<'a>(state: &'a State, entry: &Entry) -> impl Iterator<Item = EntryId> + 'a {
    let key = entry.dn.key();
    state.store.with_value("member", key.as_str().as_bytes()).into_iter().flatten().copied()
}

/// SIDs of all groups that an account is in, directly or through others, the primary group
/// included.
pub(crate) fn token_groups(state: &State, id: EntryId) -> Vec<Sid> {
    let mut seen = BTreeSet::from([id]);
    let mut waiting = vec![id];
    let mut sids = Vec::new();
    while let Some(id) = waiting.pop() {
        let Some(entry) = state.store.get(id) else { continue };
        let primary = primary_group(state, entry);
        for group in groups_of(state, entry).chain(primary) {
            if seen.insert(group) {
                sids.extend(state.store.get(group).and_then(Entry::sid));
                waiting.push(group);
            }
        }
    }
    sids
}

fn primary_group(state: &State, entry: &Entry) -> Option<EntryId> {
    let rid = u32::try_from(entry.number("primaryGroupID")?).ok()?;
    let (domain, _) = entry.sid()?.split_rid()?;
    state.store.by_sid(&domain.with_rid(rid))
}

/// Whether `from` reaches `to` by following a link attribute any number of times
/// (LDAP_MATCHING_RULE_IN_CHAIN).
pub(crate) fn in_chain(state: &State, attribute: &str, from: EntryId, to: &[u8]) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut waiting = vec![from];
    while let Some(id) = waiting.pop() {
        let Some(entry) = state.store.get(id) else { continue };
        let values = match attribute {
            "memberOf" => member_of(state, entry),
            _ => entry.values(attribute).to_vec(),
        };
        for value in values {
            let Some(dn) = Syntax::Dn.normalise(&value) else { continue };
            if dn == to {
                return true;
            }
            let next = state.store.find_key(&dn);
            waiting.extend(next.filter(|&next| seen.insert(next)));
        }
    }
    false
}
