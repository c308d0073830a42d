//! The captured questions, asked again of a directory that was loaded from the captured LDIF.
//!
//! Answers are compared message by message and attribute by attribute. What may differ is listed,
//! with the reason, at the top.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::collections::BTreeMap;

use crate::support::{Client, bytes, captured_config, captured_dc, captured_ldif, json, messages};
use fake_dc_directory::{Directory, LdifSource, Protection, Then, ldif};
use ldap_wire::{
    AddRequest, Attribute, CompareRequest, Control, LdapMessage, ProtocolOp, Scope, SearchRequest,
    controls::{self, PagedResults},
};

/// Cases that need what is not built yet.
const LEFT_OUT: [(&str, &str); 4] = [
    ("garbage", "the server refuses what does not decode"),
    ("bad-length", "the server refuses what does not decode"),
    ("unknown-op", "the server refuses what does not decode"),
    ("sasl-gss-spnego-empty", "the hint of mechanisms comes with the Kerberos acceptor"),
];

/// Values that belong to the moment of one capture.
const OF_THE_MOMENT: [&str; 2] = ["currentTime", "highestCommittedUSN"];

#[test]
fn captured_exchanges_get_the_captured_answers() {
    let directory = Directory::build(captured_config(captured_ldif())).unwrap();
    let file = json("wire/ldap-pdus.json");
    for case in file["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if LEFT_OUT.iter().any(|(left_out, _)| *left_out == name) {
            continue;
        }
        let protection = match case["transport"].as_str() {
            Some("ldaps") => Protection::Tls,
            _ => Protection::None,
        };
        let mut session = directory.open_session(&captured_dc(), protection);
        let mut answers = Vec::new();
        let mut expected = Vec::new();
        let mut closed = false;
        for exchange in case["exchanges"].as_array().unwrap() {
            for request in messages(&bytes(&exchange["request"])) {
                let reply = directory.handle(&mut session, request);
                closed |= reply.then == Then::Close;
                answers.extend(reply.messages);
            }
            for response in exchange["responses"].as_array().unwrap() {
                expected.extend(messages(&bytes(response)));
            }
            assert_eq!(closed, exchange["note"] == "connection closed by server", "{name}");
        }
        assert_same(name, answers, expected);
    }
}

/// The texts that OpenLDAP's tools printed for requests that Samba refused.
#[test]
fn captured_refusals_are_worded_the_same() {
    let directory = Directory::build(captured_config(captured_ldif())).unwrap();
    let mut client = Client::bound(&directory, "Administrator@lab.example");
    let search = |base: &str, scope, attribute: &str| {
        ProtocolOp::SearchRequest(SearchRequest {
            base: base.into(),
            scope,
            attributes: vec![attribute.into()],
            ..SearchRequest::default()
        })
    };
    let add = |name: &str, class: &str| {
        ProtocolOp::AddRequest(AddRequest {
            entry: format!("CN={name},CN=Users,DC=lab,DC=example"),
            attributes: vec![Attribute::new("objectClass", [class])],
        })
    };
    let compare = |value: &str| {
        ProtocolOp::CompareRequest(CompareRequest {
            entry: "CN=krbtgt,CN=Users,DC=lab,DC=example".into(),
            attribute: "sAMAccountName".into(),
            value: value.into(),
        })
    };
    let empty_base = "empty base DN at source4/dsdb/samdb/ldb_modules/partition.c:821";
    for (request, code, text) in [
        (
            add("q", "noSuchClass"),
            16,
            "0000200A: objectclass noSuchClass is not a valid objectClass in schema",
        ),
        (add("krbtgt", "user"), 68, "Entry CN=krbtgt,CN=Users,DC=lab,DC=example already exists"),
        (compare("krbtgt"), 6, ""),
        (compare("x"), 5, ""),
        (
            search("", Scope::BaseObject, "validFSMOs"),
            1,
            "00002020: operations error at source4/dsdb/samdb/ldb_modules/rootdse.c:590",
        ),
        (
            search("notadn", Scope::BaseObject, "*"),
            34,
            "00002032: ldb_search: invalid basedn '(null)'",
        ),
        (search("", Scope::SingleLevel, "1.1"), 32, empty_base),
        (search("", Scope::WholeSubtree, "1.1"), 32, empty_base),
    ] {
        let result = client.result(request.clone());
        assert_eq!((result.code.0, result.diagnostic.as_str()), (code, text), "{request:?}");
    }
}

#[test]
fn captured_searches_find_the_captured_entries() {
    let sources = captured_ldif();
    let directory = Directory::build(captured_config(sources.clone())).unwrap();
    let mut compared = 0;
    for source in &sources {
        compared += usize::from(search_again(&directory, source));
    }
    assert!(compared > 35, "{compared} searches");
}

#[test]
fn each_captured_file_serves_its_entries_alone() {
    for source in captured_ldif() {
        let directory = Directory::build(captured_config(vec![source.clone()])).unwrap();
        let mut client = Client::bound(&directory, "Administrator@lab.example");
        for record in ldif::parse(&source.name, &source.text).unwrap() {
            let Some(dn) = plain_dn(&record.dn) else { continue };
            let found = client.search(dn, Scope::BaseObject, "(objectClass=*)", &["*"]).0;
            assert_eq!(found.len(), 1, "{}: {dn}", source.name);
            for given in &record.attributes {
                let name = &given.attribute.name;
                let stored = directory_keeps(name)
                    && given.attribute.values.iter().any(|value| !value.is_empty());
                if stored {
                    assert_eq!(
                        found[0].values(name),
                        given.attribute.values,
                        "{}: {dn}: {name}",
                        source.name
                    );
                }
            }
        }
    }
}

/// Repeats the search that the head of a captured file shows, and compares the entries.
fn search_again(directory: &Directory, source: &LdifSource) -> bool {
    let Some(mut asked) = Asked::read(&source.text) else { return false };
    let mut client = if asked.bound {
        Client::bound(directory, "Administrator@lab.example")
    } else {
        Client::connect(directory, Protection::Tls)
    };
    if asked.global_catalog {
        client.session = client.session.on_global_catalog();
    }
    let mut entries = BTreeMap::new();
    loop {
        let op = ProtocolOp::SearchRequest(asked.search.clone());
        let messages = client.send(LdapMessage { id: 2, op, controls: asked.controls.clone() });
        let mut cookie = Vec::new();
        for message in messages {
            if let Some(page) = message.control(controls::PAGED_RESULTS) {
                cookie = PagedResults::decode(page.value.as_deref().unwrap()).unwrap().cookie;
            }
            match message.op {
                ProtocolOp::SearchResultEntry(entry) => {
                    entries.insert(entry.dn, entry.attributes);
                }
                ProtocolOp::SearchResultDone(result) => {
                    assert!(result.is_success(), "{}: {result:?}", source.name);
                }
                _ => {}
            }
        }
        if cookie.is_empty() {
            break;
        }
        let size = 4;
        asked.controls = vec![PagedResults { size, cookie }.to_control(true)];
    }
    let records = ldif::parse(&source.name, &source.text).unwrap();
    assert_eq!(
        entries.keys().cloned().collect::<Vec<_>>(),
        {
            let mut names: Vec<_> = records.iter().map(|record| record.dn.clone()).collect();
            names.sort();
            names
        },
        "{}",
        source.name
    );
    for record in records {
        let ours = &entries[&record.dn];
        let mut names: Vec<&str> = ours.iter().map(|attribute| attribute.name.as_str()).collect();
        let mut expected: Vec<&str> =
            record.attributes.iter().map(|given| given.attribute.name.as_str()).collect();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{}: {}", source.name, record.dn);
        for given in &record.attributes {
            let name = &given.attribute.name;
            let known = ours.iter().find(|attribute| attribute.name == *name).unwrap();
            if !OF_THE_MOMENT.contains(&name.as_str()) && !asked.search.types_only {
                let mut values = known.values.clone();
                let mut expected = given.attribute.values.clone();
                values.sort();
                expected.sort();
                assert_eq!(values, expected, "{}: {}: {name}", source.name, record.dn);
            }
        }
    }
    true
}

/// The search of a captured file.
struct Asked {
    search: SearchRequest,
    controls: Vec<Control>,
    bound: bool,
    global_catalog: bool,
}

impl Asked {
    /// Reads the `ldapsearch` command in the head of a captured file.
    fn read(text: &str) -> Option<Self> {
        let command = text.lines().find_map(|line| line.strip_prefix("# command: ldapsearch "))?;
        let mut search = SearchRequest { scope: Scope::WholeSubtree, ..SearchRequest::default() };
        let mut asked = Self {
            search: search.clone(),
            controls: Vec::new(),
            bound: false,
            global_catalog: command.contains(":3269"),
        };
        let mut words = shell_words(command).into_iter();
        let mut rest = Vec::new();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-LLL" | "-x" => {}
                "-A" => search.types_only = true,
                "-o" | "-H" | "-w" => drop(words.next()),
                "-D" => {
                    asked.bound = true;
                    words.next();
                }
                "-b" => search.base = words.next()?,
                "-s" => {
                    search.scope = match words.next()?.as_str() {
                        "base" => Scope::BaseObject,
                        "one" => Scope::SingleLevel,
                        _ => Scope::WholeSubtree,
                    }
                }
                "-E" => asked.controls.push(control(&words.next()?)),
                _ => rest.push(word),
            }
        }
        let mut rest = rest.into_iter();
        search.filter = rest.next()?.parse().unwrap();
        search.attributes = rest.collect();
        asked.search = search;
        Some(asked)
    }
}

fn control(text: &str) -> Control {
    if text == "domainScope" {
        return Control::new(controls::DOMAIN_SCOPE);
    }
    if text.contains(controls::EXTENDED_DN) {
        let value = Some(controls::encode_flags(1));
        return Control { value, ..Control::new(controls::EXTENDED_DN).critical() };
    }
    let size = text.trim_start_matches("pr=").trim_end_matches("/noprompt").parse().unwrap();
    PagedResults { size, cookie: Vec::new() }.to_control(true)
}

/// Splits words that the capture wrote with backslashes for quoting.
fn shell_words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut characters = command.chars().peekable();
    while let Some(character) = characters.next() {
        let word = words.last_mut().unwrap();
        match character {
            '\\' => word.extend(characters.next()),
            // The empty base.
            '\'' => {}
            ' ' => words.push(String::new()),
            _ => word.push(character),
        }
    }
    words
}

fn plain_dn(dn: &str) -> Option<&str> {
    let dn = dn.rsplit(">;").next()?;
    (!dn.is_empty()).then_some(dn)
}

/// What is computed is not taken from a file.
fn directory_keeps(name: &str) -> bool {
    let computed = ["tokenGroups", "canonicalName", "msDS-KeyVersionNumber"];
    !computed.contains(&name) && !name.ends_with("Computed")
}

fn assert_same(name: &str, mut ours: Vec<LdapMessage>, mut theirs: Vec<LdapMessage>) {
    for message in ours.iter_mut().chain(&mut theirs) {
        if let ProtocolOp::SearchResultEntry(entry) = &mut message.op {
            entry.attributes.sort_by(|a, b| a.name.cmp(&b.name));
            for attribute in &mut entry.attributes {
                attribute.values.sort();
                if OF_THE_MOMENT.contains(&attribute.name.as_str()) {
                    attribute.values.clear();
                }
            }
            // Samba finds entries in the order of their GUIDs, and most of those were not captured.
            if name.starts_with("paged") || name.starts_with("size-limit") {
                entry.dn = "an entry".to_owned();
            }
        }
    }
    assert_eq!(ours, theirs, "{name}");
}
