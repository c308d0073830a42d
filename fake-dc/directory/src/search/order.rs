//! Sorted results, and parts of them.

use ldap_wire::{
    LdapResult, ResultCode,
    controls::{self, ListTarget, ListView, SortKey},
};

use crate::{
    config::Flavour,
    diagnostic::Diagnostics,
    entry::Entry,
    schema::{self, Syntax},
    search::{Answer, options::Options},
    store::EntryId,
};

/// Sorts as the request asks, and says so in the answer where the product does.
pub(crate) fn sort(
    diagnostics: Diagnostics,
    options: &Options,
    entries: &mut [(EntryId, &Entry)],
    answer: &mut Answer,
) -> Result<(), LdapResult> {
    let Some(sort) = &options.sort else { return Ok(()) };
    let windows = diagnostics.flavour == Flavour::WindowsServer2022;
    let Some(key) = sort.keys.first() else {
        return Err(diagnostics.nothing_to_sort_by());
    };
    if windows && schema::attribute(&key.attribute).is_none() {
        answer.controls.push(SortKey::not_sorted(ResultCode::NO_SUCH_ATTRIBUTE));
        return if sort.critical { Err(diagnostics.unknown_control()) } else { Ok(()) };
    }
    // Further keys are ignored.
    by_key(key, entries);
    // Samba 4.22 sorts and does not say so.
    answer.controls.extend(windows.then(SortKey::sorted));
    Ok(())
}

/// Sorts by one key; entries without the attribute come last (RFC 2891 §2.2).
fn by_key(key: &SortKey, entries: &mut [(EntryId, &Entry)]) {
    let value = |entry: &Entry| order_of(&key.attribute, entry.values(&key.attribute).first()?);
    entries.sort_by_cached_key(|(_, entry)| {
        let value = value(entry);
        (value.is_none(), value)
    });
    if key.reverse {
        let present = entries.partition_point(|(_, entry)| value(entry).is_some());
        entries[..present].reverse();
    }
}

/// What a value sorts by: its number, or its normal form.
fn order_of(attribute: &str, value: &[u8]) -> Option<(Option<i64>, Vec<u8>)> {
    let syntax = schema::syntax(attribute);
    let value = syntax.normalise(value)?;
    let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
    // Texts have no number, so that they sort by themselves.
    Some((number.filter(|_| syntax == Syntax::Integer), value))
}

/// The part of a sorted list that the request asks for.
pub(crate) fn view(
    diagnostics: Diagnostics,
    options: &Options,
    entries: &mut Vec<(EntryId, &Entry)>,
    answer: &mut Answer,
) -> Result<(), LdapResult> {
    let Some(view) = &options.view else { return Ok(()) };
    let Some(key) = options.sort.as_ref().and_then(|sort| sort.keys.first()) else {
        return Err(diagnostics.view_without_order());
    };
    let count = entries.len();
    let position = match &view.target {
        ListTarget::Offset { offset, count: believed } => place(*offset, *believed, count),
        ListTarget::Value(value) => {
            let bound = order_of(&key.attribute, value);
            let below = |entry: &Entry| {
                let own = entry.values(&key.attribute).first();
                let own = own.and_then(|value| order_of(&key.attribute, value));
                own.is_some() && if key.reverse { own > bound } else { own < bound }
            };
            entries.iter().position(|(_, entry)| !below(entry)).unwrap_or(count)
        }
    };
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let control = ListView::response(number(position + 1), number(count), ResultCode::SUCCESS);
    answer.controls.push(control);
    let width = |entries: u32| usize::try_from(entries).unwrap_or(usize::MAX);
    let start = position.saturating_sub(width(view.before));
    let end = position.saturating_add(width(view.after)).saturating_add(1).min(count);
    entries.truncate(end);
    entries.drain(..start.min(end));
    Ok(())
}

/// Where the entry is, counted from zero, that a client means which believes in `believed`
/// entries. First and last stay what they are, whatever the client believes; zero is the last.
fn place(offset: u32, believed: u32, count: usize) -> usize {
    let last = count.saturating_sub(1);
    let known = u32::try_from(count).unwrap_or(u32::MAX);
    let believed = if believed == 0 { known } else { believed };
    match (offset, believed) {
        (0, _) => last,
        (offset, believed) if offset >= believed => last,
        (offset, believed) => {
            let (part, whole) = (u64::from(offset - 1), u64::from(believed - 1));
            let scaled = (2 * part * u64::from(known.saturating_sub(1)) + whole) / (2 * whole);
            usize::try_from(scaled).unwrap_or(last).min(last)
        }
    }
}

/// The answer of an attribute-scoped query.
pub(crate) fn scoped(answer: &mut Answer, code: ResultCode) {
    let control = controls::result_control(controls::ATTRIBUTE_SCOPED_QUERY, code);
    answer.controls.push(control);
}
