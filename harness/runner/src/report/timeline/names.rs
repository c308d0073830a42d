//! Names for people in place of addresses and references.

use std::{collections::BTreeMap, net::IpAddr};

use ground::Event;
use serde_json::{Map, Value};

/// What every reference begins with.
const REFERENCE: &str = "OpaqueRef:";
/// Characters of a reference after that.
const REFERENCE_LENGTH: usize = 36;

/// The names that a case gives.
#[derive(Debug, Default)]
pub(super) struct Names {
    dcs: BTreeMap<IpAddr, String>,
    objects: BTreeMap<String, String>,
}

impl Names {
    pub(super) fn of(events: &[Event], dcs: &BTreeMap<IpAddr, String>) -> Self {
        let mut names = Self { dcs: dcs.clone(), objects: BTreeMap::new() };
        for event in events {
            let fields = event.fields();
            let text = |name: &str| fields.get(name).and_then(Value::as_str);
            match event.kind() {
                "database.written" if text("change") == Some("created") => {
                    let known = text("class").zip(text("object")).zip(fields.get("value"));
                    if let Some(((class, object), value)) = known
                        && let Some(name) = record_name(class, value)
                    {
                        names.objects.insert(object.to_owned(), name);
                    }
                }
                "xapi.call" => {
                    let parameters = fields.get("parameters").and_then(Value::as_object);
                    let host = parameters.and_then(|them| them.get("host")?.as_str());
                    if let Some((host, name)) = host.zip(text("host")) {
                        names.objects.insert(host.to_owned(), name.to_owned());
                    }
                }
                _ => {}
            }
        }
        names
    }

    /// The DC at an address, as a fact writes it.
    pub(super) fn dc(&self, address: &str) -> String {
        let name = address.parse().ok().and_then(|ip: IpAddr| self.dcs.get(&ip));
        name.map_or_else(|| address.to_owned(), Clone::clone)
    }

    /// The name of the object with this reference.
    pub(super) fn object(&self, reference: &str) -> Option<&str> {
        self.objects.get(reference).map(String::as_str)
    }

    /// `text` with names in place of references.
    pub(super) fn put_into(&self, text: &str) -> String {
        let mut named = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(REFERENCE) {
            let (before, reference) = rest.split_at(at);
            let end = REFERENCE.len() + REFERENCE_LENGTH;
            let Some((reference, after)) = reference.split_at_checked(end) else { break };
            named += before;
            named += self.object(reference).unwrap_or(reference);
            rest = after;
        }
        named + rest
    }
}

/// What a new record is called.
fn record_name(class: &str, record: &Value) -> Option<String> {
    let text =
        |name: &str| record.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match class {
        "Certificate" => {
            let name = fingerprint(text("fingerprint_sha256")?);
            Some(match text("name") {
                Some(file) => format!("{name} ({file})"),
                None => name,
            })
        }
        "host" => text("name_label").or_else(|| text("hostname")).map(str::to_owned),
        "message" => text("name").map(str::to_owned),
        "subject" => {
            let attributes = record.get("other_config")?;
            let name = attributes.get("subject-name").and_then(Value::as_str);
            name.or_else(|| text("subject_identifier")).map(str::to_owned)
        }
        _ => None,
    }
}

/// Octets of a fingerprint that are shown.
const SHOWN_OCTETS: usize = 4;

/// A SHA-256 fingerprint, as hosts or DCs write it, so long that nobody takes it for another.
pub(super) fn fingerprint(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let octets = digits.as_bytes().chunks(2).take(SHOWN_OCTETS);
    let octets: Vec<_> =
        octets.map(|octet| String::from_utf8_lossy(octet).to_uppercase()).collect();
    format!("{}…", octets.join(":"))
}

/// The fields of a fact as they are, for a kind without a sentence of its own.
pub(super) fn plain(fields: &Map<String, Value>) -> String {
    let shown: Vec<String> = fields
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| format!("{name}={}", value_text(value)))
        .collect();
    shown.join(" ")
}

/// Longest value shown, in characters.
const SHOWN_CHARACTERS: usize = 160;

/// A value on one line.
pub(super) fn value_text(value: &Value) -> String {
    let text = match value {
        Value::Array(items) => items.iter().map(value_text).collect::<Vec<_>>().join(", "),
        Value::String(text) => text.trim_end().replace('\n', "\\n"),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN_CHARACTERS {
        return text;
    }
    text.chars().take(SHOWN_CHARACTERS).chain(['…']).collect()
}
