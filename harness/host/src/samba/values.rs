//! How `net` prints values and errors of LDAP (`ads_dump` and `ads_errstr` of Samba 4.22).

use std::fmt::Write as _;

use ground::Secret;
use ldap_wire::{Attribute, ResultCode, SearchResultEntry};
use uuid::Uuid;

/// Attributes printed as a GUID.
const GUIDS: [&str; 3] = ["msExchMailboxGuid", "netbootGUID", "objectGUID"];
/// Attributes printed as SIDs.
const SIDS: [&str; 6] = [
    "mS-DS-CreatorSID",
    "objectSid",
    "securityIdentifier",
    "tokenGroups",
    "tokenGroupsGlobalandUniversal",
    "tokenGroupsNoGCAcceptable",
];
/// Attributes printed as hexadecimal digits. Samba explains a security descriptor in several
/// lines; the model does not.
const BINARIES: [&str; 2] = ["dnsRecord", "nTSecurityDescriptor"];

/// Lines `attribute: value` of one entry, in the order of the server; `None` if one of its SIDs is
/// none, at which Samba stops.
pub(super) fn lines(entry: &SearchResultEntry) -> Option<Vec<String>> {
    let lines: Vec<Vec<String>> =
        entry.attributes.iter().map(attribute_lines).collect::<Option<_>>()?;
    Some(lines.concat())
}

fn attribute_lines(attribute: &Attribute) -> Option<Vec<String>> {
    let is_one_of =
        |names: &[&str]| names.iter().any(|name| attribute.name.eq_ignore_ascii_case(name));
    let shown: fn(&[u8]) -> Option<String> = if is_one_of(&SIDS) {
        sid_text
    } else if is_one_of(&GUIDS) {
        |value| Some(guid_text(value).unwrap_or_else(|| hex(value)))
    } else if is_one_of(&BINARIES) {
        |value| Some(hex(value))
    } else {
        |value| Some(String::from_utf8_lossy(value).into_owned())
    };
    let line = |value: &Vec<u8>| Some(format!("{}: {}", attribute.name, shown(value)?));
    attribute.values.iter().map(line).collect()
}

/// The bytes of a SID in text; `None` if it is none.
pub(super) fn sid_bytes(text: &str) -> Option<Vec<u8>> {
    let mut numbers = text.strip_prefix("S-")?.split('-');
    let revision: u8 = numbers.next()?.parse().ok()?;
    let authority: u64 = numbers.next()?.parse().ok()?;
    let subs = numbers.map(|number| number.parse().ok()).collect::<Option<Vec<u32>>>()?;
    let mut bytes = vec![revision, u8::try_from(subs.len()).ok()?];
    bytes.extend(&authority.to_be_bytes()[2..]);
    subs.iter().for_each(|sub| bytes.extend(sub.to_le_bytes()));
    Some(bytes)
}

/// `S-1-5-21-…` of a binary SID (\[MS-DTYP\] 2.4.2).
pub(super) fn sid_text(sid: &[u8]) -> Option<String> {
    let (&[revision, count], rest) = sid.split_first_chunk::<2>()?;
    let (authority, parts) = rest.split_first_chunk::<6>()?;
    if parts.len() != usize::from(count) * 4 {
        return None;
    }
    let authority = authority.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let mut text = format!("S-{revision}-{authority}");
    for part in parts.chunks_exact(4) {
        let number = part.iter().rev().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        // Writing to a string does not fail.
        let _ = write!(text, "-{number}");
    }
    Some(text)
}

/// A password as AD takes it: in quotes, in UTF-16 (\[MS-ADTS\] 3.1.1.3.1.5.1).
pub(super) fn utf16_quoted(password: &Secret) -> Vec<u8> {
    format!("\"{}\"", password.expose()).encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn guid_text(guid: &[u8]) -> Option<String> {
    Some(Uuid::from_bytes_le(guid.try_into().ok()?).to_string())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}

/// What `ldap_err2string` of OpenLDAP 2.6 says.
pub(super) fn result_text(code: ResultCode) -> String {
    let text = match code.0 {
        0 => "Success",
        1 => "Operations error",
        2 => "Protocol error",
        3 => "Time limit exceeded",
        4 => "Size limit exceeded",
        5 => "Compare False",
        6 => "Compare True",
        7 => "Authentication method not supported",
        8 => "Strong(er) authentication required",
        10 => "Referral",
        11 => "Administrative limit exceeded",
        12 => "Critical extension is unavailable",
        13 => "Confidentiality required",
        14 => "SASL bind in progress",
        16 => "No such attribute",
        17 => "Undefined attribute type",
        18 => "Inappropriate matching",
        19 => "Constraint violation",
        20 => "Type or value exists",
        21 => "Invalid syntax",
        32 => "No such object",
        33 => "Alias problem",
        34 => "Invalid DN syntax",
        36 => "Alias dereferencing problem",
        48 => "Inappropriate authentication",
        49 => "Invalid credentials",
        50 => "Insufficient access",
        51 => "Server is busy",
        52 => "Server is unavailable",
        53 => "Server is unwilling to perform",
        54 => "Loop detected",
        64 => "Naming violation",
        65 => "Object class violation",
        66 => "Operation not allowed on non-leaf",
        67 => "Operation not allowed on RDN",
        68 => "Already exists",
        69 => "Cannot modify object class",
        71 => "Operation affects multiple DSAs",
        80 => "Other (e.g., implementation specific) error",
        _ => "Unknown error",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_printed_by_attribute() {
        let sid = [1, 2, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0xf6, 1, 0, 0];
        let mut guid = [0; 16];
        guid[0] = 0x4c;
        let mut entry = SearchResultEntry {
            dn: "CN=x".to_owned(),
            attributes: vec![
                Attribute::new("objectSid", [sid]),
                Attribute::new("objectGUID", [guid]),
                Attribute::new("name", ["Alice", "Bob"]),
                Attribute::new("dnsRecord", [[0xab, 1]]),
            ],
        };
        assert_eq!(
            lines(&entry).unwrap(),
            [
                "objectSid: S-1-5-21-502",
                "objectGUID: 0000004c-0000-0000-0000-000000000000",
                "name: Alice",
                "name: Bob",
                "dnsRecord: AB01",
            ]
        );
        entry.attributes.push(Attribute::new("OBJECTSID", [[7]]));
        assert_eq!(lines(&entry), None);
    }

    proptest! {
        #[test]
        fn any_sid_is_printed_or_refused(sid in prop::collection::vec(any::<u8>(), 0..40)) {
            let Some(text) = sid_text(&sid) else { return Ok(()) };
            prop_assert_eq!(sid_text(&sid_bytes(&text).unwrap()), Some(text));
        }
    }
}
