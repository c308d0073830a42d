//! The catalogue as a page: `docs/faults.md`.

use std::fmt::Write as _;

use super::{Entry, Explanation, FAMILIES, FaultPlace, show::groups};

/// The page that shows these explanations.
pub fn markdown(explanations: &[Explanation]) -> String {
    let mut page = HEAD.to_owned();
    for (family, about) in FAMILIES {
        let members: Vec<_> =
            explanations.iter().filter(|fault| fault.entry.family() == family).collect();
        let _ = writeln!(page, "| [`{family}`](#{family}) | {} | {about} |", members.len());
    }
    for (family, about) in FAMILIES {
        let _ = write!(page, "\n## {family}\n\n{about}\n");
        for fault in explanations.iter().filter(|fault| fault.entry.family() == family) {
            write_fault(&mut page, fault);
        }
    }
    page
}

const HEAD: &str = "\
<!-- Made by `trustrig faults --markdown > docs/faults.md`; a test fails when it is stale. -->

# Everything that can be wrong

A fault is something real that goes wrong with a domain controller, on the way to it, or on a host. It is
written `ID[:VALUE][@LISTENER]`; `trustrig faults show ID` explains one, and
[the language](../harness/scenario/LANGUAGE.md#faults) says how a scenario sets it.

What the host says is computed when this page is made: a fake DC carries the fault, a simulated host
that trusts the domain's root runs `net ads search` against it, as Samba 4.22 with xapi's smb.conf
does. *LDAPS* has one line for all values of `tls verify peer` that end alike; xapi writes
`ca_and_name_if_available`. *StartTLS* and *LDAP, sealed* are tried in that mode, and so is *LDAPS once
its own root is installed*, where the chain leads to another root than the one the host has. The code is that of
`pool.external_auth_set_ldaps`. Other programs are named where they say something else than of a
sound DC.

| Family | Faults | |
| --- | --- | --- |
";

fn write_fault(page: &mut String, fault: &Explanation) {
    let entry = &fault.entry;
    let _ = write!(page, "\n### {}\n\n{}.\n", entry.id, sentence(entry.summary));
    let _ = write!(page, "\nCause: {}.\n", entry.cause);
    if let Some(value) = &entry.value {
        let _ = write!(page, "\nValue: {value}.\n");
    }
    let _ = write!(page, "\nSet on {}.\n", places(entry));
    let _ = write!(page, "\n```text\n{}\n```\n", entry.drawing.trim_end());
    let _ = write!(page, "\n| Asked over | The host says | xapi says |\n| --- | --- | --- |\n");
    for group in groups(&fault.attempts) {
        let says = group.attempt.conclusion.headline();
        let line = group.stderr().map(|line| format!(": `{}`", cell(&line))).unwrap_or_default();
        let xapi = group.attempt.conclusion.xapi;
        let xapi = xapi.map(|xapi| format!("`{}`", xapi.code)).unwrap_or_default();
        let _ = writeln!(page, "| {} | {says}{line} | {xapi} |", group.ways());
    }
    for finding in &fault.findings {
        let _ = write!(
            page,
            "\n`{}` says:\n\n```text\n{}\n```\n",
            finding.program,
            finding.says.join("\n")
        );
    }
    let stories: Vec<String> = fault
        .stories
        .iter()
        .map(|story| format!("[{0}](../scenarios/{0}/scenario.toml)", story.id))
        .collect();
    if !stories.is_empty() {
        let _ = write!(page, "\nStories: {}.\n", stories.join(", "));
    }
}

fn places(entry: &Entry) -> String {
    let places: Vec<&str> = entry.places.iter().map(|place| place.name()).collect();
    let mut text = places.join(" or ");
    if !entry.listeners.is_empty() && entry.places.contains(&FaultPlace::Dc) {
        text += &format!(", at {}", entry.listeners.join(", "));
    }
    text
}

/// With a capital.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Inside a table a bar ends the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('`', "'")
}
