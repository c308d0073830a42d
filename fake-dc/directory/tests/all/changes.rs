//! The changes that a DC of Samba 4.22.6 was asked for, asked again of ours: result, text and the
//! entry afterwards must be the same (`fixtures/samba-ad/changes`).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{collections::BTreeMap, fmt::Write as _, fs, time::Duration};

use crate::support::{CAPTURED_AT, Client, PASSWORD, clock_at, fixture};
use fake_dc_directory::{
    DcView, Directory, DirectoryConfig, Flavour, Policy, Protection,
    ldif::{self, Record},
};
use ground::{Seed, VirtualClock};
use ldap_wire::{LdapMessage, Scope};

/// Questions whose answers are Samba's own oddities, which we do not copy.
const LEFT_OUT: [(&str, &str); 4] = [
    ("add-user-password-attribute", "userPassword is the password here, as in LDIF files"),
    ("password-user-password", "userPassword is the password here, as in LDIF files"),
    ("password-two-values", "Samba 4.22 takes one of two new passwords"),
    ("password-clear-text-attribute", "clearTextPassword is Samba's own"),
];

/// Questions about entries of the skeleton, which has less than a real domain: only the result is
/// compared.
const OF_SKELETON: [&str; 3] = ["modify-by-sid-wkguid", "move-critical", "policy-no-min-age"];

/// Attributes whose values belong to one run, or that only a real database has.
const OF_ONE_RUN: [&str; 10] = [
    "badPasswordTime",
    "directReports",
    "lastLogonTimestamp",
    "objectGUID",
    "objectSid",
    "replPropertyMetaData",
    "uSNChanged",
    "uSNCreated",
    "whenChanged",
    "whenCreated",
];

#[test]
fn changes_get_the_captured_answers() {
    let time = clock_at(CAPTURED_AT);
    let directory = directory(&time);
    let mut differences = String::new();
    for (question, answer) in questions().iter().zip(answers()) {
        assert_eq!(question.name, answer.name);
        time.advance(Duration::from_secs(1));
        let mut client = Client::connect(&directory, Protection::Tls);
        let bound = match question.comments.get("as").map(String::as_str) {
            Some("-") => None,
            account => {
                let account = account.unwrap_or("Administrator");
                let password = question.comments.get("password").map_or(PASSWORD, |p| p);
                let result = client.bind(&format!("{account}@lab.example"), password);
                (!result.is_success()).then_some(result)
            }
        };
        let result = bound.unwrap_or_else(|| client.result_of(question.request.clone()));
        if LEFT_OUT.iter().any(|(name, _)| *name == question.name) {
            continue;
        }
        let got = (result.code.0, masked(&result.diagnostic));
        let expected = (answer.code, masked(&answer.text));
        if got != expected {
            let _ = writeln!(differences, "{}: {got:?}, but Samba {expected:?}", question.name);
            continue;
        }
        let in_skeleton = OF_SKELETON.contains(&question.name.as_str());
        let Some(entry) = answer.entry.filter(|_| !in_skeleton) else { continue };
        let mut administrator = Client::bound(&directory, "Administrator@lab.example");
        let attributes = ["*", "msDS-KeyVersionNumber", "memberOf"];
        let found =
            administrator.search(&entry.dn, Scope::BaseObject, "(objectClass=*)", &attributes);
        let Some(found) = found.0.first() else {
            let _ = writeln!(differences, "{}: `{}` is not there", question.name, entry.dn);
            continue;
        };
        let ours: BTreeMap<String, Vec<String>> = found
            .attributes
            .iter()
            .filter(|attribute| !OF_ONE_RUN.contains(&attribute.name.as_str()))
            .map(|attribute| {
                (attribute.name.clone(), comparable(&attribute.name, &attribute.values))
            })
            .collect();
        let theirs: BTreeMap<String, Vec<String>> = entry
            .attributes
            .iter()
            .map(|each| &each.attribute)
            .filter(|attribute| !OF_ONE_RUN.contains(&attribute.name.as_str()))
            .map(|attribute| {
                (attribute.name.clone(), comparable(&attribute.name, &attribute.values))
            })
            .collect();
        for name in ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name))) {
            let (ours, theirs) = (ours.get(name), theirs.get(name));
            if ours != theirs {
                let text = format!("{}: {name} is {ours:?}, at Samba {theirs:?}", question.name);
                let _ = writeln!(differences, "{text}");
            }
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
}

fn directory(time: &VirtualClock) -> Directory {
    Directory::build(DirectoryConfig {
        flavour: Flavour::Samba4_22,
        policy: Policy { require_strong_auth: true, ..Policy::default() },
        dcs: vec![DcView::new("dc1", "lab.example")],
        ..DirectoryConfig::new("lab.example", Seed::new(1), time.clock())
    })
    .unwrap()
}

/// Values without order, and without what is drawn or stamped.
fn comparable(name: &str, values: &[Vec<u8>]) -> Vec<String> {
    let mut values: Vec<String> = values
        .iter()
        .map(|value| {
            let text = String::from_utf8_lossy(value).into_owned();
            match name {
                "pwdLastSet" if text != "0" => "set".to_owned(),
                "sAMAccountName" if text.starts_with('$') => {
                    if text.ends_with('$') { "drawn$" } else { "drawn" }.to_owned()
                }
                _ => text,
            }
        })
        .collect();
    values.sort();
    values
}

/// A text without GUIDs, and without the number of a place in a database.
fn masked(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        if word.len() == 36 && word.matches('-').count() == 4 {
            "(guid)"
        } else if word.starts_with('#') {
            "(place)"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

struct Question {
    name: String,
    comments: BTreeMap<String, String>,
    request: LdapMessage,
}

struct Answer {
    name: String,
    code: u32,
    text: String,
    entry: Option<Record>,
}

fn questions() -> Vec<Question> {
    blocks("questions.ldif")
        .into_iter()
        .map(|(name, comments, text)| {
            let changes = ldif::parse_changes("questions.ldif", &text)
                .unwrap_or_else(|errors| panic!("{name}: {errors:?}"));
            let [change] = changes.as_slice() else { panic!("{name}: {changes:?}") };
            Question { name, comments, request: change.to_request(7) }
        })
        .collect()
}

fn answers() -> Vec<Answer> {
    blocks("answers.ldif")
        .into_iter()
        .map(|(name, comments, text)| Answer {
            name,
            code: comments["code"].parse().unwrap(),
            text: comments.get("text").cloned().unwrap_or_default().replace("\\n", "\n"),
            entry: ldif::parse("answers.ldif", &text).unwrap().into_iter().next(),
        })
        .collect()
}

/// Name, comments and text of each block.
fn blocks(file: &str) -> Vec<(String, BTreeMap<String, String>, String)> {
    let text = fs::read_to_string(fixture(&format!("changes/{file}"))).unwrap();
    text.split("\n\n")
        .filter_map(|block| {
            let comment = |line: &str| {
                let (name, value) = line.strip_prefix("# ")?.split_once(": ")?;
                Some((name.to_owned(), value.to_owned()))
            };
            let comments: BTreeMap<_, _> = block.lines().filter_map(comment).collect();
            Some((comments.get("name")?.clone(), comments, format!("{block}\n")))
        })
        .collect()
}
