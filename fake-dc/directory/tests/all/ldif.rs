//! LDIF: what is read, what is written back, and how mistakes are told.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use crate::support::{CAPTURED_AT, Client, captured_ldif, clock_at, text};
use fake_dc_directory::{
    DcView, Directory, DirectoryConfig, DirectoryError, LdifSource,
    ldif::{self, Record, RecordAttribute},
};
use ground::Seed;
use ldap_wire::Attribute;
use proptest::{collection::vec, prelude::*};

#[test]
fn every_captured_file_is_read() {
    let mut records = 0;
    for source in captured_ldif() {
        match ldif::parse(&source.name, &source.text) {
            Ok(found) => records += found.len(),
            Err(errors) => panic!("{errors:?}"),
        }
    }
    assert_eq!(records, 49);
}

#[test]
fn the_forms_of_rfc_2849_are_read() {
    let text = "\u{feff}version: 1\r\n\
        # a comment that\r\n  goes on\r\n\
        dn: CN=a,\r\n DC=x\r\n\
        cn:a\r\n\
        description:  two  spaces \r\n\
        CN:: Yg==\r\n\
        # in between\r\n\
        empty:\r\n\
        tagged;lang-de: ja\r\n\
        \r\n\
        \r\n\
        dn::\r\n\
        a: 1\r\n";
    let records = ldif::parse("test.ldif", text).unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!((records[0].dn.as_str(), records[0].line), ("CN=a,DC=x", 4));
    let attributes: Vec<String> =
        records[0].attributes.iter().map(|each| format!("{:?}", each.attribute)).collect();
    insta::assert_snapshot!(attributes.join("\n"), @r#"
    cn: ["a", "b"]
    description: ["two  spaces "]
    empty: [""]
    tagged;lang-de: ["ja"]
    "#);
    assert_eq!(records[1].dn, "");
}

#[test]
fn all_mistakes_are_told_with_file_line_and_remedy() {
    let broken = LdifSource {
        name: "broken.ldif".into(),
        text: "version: 2\n\n\
            cn: without a name\nsn: same record\n\n\
            dn: CN=a,DC=corp,DC=example\nno colon here\ncn:: !!!\njpegPhoto:< file:///tmp/a\n\n\
            \x20continues nothing\n\n\
            dn: CN=b,DC=corp,DC=example\nchangetype: destroy\n\n\
            dn: CN=b,DC=corp,DC=example\nchangetype: modify\nsn: b\n\n\
            dn: CN=b,DC=corp,DC=example\nchangetype: modify\nadd: sn\nsn: b\ncn: b\n\n\
            dn: CN=b,DC=corp,DC=example\nchangetype: modrdn\ndeleteoldrdn: 1\n\n\
            dn: CN=b,DC=corp,DC=example\nchangetype: modrdn\nnewrdn: CN=c\ndeleteoldrdn: 2\n\n\
            dn: CN=b,DC=corp,DC=example\ncontrol: permissive\nchangetype: delete\n\n\
            dn: CN=b,DC=corp,DC=example\nchangetype: modrdn\n"
            .into(),
    };
    let wrong = LdifSource {
        name: "wrong.ldif".into(),
        text: "dn: nonsense\ncn: a\n\n\
            dn: CN=c,DC=other,DC=example\ncn: c\n\n\
            dn: CN=d,DC=corp,DC=example\nobjectSid: S-1-x\nuserAccountControl: many\n\
            whenCreated: yesterday\nisCriticalSystemObject: yes\nmember: bob\n\
            objectGUID: 12\nuserPassword:: //8=\n\n\
            dn: CN=e,DC=corp,DC=example\nsAMAccountName: eins\n\n\
            dn: CN=f,DC=corp,DC=example\nsAMAccountName: EINS\n"
            .into(),
    };
    let error = build(vec![broken, wrong]).unwrap_err();
    assert!(matches!(error, DirectoryError::Ldif(_)));
    insta::assert_snapshot!(error, @r"
    broken.ldif:1: LDIF version `2` is not known
      help: write `version: 1` or leave it out
    broken.ldif:3: record does not begin with `dn:`
      help: begin each record with `dn:`, and keep blank lines out of records
    broken.ldif:7: line has no `:` after an attribute name
      help: write `attribute: value`, or begin the line with a space if it continues the line above
    broken.ldif:8: value of `cn` is not base64
      help: encode the value again, for example with `base64 -w0`
    broken.ldif:9: value is in another file
      help: put the value itself into the file, in base64 after `::`
    broken.ldif:11: line begins with a space but continues nothing
      help: remove the space at the start of the line, or the blank line above it
    broken.ldif:14: `destroy` is not a kind of change
      help: write `add`, `delete`, `modify` or `modrdn`
    broken.ldif:18: `sn` stands where `add`, `delete` or `replace` should
      help: write `add`, `delete` or `replace` here
    broken.ldif:24: `cn` stands where `sn` should
      help: write `sn` here
    broken.ldif:28: `deleteoldrdn` stands where `newrdn` should
      help: write `newrdn` here
    broken.ldif:33: `2` stands where `deleteoldrdn: 1` should
      help: write `deleteoldrdn: 1` here
    broken.ldif:36: `permissive` is not a control
      help: write `control: <OID> true` or `control: <OID> false`
    broken.ldif:40: record has no `newrdn`
      help: write `newrdn: …` below the line of `changetype`
    wrong.ldif:1: `nonsense` is not a distinguished name
      help: write the DN as `CN=name,CN=Users,DC=corp,DC=example`, with `\` before a comma inside a name
    wrong.ldif:4: `CN=c,DC=other,DC=example` is outside of the domain `DC=corp,DC=example`
      help: serve the domain that the file is of, or end the DN in `DC=corp,DC=example`
    wrong.ldif:8: `S-1-x` is not a value of `objectSid`
      help: write a SID as `S-1-5-…`, or its bytes in base64 after `::`
    wrong.ldif:9: `many` is not a value of `userAccountControl`
      help: write a decimal number
    wrong.ldif:10: `yesterday` is not a value of `whenCreated`
      help: write a time such as `20261121231224.0Z`
    wrong.ldif:11: `yes` is not a value of `isCriticalSystemObject`
      help: write `TRUE` or `FALSE`
    wrong.ldif:12: `bob` is not a value of `member`
      help: write a distinguished name
    wrong.ldif:13: `12` is not a value of `objectGUID`
      help: write a GUID as text, or its 16 bytes in base64 after `::`
    wrong.ldif:14: `(hidden)` is not a value of `userPassword`
      help: write any text
    wrong.ldif:19: account `EINS` is also the name of another entry
      help: rename one of the two; the other is CN=e,DC=corp,DC=example
    ");
}

/// As `ldapmodify` and `ldifde` write them: made in order, when all entries are there.
#[test]
fn change_records_change_what_is_there() {
    let source = |text: &str| LdifSource { name: "changes.ldif".into(), text: text.into() };
    let directory = build(vec![source(
        "dn: OU=Sales,DC=corp,DC=example\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: CN=alice normal,CN=Users,DC=corp,DC=example\nchangetype: modify\nreplace: title\n\
         title: boss\n-\nadd: mail\nmail: boss@corp.example\n-\n\n\
         dn: CN=Alice Normal,CN=Users,DC=corp,DC=example\nchangetype: modrdn\n\
         newrdn: CN=Boss\ndeleteoldrdn: 1\nnewsuperior: OU=Sales,DC=corp,DC=example\n\n\
         dn: CN=Grace OldPassword,CN=Users,DC=corp,DC=example\nchangetype: delete\n",
    )]);
    let error = directory.unwrap_err();
    insta::assert_snapshot!(error, @r"
    changes.ldif:5: change of `CN=alice normal,CN=Users,DC=corp,DC=example` is refused with attributeOrValueExists (20): 00002083: AtrErr: DSID-03190F80, #1:
    	0: 00002083: DSID-03190F80, problem 1006 (ATT_OR_VALUE_EXISTS), data 0, Att (mail)

      help: change what the record asks for, or the entries above it in the file
    ");
    let directory = build(vec![source(
        "dn: OU=Sales,DC=corp,DC=example\nchangetype: add\nobjectClass: organizationalUnit\n\n\
         dn: CN=Alice Normal,CN=Users,DC=corp,DC=example\nchangetype: modrdn\n\
         newrdn: CN=Boss\ndeleteoldrdn: 1\nnewsuperior: OU=Sales,DC=corp,DC=example\n\n\
         dn: CN=Grace OldPassword,CN=Users,DC=corp,DC=example\nchangetype: delete\n",
    )])
    .unwrap();
    let mut client = Client::bound(&directory, "Administrator@corp.example");
    let boss = client.find("(sAMAccountName=alice)", &["memberOf"]).remove(0);
    assert_eq!(boss.dn, "CN=Boss,OU=Sales,DC=corp,DC=example");
    assert_eq!(boss.values("memberOf").len(), 1);
    assert!(client.find("(sAMAccountName=grace)", &[]).is_empty());
}

#[test]
fn names_of_domain_and_dcs_are_checked() {
    let clock = || clock_at(CAPTURED_AT).clock();
    let config = |domain: &str| DirectoryConfig::new(domain, Seed::new(1), clock());
    let long = "x".repeat(64);
    let mut errors = Vec::new();
    for domain in ["", "corp..example", "corp example", long.as_str()] {
        errors.push(Directory::build(config(domain)).unwrap_err().to_string());
    }
    let netbios = DirectoryConfig { netbios: Some("MUCH-TOO-LONG-NAME".into()), ..config("a.b") };
    errors.push(Directory::build(netbios).unwrap_err().to_string());
    let dcs = vec![DcView::new("dc1", "a.b"), DcView::new("DC1", "a.b")];
    errors
        .push(Directory::build(DirectoryConfig { dcs, ..config("a.b") }).unwrap_err().to_string());
    insta::assert_snapshot!(errors.join("\n"), @"
    `` is not a domain name such as `corp.example`
    `corp..example` is not a domain name such as `corp.example`
    `corp example` is not a domain name such as `corp.example`
    `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx` is not a domain name such as `corp.example`
    `MUCH-TOO-LONG-NAME` is not a NetBIOS name: 1 to 15 letters, digits or hyphens
    `DC1` cannot be the name of one more domain controller
    ");
}

#[test]
fn overlays_move_and_complete_what_is_built_in() {
    let text_of = "dn: CN=Boss,OU=Admins,OU=IT,DC=corp,DC=example\n\
        sAMAccountName: Administrator\n\
        description: moved\n\n\
        dn: CN=team,OU=IT,DC=corp,DC=example\n\
        sAMAccountName: team\n\
        member: CN=Boss,OU=Admins,OU=IT,DC=corp,DC=example\n\n\
        dn: CN=Zoe,OU=IT,DC=corp,DC=example\n\
        sAMAccountName: zoe\n\
        memberOf: CN=team,OU=IT,DC=corp,DC=example\n\
        memberOf: CN=elsewhere,OU=IT,DC=corp,DC=example\n";
    let source = LdifSource { name: "it.ldif".into(), text: text_of.into() };
    let directory = build(vec![source]).unwrap();
    let mut client = Client::bound(&directory, "Administrator@corp.example");
    let boss = client.find("(sAMAccountName=Administrator)", &["*"]).remove(0);
    assert_eq!(boss.dn, "CN=Boss,OU=Admins,OU=IT,DC=corp,DC=example");
    assert_eq!(text(&boss, "cn").as_deref(), Some("Boss"));
    let rid = directory.domain_sid().with_rid(500);
    assert_eq!(boss.values("objectSid"), [rid.as_bytes()]);
    let unit = client.find("(ou=Admins)", &["objectClass"]).remove(0);
    assert_eq!(unit.values("objectClass"), [&b"top"[..], b"organizationalUnit"]);
    let team = client.find("(cn=team)", &["member", "objectClass"]).remove(0);
    assert_eq!(team.values("member").len(), 2);
    let zoe = client.find("(cn=zoe)", &["memberOf"]).remove(0);
    assert_eq!(
        zoe.values("memberOf"),
        [&b"CN=elsewhere,OU=IT,DC=corp,DC=example"[..], b"CN=team,OU=IT,DC=corp,DC=example"]
    );
}

#[test]
fn the_sid_of_the_domain_comes_from_its_head_or_its_accounts() {
    for text in [
        "dn: DC=corp,DC=example\nobjectSid: S-1-5-21-1-2-3\n",
        "dn: CN=krbtgt,CN=Users,DC=corp,DC=example\nsAMAccountName: krbtgt\nobjectSid: S-1-5-21-1-2-3-502\n",
        "dn: CN=a,DC=corp,DC=example\nsAMAccountName: a\nobjectSid: S-1-5-21-1-2-3-1103\n",
    ] {
        let source = LdifSource { name: "sid.ldif".into(), text: text.into() };
        let directory = build(vec![source]).unwrap();
        assert_eq!(directory.domain_sid().to_string(), "S-1-5-21-1-2-3");
        let mut client = Client::bound(&directory, "Administrator@corp.example");
        let all = client.find("(objectSid=*)", &["objectSid"]);
        let mut sids: Vec<_> = all.iter().map(|entry| &entry.values("objectSid")[0]).collect();
        sids.sort();
        sids.dedup();
        assert_eq!(sids.len(), all.len());
    }
}

proptest! {
    #[test]
    fn records_read_what_they_write(records in vec(record(), 1..4)) {
        let text: Vec<String> = records.iter().map(ToString::to_string).collect();
        let read = ldif::parse("test.ldif", &text.join("\n")).unwrap();
        let plain = |records: &[Record]| -> Vec<(String, Vec<Attribute>)> {
            let plain = |record: &Record| {
                let attributes = record.attributes.iter().map(|each| each.attribute.clone());
                (record.dn.clone(), attributes.collect())
            };
            records.iter().map(plain).collect()
        };
        prop_assert_eq!(plain(&read), plain(&records));
    }

    #[test]
    fn arbitrary_text_does_not_panic(text in "[a-d:= #\n<]{0,60}", wild in "\\PC{0,60}") {
        for text in [text, wild] {
            let _ = ldif::parse_changes("test.ldif", &text);
            if let Err(errors) = ldif::parse("test.ldif", &text) {
                prop_assert!(!errors.is_empty());
                for error in errors {
                    prop_assert!(error.line >= 1 && error.line <= text.lines().count());
                    prop_assert!(!error.remedy().is_empty());
                }
            }
        }
    }
}

fn record() -> impl Strategy<Value = Record> {
    let value = prop_oneof![vec(any::<u8>(), 0..30), "\\PC{0,30}".prop_map(String::into_bytes)];
    let attributes = vec(("[a-z][a-zA-Z0-9-]{0,10}", vec(value, 1..4)), 0..4);
    ("\\PC{0,30}", attributes).prop_map(|(dn, attributes)| {
        let mut record = Record { line: 1, dn, attributes: Vec::new() };
        for (name, values) in attributes {
            let known = record
                .attributes
                .iter()
                .any(|known| known.attribute.name.eq_ignore_ascii_case(&name));
            if !known
                && !name.eq_ignore_ascii_case("dn")
                && !name.eq_ignore_ascii_case("changetype")
            {
                let attribute = Attribute { name, values };
                record.attributes.push(RecordAttribute { line: 1, attribute });
            }
        }
        record
    })
}

fn build(sources: Vec<LdifSource>) -> Result<Directory, DirectoryError> {
    let clock = clock_at(CAPTURED_AT).clock();
    let config = DirectoryConfig::new("corp.example", Seed::new(1), clock);
    Directory::build(DirectoryConfig { sources, ..config })
}
