//! Answers as text that a person can review, in an order that does not depend on the server.

use std::{collections::BTreeMap, fmt::Write};

use ldap_wire::{Attribute, Control, LdapMessage, LdapResult, ProtocolOp, controls};

/// Values that belong to the moment of one answer.
const OF_THE_MOMENT: [&str; 2] = ["currentTime", "highestCommittedUSN"];

/// Controls whose value names state that one server keeps.
const COOKIES: [&str; 2] = [controls::PAGED_RESULTS, "2.16.840.1.113730.3.4.10"];

/// Writes the messages of an answer.
///
/// Entries keep their order only where the question asked for one.
pub(crate) fn text(messages: &[LdapMessage], ordered: bool) -> String {
    let mut entries = Vec::new();
    let mut rest = String::new();
    for message in messages {
        match &message.op {
            ProtocolOp::SearchResultEntry(entry) => {
                let mut text = format!("entry {}\n", entry.dn);
                let mut attributes: Vec<String> = entry.attributes.iter().map(attribute).collect();
                attributes.sort();
                text.extend(attributes);
                entries.push(text + &message.controls.iter().map(control).collect::<String>());
            }
            ProtocolOp::SearchResultReference(urls) => {
                entries.push(format!("reference {}\n", urls.join(" ")));
            }
            ProtocolOp::SearchResultDone(done) => rest += &result("done", done),
            ProtocolOp::CompareResponse(done) => rest += &result("compared", done),
            ProtocolOp::ExtendedResponse(extended) => rest += &result("extended", &extended.result),
            other => panic!("{other:?} answers no question"),
        }
        if !matches!(message.op, ProtocolOp::SearchResultEntry(_)) {
            message.controls.iter().for_each(|each| rest += &control(each));
        }
    }
    if !ordered {
        entries.sort();
    }
    entries.concat() + &rest
}

/// Reads a file of answers, each after the line of its question.
pub(crate) fn read(text: &str) -> BTreeMap<String, String> {
    let answer = |text: &str| {
        let (question, answer) = text.split_once('\n').unwrap();
        (question.to_owned(), answer.trim_end().to_owned() + "\n")
    };
    text.split("\n== ").map(|each| answer(each.strip_prefix("== ").unwrap_or(each))).collect()
}

/// The lines in which two answers differ: `-` for theirs, `+` for ours.
pub(crate) fn difference(theirs: &str, ours: &str) -> String {
    let lines = |text: &str| -> Vec<String> {
        let mut entry = String::new();
        let mut lines = Vec::new();
        for line in text.lines() {
            if let Some(dn) = line.strip_prefix("entry ") {
                entry = format!("{} ", dn.split(',').next().unwrap_or_default());
                lines.push(line.to_owned());
            } else if line.starts_with(' ') {
                lines.push(format!("{entry}{}", line.trim_start()));
            } else {
                lines.push(line.to_owned());
            }
        }
        lines
    };
    let (theirs, ours) = (lines(theirs), lines(ours));
    let mut text = String::new();
    let mut left = ours.clone();
    for line in &theirs {
        match left.iter().position(|other| other == line) {
            Some(at) => drop(left.remove(at)),
            None => writeln!(text, "  - {line}").unwrap(),
        }
    }
    for line in left {
        writeln!(text, "  + {line}").unwrap();
    }
    if text.is_empty() {
        text.push_str("  the same lines in another order\n");
    }
    text
}

fn result(word: &str, result: &LdapResult) -> String {
    let mut text = format!("{word} {}", result.code.0);
    if !result.matched_dn.is_empty() {
        write!(text, " matched {}", result.matched_dn).unwrap();
    }
    if !result.diagnostic.is_empty() {
        write!(text, " {}", result.diagnostic.trim_end().escape_debug()).unwrap();
    }
    for url in &result.referrals {
        write!(text, " referral {url}").unwrap();
    }
    text + "\n"
}

fn attribute(attribute: &Attribute) -> String {
    let name = &attribute.name;
    if attribute.values.is_empty() {
        return format!("  {name}\n");
    }
    if OF_THE_MOMENT.contains(&name.as_str()) {
        return format!("  {name}: (now)\n");
    }
    let mut values: Vec<String> = attribute.values.iter().map(|value| readable(value)).collect();
    values.sort();
    values.iter().map(|value| format!("  {name}:{value}\n")).collect()
}

/// Text after a space; other bytes in hexadecimal after a colon.
fn readable(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) => format!(" {text}"),
        _ => {
            let hexadecimal: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
            format!(": {hexadecimal}")
        }
    }
}

fn control(control: &Control) -> String {
    let value = control.value.as_deref().unwrap_or_default();
    let oid = &control.oid;
    if oid == controls::PAGED_RESULTS {
        let page = controls::PagedResults::decode(value).unwrap();
        let more = if page.cookie.is_empty() { "no" } else { "a" };
        return format!("control {oid} size {} and {more} cookie\n", page.size);
    }
    if COOKIES.contains(&oid.as_str()) {
        return format!("control {oid} of {} bytes\n", value.len());
    }
    format!("control {oid}{}\n", readable(value))
}
