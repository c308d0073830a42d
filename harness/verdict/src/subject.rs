//! Distinguished names as text.

use crate::{
    certificate::attributes,
    der::{Reader, tag},
    name::directory_string,
};

/// What GnuTLS compares of two names that differ in their bytes (`_gnutls_x509_compare_raw_dn`,
/// asked of 3.7.9): their text, so that the kind of string does not count. Letter case, blanks and
/// order do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameText(Vec<Vec<Attribute>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    oid: Vec<u8>,
    /// UTF8String for whatever is text.
    kind: u8,
    value: Vec<u8>,
}

impl NameText {
    /// `None` if `name` is no Name.
    pub(crate) fn of(name: &[u8]) -> Option<Self> {
        let mut sets = Reader::only(name, tag::SEQUENCE).ok()?.inner();
        let mut found = Vec::new();
        while !sets.is_empty() {
            let mut members = sets.element().ok()?.inner();
            let mut set = Vec::new();
            while !members.is_empty() {
                let mut parts = members.element().ok()?.inner();
                let (oid, value) = (parts.element().ok()?.content, parts.element().ok()?);
                let text = match is_directory_string(oid) && value.tag != tag::IA5_STRING {
                    true => directory_string(value.tag, value.content),
                    false => None,
                };
                let (kind, value) = match text {
                    Some(text) => (tag::UTF8_STRING, text),
                    None => (value.tag, value.content.to_vec()),
                };
                set.push(Attribute { oid: oid.to_vec(), kind, value });
            }
            found.push(set);
        }
        Some(Self(found))
    }
}

/// The attributes that GnuTLS reads as a DirectoryString: CN, L, ST, street, O and OU. IA5String is
/// no choice of that.
fn is_directory_string(oid: &[u8]) -> bool {
    matches!(oid, [0x55, 4, 3 | 7..=11])
}

/// RFC 4514 text of a Name: last attribute first, escaped.
pub(crate) fn subject_text(name: &[u8]) -> String {
    let attributes = attributes(name);
    let texts: Vec<String> = attributes
        .iter()
        .rev()
        .map(|(oid, kind, value)| format!("{}={}", keyword(oid), value_text(*kind, value)))
        .collect();
    texts.join(",")
}

fn keyword(oid: &str) -> &str {
    match oid {
        "2.5.4.3" => "CN",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "EMAIL",
        other => other,
    }
}

fn value_text(kind: u8, value: &[u8]) -> String {
    let Some(text) = directory_string(kind, value) else {
        return value.iter().fold("#".to_owned(), |text, octet| format!("{text}{octet:02X}"));
    };
    let mut escaped = String::new();
    for character in String::from_utf8_lossy(&text).chars() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => {
                escaped.push('\\');
                escaped.push(character);
            }
            control if control.is_control() => {
                escaped.push_str(&format!("\\{:02X}", u32::from(control)));
            }
            other => escaped.push(other),
        }
    }
    escaped
}
