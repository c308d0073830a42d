//! The file of questions.
//!
//! A line is a search: scope, base, filter, attributes, and controls or limits, separated by
//! ` ~ `. `as NAME` says who asks from there on (`nobody` for a connection without a bind),
//! `port NUMBER` on which port. `differs REASON` marks the question after it.

use std::{collections::BTreeMap, fmt, fs};

use fake_dc_directory::{Sid, ldif};
use ldap_wire::{
    Control, Filter, LdapMessage, ProtocolOp, Scope, SearchRequest,
    controls::{self, PagedResults},
};

/// One search and who asks.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// Account name; `nobody` for none.
    pub(crate) who: String,
    pub(crate) port: u16,
    /// Why ours may answer differently.
    pub(crate) differs: Option<String>,
    pub(crate) search: SearchRequest,
    pub(crate) controls: Vec<Control>,
    /// Whether to ask for further pages until there are none.
    pub(crate) all_pages: bool,
    /// Whether the order of the entries counts.
    pub(crate) ordered: bool,
    line: String,
}

impl Question {
    pub(crate) fn message(&self) -> LdapMessage {
        let op = ProtocolOp::SearchRequest(self.search.clone());
        LdapMessage { id: 2, op, controls: self.controls.clone() }
    }

    fn read(line: &str, names: &Names) -> Self {
        let filled = names.fill(line);
        let mut fields = filled.split(" ~ ").map(str::trim);
        let mut next = || fields.next().unwrap_or_default();
        let scope = match next() {
            "base" => Scope::BaseObject,
            "one" => Scope::SingleLevel,
            "sub" => Scope::WholeSubtree,
            other => panic!("`{other}` is no scope: {line}"),
        };
        let base = next().to_owned();
        let filter = Filter::parse(next()).unwrap_or_else(|error| panic!("{line}: {error}"));
        let attributes = next().split_whitespace().map(str::to_owned).collect();
        let mut question = Self {
            who: String::new(),
            port: 0,
            differs: None,
            search: SearchRequest { base, scope, filter, attributes, ..SearchRequest::default() },
            controls: Vec::new(),
            all_pages: false,
            ordered: false,
            line: line.to_owned(),
        };
        next().split_whitespace().for_each(|word| question.option(word));
        question
    }

    /// A control or limit: `name`, `name=value`, with `!` after the name of a critical control.
    fn option(&mut self, word: &str) {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let critical = name.ends_with('!');
        let number = || value.parse::<u32>().unwrap_or_else(|_| panic!("{word}: no number"));
        let mut flags = |oid: &str, critical| {
            let value = Some(controls::encode_flags(number()));
            self.controls.push(Control { value, critical, oid: oid.to_owned() });
        };
        match name.trim_end_matches('!') {
            "size" => self.search.size_limit = number(),
            "time" => self.search.time_limit = number(),
            "types" => self.search.types_only = true,
            "unordered" => self.ordered = false,
            "extended-dn" if !value.is_empty() => flags(controls::EXTENDED_DN, critical),
            "search-options" => flags(controls::SEARCH_OPTIONS, critical),
            "sd-flags" => flags(controls::SD_FLAGS, critical),
            "pages" => {
                self.all_pages = true;
                let page = PagedResults { size: number(), cookie: Vec::new() };
                self.controls.push(page.to_control(critical));
            }
            "page" => {
                let (size, cookie) = value.split_once(':').unwrap_or((value, ""));
                let (size, cookie) = (size.parse().unwrap(), cookie.as_bytes().to_vec());
                self.controls.push(PagedResults { size, cookie }.to_control(critical));
            }
            "sort" => {
                self.ordered = true;
                let keys: Vec<u8> = value.split(',').flat_map(sort_key).collect();
                self.raw(controls::SORT, critical, Some(wrap(0x30, &keys)));
            }
            "vlv" => {
                self.ordered = true;
                let numbers: Vec<u8> = value.split(',').map(|n| n.parse().unwrap()).collect();
                let [before, after, offset, count] = numbers[..] else { panic!("{word}") };
                let target = wrap(0xa0, &[2, 1, offset, 2, 1, count]);
                let value = [&[2, 1, before, 2, 1, after][..], &target].concat();
                self.raw("2.16.840.1.113730.3.4.9", critical, Some(wrap(0x30, &value)));
            }
            "asq" => {
                let value = wrap(0x30, &wrap(4, value.as_bytes()));
                self.raw("1.2.840.113556.1.4.1504", critical, Some(value));
            }
            name => {
                let oid = NAMES.iter().find(|(known, _)| *known == name).map_or(name, |n| n.1);
                assert!(oid.starts_with(|c: char| c.is_ascii_digit()), "`{name}` is no option");
                let bytes = (0..value.len() / 2)
                    .map(|at| u8::from_str_radix(&value[2 * at..2 * at + 2], 16).unwrap())
                    .collect();
                self.raw(oid, critical, (!value.is_empty()).then_some(bytes));
            }
        }
    }

    fn raw(&mut self, oid: &str, critical: bool, value: Option<Vec<u8>>) {
        self.controls.push(Control { oid: oid.to_owned(), critical, value });
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ~ {}", self.who, self.port, self.line)
    }
}

/// Names of controls whose value, if any, is given in hexadecimal.
const NAMES: [(&str, &str); 7] = [
    ("dirsync", "1.2.840.113556.1.4.841"),
    ("domain-scope", controls::DOMAIN_SCOPE),
    ("extended-dn", controls::EXTENDED_DN),
    ("show-deleted", controls::SHOW_DELETED),
    ("show-recycled", controls::SHOW_RECYCLED),
    ("tree-delete", controls::TREE_DELETE),
    ("verify-name", "1.2.840.113556.1.4.1338"),
];

/// `-name` sorts by that attribute in reverse, `name:rule` by that rule.
fn sort_key(text: &str) -> Vec<u8> {
    let (name, rule) = text.split_once(':').unwrap_or((text, ""));
    let mut key = wrap(4, name.trim_start_matches('-').as_bytes());
    if !rule.is_empty() {
        key.extend(wrap(0x80, rule.as_bytes()));
    }
    if name.starts_with('-') {
        key.extend([0x81, 1, 0xff]);
    }
    wrap(0x30, &key)
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag, u8::try_from(content.len()).unwrap()];
    assert!(content.len() < 128);
    bytes.extend_from_slice(content);
    bytes
}

/// All questions of the fixture.
pub(crate) fn all() -> Vec<Question> {
    let names = Names::read();
    let (mut who, mut port, mut differs) = (String::new(), 636, None);
    let mut questions = Vec::new();
    for line in fs::read_to_string(crate::fixture("questions.txt")).unwrap().lines() {
        match line.split_once(' ') {
            None | Some(("#", _)) => {}
            Some(("as", name)) => who = name.to_owned(),
            Some(("port", number)) => port = number.parse().unwrap(),
            Some(("differs", reason)) => differs = Some(reason.to_owned()),
            Some(_) => questions.push(Question {
                who: who.clone(),
                port,
                differs: differs.take(),
                ..Question::read(line, &names)
            }),
        }
    }
    questions
}

/// Identifiers of the entries in the fixture, for `{sid NAME}` and its like in a question. NAME is
/// that of an account; without one, the domain is meant.
struct Names(BTreeMap<String, (Vec<u8>, Vec<u8>)>);

impl Names {
    fn read() -> Self {
        let text = fs::read_to_string(crate::fixture("directory.ldif")).unwrap();
        let mut names = BTreeMap::new();
        for record in ldif::parse("directory.ldif", &text).unwrap() {
            let value = |name: &str| {
                let found = record.attributes.iter().find(|each| each.attribute.name == name);
                found.map(|found| found.attribute.values[0].clone()).unwrap_or_default()
            };
            let account = String::from_utf8(value("sAMAccountName")).unwrap();
            let is_domain = record.dn == "DC=lab,DC=example";
            if is_domain || !account.is_empty() {
                names.insert(account, (value("objectSid"), value("objectGUID")));
            }
        }
        Self(names)
    }

    fn fill(&self, line: &str) -> String {
        let mut filled = line
            .replace("{users}", "CN=Users,{dn}")
            .replace("{alice}", "CN=Alice Normal,CN=Users,{dn}")
            .replace("{schema}", "CN=Schema,CN=Configuration,{dn}")
            .replace("{dn}", "DC=lab,DC=example");
        while let Some((before, rest)) = filled.split_once('{') {
            let (inside, after) = rest.split_once('}').unwrap();
            let (form, name) = inside.split_once(' ').unwrap_or((inside, ""));
            let (sid, guid) = self.0.get(name).unwrap_or_else(|| panic!("who is `{name}`? {line}"));
            let hex = |bytes: &[u8], before: &str| -> String {
                bytes.iter().map(|byte| format!("{before}{byte:02x}")).collect()
            };
            let value = match form {
                "sid" => Sid::from_bytes(sid).unwrap().to_string(),
                "sid-hex" => hex(sid, ""),
                "sid-escaped" => hex(sid, "\\"),
                "guid" => uuid::Uuid::from_slice_le(guid).unwrap().to_string(),
                "guid-hex" => hex(guid, ""),
                "guid-escaped" => hex(guid, "\\"),
                _ => panic!("`{form}` is no form: {line}"),
            };
            filled = format!("{before}{value}{after}");
        }
        filled
    }
}
