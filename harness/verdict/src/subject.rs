//! Distinguished names as text.

use crate::{certificate::attributes, name::directory_string};

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
