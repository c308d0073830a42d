//! What Windows Server 2022 documents and a Samba DC does otherwise: values in parts, parts of
//! sorted lists, the rootDSE by name, computed attributes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::fmt::Write;

use crate::support::{CAPTURED_AT, Client, clock_at};
use fake_dc_directory::{DcView, Directory, DirectoryConfig, LdifSource, Protection};
use ground::Seed;
use ldap_wire::{
    Control, Filter, LdapMessage, LdapResult, ProtocolOp, ResultCode, Scope, SearchRequest,
    controls::{self, ListView, SortKey},
};

const ADMINISTRATOR: &str = "Administrator@corp.example";
const CROWD: &str = "CN=crowd,OU=Staff,DC=corp,DC=example";

#[test]
fn many_values_come_in_parts() {
    let directory = directory(&crowd(1_600));
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let mut asked = |attribute: &str| -> Vec<(String, usize)> {
        let entry = client.search(CROWD, Scope::BaseObject, "(cn=*)", &[attribute]).0.remove(0);
        entry.attributes.into_iter().map(|each| (each.name, each.values.len())).collect()
    };
    let part = |name: &str, count| (name.to_owned(), count);
    assert_eq!(asked("member"), [part("member", 0), part("member;range=0-1499", 1_500)]);
    assert_eq!(asked("member;range=0-*"), [part("member;range=0-1499", 1_500)]);
    assert_eq!(asked("member;range=1500-*"), [part("member;range=1500-*", 100)]);
    assert_eq!(asked("member;range=10-19"), [part("member;range=10-19", 10)]);
    assert_eq!(asked("Member;Range=1599-1700"), [part("member;range=1599-*", 1)]);
    let refused = client.search(CROWD, Scope::BaseObject, "(cn=*)", &["member;range=x-y"]).1;
    assert_eq!(refused.code, ResultCode::UNWILLING_TO_PERFORM);
}

#[test]
fn a_part_of_a_sorted_list_is_shown() {
    let directory = directory(&crowd(30));
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let sort = Control { value: Some(sort_by(b"sAMAccountName")), ..Control::new(controls::SORT) };
    let view = |target: &[u8]| {
        let numbers = [&[2, 1, 1, 2, 1, 2], target].concat();
        Control { value: Some(wrap(0x30, &numbers)), ..Control::new(controls::VIRTUAL_LIST_VIEW) }
    };
    let mut shown = |controls: Vec<Control>| {
        let (names, done) = names_in_staff(&mut client, controls);
        let view = done.control(controls::VIRTUAL_LIST_VIEW_RESPONSE).cloned();
        (names.join(" "), view, result(done))
    };
    let success = ResultCode::SUCCESS;
    let (names, control, _) = shown(vec![sort.clone(), view(&wrap(0xa0, &[2, 1, 3, 2, 1, 0]))]);
    assert_eq!(names, "member0001 member0002 member0003 member0004");
    assert_eq!(control, Some(ListView::response(3, 30, success)));
    let (names, control, _) = shown(vec![sort.clone(), view(&wrap(0x81, b"member0028a"))]);
    assert_eq!(names, "member0028 member0029");
    assert_eq!(control, Some(ListView::response(30, 30, success)));
    // In a list that the client believes to be twice as long.
    let (names, _, _) = shown(vec![sort, view(&wrap(0xa0, &[2, 1, 20, 2, 1, 60]))]);
    assert_eq!(names, "member0008 member0009 member0010 member0011");
    let (_, _, refused) = shown(vec![view(&wrap(0xa0, &[2, 1, 1, 2, 1, 0]))]);
    assert_eq!(refused.code, ResultCode(60));
}

#[test]
fn what_cannot_be_sorted_by_is_told() {
    let directory = directory(&crowd(3));
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let sort = Control { value: Some(sort_by(b"noSuchName")), ..Control::new(controls::SORT) };
    let told = SortKey::not_sorted(ResultCode::NO_SUCH_ATTRIBUTE);
    let (names, done) = names_in_staff(&mut client, vec![sort.clone()]);
    assert_eq!((names.len(), done.control(controls::SORT_RESPONSE)), (3, Some(&told)));
    let (names, done) = names_in_staff(&mut client, vec![sort.critical()]);
    assert_eq!((names.len(), done.control(controls::SORT_RESPONSE)), (0, Some(&told)));
    assert_eq!(result(done).code, ResultCode::UNAVAILABLE_CRITICAL_EXTENSION);
}

#[test]
fn the_root_dse_tells_more_by_name() {
    let directory = directory("");
    let mut nobody = Client::connect(&directory, Protection::None);
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let text = |client: &mut Client<'_>, name: &str| {
        let root = client.search("", Scope::BaseObject, "(objectClass=*)", &[name]).0.remove(0);
        crate::support::text(&root, name)
    };
    assert_eq!(text(&mut nobody, "msDS-PrincipalName").unwrap(), r"NT AUTHORITY\ANONYMOUS LOGON");
    assert_eq!(text(&mut client, "msDS-PrincipalName").unwrap(), r"CORP\Administrator");
    assert_eq!(text(&mut client, "dsSchemaAttrCount").unwrap(), "1499");
    assert_eq!(text(&mut client, "msDS-PortSSL").unwrap(), "636");
    assert_eq!(text(&mut client, "validFSMOs").unwrap(), "DC=corp,DC=example");
    for name in ["databaseGuid", "dsaVersionString", "supportedConfigurableSettings"] {
        assert!(text(&mut client, name).is_some(), "{name}");
        let all = client.search("", Scope::BaseObject, "(objectClass=*)", &["*"]).0.remove(0);
        assert!(all.values(name).is_empty(), "{name} comes unasked");
    }
}

#[test]
fn attributes_are_made_when_they_are_asked_for() {
    let directory = directory(&crowd(3));
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let mut read = |dn: &str, name: &str| -> Vec<String> {
        let entry = client.search(dn, Scope::BaseObject, "(objectClass=*)", &[name]).0.remove(0);
        let text = |value: &Vec<u8>| String::from_utf8_lossy(value).into_owned();
        entry.values(name).iter().map(text).collect()
    };
    let member = "CN=member0000,OU=Staff,DC=corp,DC=example";
    assert_eq!(read(member, "msDS-PrincipalName"), [r"CORP\member0000"]);
    assert_eq!(read(member, "msds-memberOfTransitive"), [CROWD]);
    assert_eq!(read(CROWD, "msds-memberTransitive").len(), 3);
    assert_eq!(read("OU=Staff,DC=corp,DC=example", "msDS-Approx-Immed-Subordinates"), ["4"]);
    let account = "CN=DC1,OU=Domain Controllers,DC=corp,DC=example";
    assert_eq!(read(account, "msDS-SiteName"), ["Default-First-Site-Name"]);
    assert_eq!(read(account, "msDS-isGC"), ["TRUE"]);
    let schema = "CN=Aggregate,CN=Schema,CN=Configuration,DC=corp,DC=example";
    let syntax = "SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' SINGLE-VALUE";
    let account_name = format!("( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' {syntax} )");
    assert!(read(schema, "attributeTypes").contains(&account_name));
    assert_eq!(read(schema, "objectClasses").len(), 269);
}

#[test]
fn questions_take_windows_forms() {
    let directory = directory(&crowd(2));
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    for (filter, count) in [
        // By the identifier of an attribute, about a value, and nothing of what Samba makes up.
        ("(1.2.840.113556.1.4.221=member0001)", 1),
        ("(sAMAccountName~=member0001)", 1),
        ("(userAccountControl=51*)", 0),
        ("(userAccountControl>=abc)", 0),
        ("(cn:1.2.840.113556.1.4.803:=1)", 0),
        ("(canonicalName=*)", 0),
        ("(memberOf:1.2.840.113556.1.4.1941:=CN=crowd,OU=Staff,DC=corp,DC=example)", 2),
    ] {
        assert_eq!(client.find(filter, &["cn"]).len(), count, "{filter}");
    }
    let deep = (0..90).fold(Filter::Present("cn".into()), |inner, _| Filter::Not(Box::new(inner)));
    let search = SearchRequest { base: CROWD.into(), filter: deep, ..SearchRequest::default() };
    let found = client.send(LdapMessage::new(2, ProtocolOp::SearchRequest(search)));
    assert_eq!(found.len(), 2);
}

fn names_in_staff(client: &mut Client<'_>, controls: Vec<Control>) -> (Vec<String>, LdapMessage) {
    let search = SearchRequest {
        base: "OU=Staff,DC=corp,DC=example".into(),
        scope: Scope::WholeSubtree,
        filter: Filter::parse("(objectClass=user)").unwrap(),
        attributes: vec!["sAMAccountName".into()],
        ..SearchRequest::default()
    };
    let op = ProtocolOp::SearchRequest(search);
    let mut messages = client.send(LdapMessage { id: 2, op, controls });
    let done = messages.pop().unwrap();
    let name = |message: LdapMessage| match message.op {
        ProtocolOp::SearchResultEntry(entry) => {
            crate::support::text(&entry, "sAMAccountName").unwrap()
        }
        other => panic!("{other:?} among entries"),
    };
    (messages.into_iter().map(name).collect(), done)
}

fn result(done: LdapMessage) -> LdapResult {
    match done.op {
        ProtocolOp::SearchResultDone(result) => result,
        other => panic!("{other:?} ends no search"),
    }
}

fn sort_by(name: &[u8]) -> Vec<u8> {
    wrap(0x30, &wrap(0x30, &wrap(4, name)))
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, u8::try_from(content.len()).unwrap()], content].concat()
}

/// LDIF of a group of that many users.
fn crowd(count: usize) -> String {
    let mut text = String::new();
    let mut members = String::new();
    for number in 0..count {
        let dn = format!("CN=member{number:04},OU=Staff,DC=corp,DC=example");
        write!(text, "dn: {dn}\nsAMAccountName: member{number:04}\n\n").unwrap();
        writeln!(members, "member: {dn}").unwrap();
    }
    text + &format!("dn: {CROWD}\nobjectClass: group\nsAMAccountName: crowd\n{members}")
}

fn directory(text: &str) -> Directory {
    let dcs = vec![DcView::new("dc1", "corp.example")];
    Directory::build(DirectoryConfig {
        dcs,
        sources: vec![LdifSource { name: "test.ldif".into(), text: text.into() }],
        ..DirectoryConfig::new("corp.example", Seed::new(1), clock_at(CAPTURED_AT).clock())
    })
    .unwrap()
}
