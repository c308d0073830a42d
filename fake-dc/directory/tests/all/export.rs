//! A directory written out is the same directory when it is read again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use crate::support::{CAPTURED_AT, Client, PASSWORD, clock_at, text};
use fake_dc_directory::{
    DcView, Directory, DirectoryConfig, LdifSource, Protection, Secrets, TrustDirection, TrustKind,
};
use ground::Seed;
use ldap_wire::{
    Attribute, Change, ModifyDnRequest, ModifyOperation, ModifyRequest, ProtocolOp, Scope,
};
use proptest::{collection::vec, prelude::*};

const ADMINISTRATOR: &str = "Administrator@corp.example";

fn build(seed: u64, sources: Vec<LdifSource>) -> Directory {
    let clock = clock_at(CAPTURED_AT).clock();
    let dcs = vec![DcView::new("dc1", "corp.example")];
    Directory::build(DirectoryConfig {
        sources,
        dcs,
        ..DirectoryConfig::new("corp.example", Seed::new(seed), clock)
    })
    .unwrap()
}

fn again(export: &str) -> Directory {
    // Another seed: nothing is drawn anew.
    build(9, vec![LdifSource { name: "export.ldif".into(), text: export.into() }])
}

#[test]
fn what_was_changed_over_ldap_comes_back() {
    let directory = build(1, Vec::new());
    let other = Directory::build(DirectoryConfig::new(
        "other.example",
        Seed::new(1),
        clock_at(CAPTURED_AT).clock(),
    ))
    .unwrap();
    directory.trust(&other, TrustKind::Forest, TrustDirection::Both).unwrap();
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let alice = "CN=Alice Normal,CN=Users,DC=corp,DC=example";
    let change = |operation, name: &str, values: Vec<Vec<u8>>| Change {
        operation,
        modification: Attribute::new(name, values),
    };
    let password: Vec<u8> = "\"Exp0rted!\"".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let changes = vec![
        change(ModifyOperation::Replace, "unicodePwd", vec![password]),
        change(ModifyOperation::Delete, "mail", Vec::new()),
        change(ModifyOperation::Replace, "jpegPhoto", vec![(0..=255).collect()]),
        change(ModifyOperation::Add, "objectClass", vec![b"posixAccount".to_vec()]),
        change(ModifyOperation::Replace, "displayName", vec![" Ä, b=c ".into()]),
    ];
    let request = ModifyRequest { object: alice.into(), changes };
    let result = client.result(ProtocolOp::ModifyRequest(request));
    assert!(result.is_success(), "{result:?}");
    let rename = ModifyDnRequest {
        entry: alice.into(),
        new_rdn: r"CN=Alice\, moved".into(),
        delete_old_rdn: true,
        new_superior: Some("CN=Computers,DC=corp,DC=example".into()),
    };
    assert!(client.result(ProtocolOp::ModifyDnRequest(rename)).is_success());
    let grace = "CN=Grace OldPassword,CN=Users,DC=corp,DC=example";
    assert!(client.result(ProtocolOp::DelRequest(grace.into())).is_success());

    let export = directory.export(Secrets::Included);
    assert!(export.lines().all(|line| line.len() <= 76));
    let copy = again(&export);
    assert_eq!(copy.export(Secrets::Included), export);
    assert_eq!(copy.trusts(), directory.trusts());
    assert!(Client::connect(&copy, Protection::Tls).bind("CORP\\alice", "Exp0rted!").is_success());
    let mut client = Client::bound(&copy, ADMINISTRATOR);
    let found = client.find("(sAMAccountName=alice)", &["msDS-KeyVersionNumber", "memberOf"]);
    assert_eq!(text(&found[0], "msDS-KeyVersionNumber").as_deref(), Some("3"));
    assert_eq!(found[0].values("memberOf").len(), 1);

    let without = directory.export(Secrets::LeftOut);
    assert!(!without.contains("userPassword"));
    for secret in [PASSWORD, "Exp0rted!"] {
        assert!(!without.contains(secret));
    }
    assert_eq!(again(&without).export(Secrets::LeftOut), without);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn any_entries_come_back(
        names in vec("[a-zA-Z#\"+,;<>= äß€\\\\]{1,12}", 1..8),
        values in vec(vec(any::<u8>(), 1..90), 1..5),
        words in vec("\\PC{1,100}", 1..5),
    ) {
        let mut ldif = String::new();
        for (number, name) in names.iter().enumerate() {
            let name: String = name
                .trim()
                .chars()
                .flat_map(|c| if !c.is_ascii() || c.is_alphanumeric() { vec![c] } else { vec!['\\', c] })
                .collect();
            ldif.push_str(&format!(
                "dn:: {}\nobjectClass: user\nsAMAccountName: u{number}\n",
                base64(format!("CN=n{number} {name},CN=Users,DC=corp,DC=example").as_bytes()),
            ));
            for value in &values {
                ldif.push_str(&format!("jpegPhoto:: {}\n", base64(value)));
            }
            for word in &words {
                ldif.push_str(&format!("otherTelephone:: {}\n", base64(word.as_bytes())));
            }
            ldif.push('\n');
        }
        let directory = build(1, vec![LdifSource { name: "any.ldif".into(), text: ldif }]);
        let export = directory.export(Secrets::Included);
        let copy = again(&export).export(Secrets::Included);
        prop_assert_eq!(copy, export);
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(bytes)
}

#[test]
fn both_sides_of_a_trust_share_one_password() {
    let clock = clock_at(CAPTURED_AT).clock();
    let domain = |name: &str| {
        Directory::build(DirectoryConfig::new(name, Seed::new(1), clock.clone())).unwrap()
    };
    let (corp, child) = (domain("corp.example"), domain("sales.corp.example"));
    corp.trust(&child, TrustKind::WithinForest, TrustDirection::Both).unwrap();
    let (ours, theirs) = (corp.trusts().remove(0), child.trusts().remove(0));
    assert_eq!(ours.partner, child.as_trust_partner());
    assert_eq!(theirs.partner, corp.as_trust_partner());
    assert_eq!(ours.password, theirs.password);
    assert_eq!(
        ours.partner,
        fake_dc_directory::TrustPartner::drawn("sales.corp.example", Seed::new(1))
    );
    assert!(corp.trust(&child, TrustKind::WithinForest, TrustDirection::Both).is_err());
    assert!(corp.trust(&corp, TrustKind::Forest, TrustDirection::Both).is_err());

    let mut client = Client::bound(&corp, ADMINISTRATOR);
    let all = ["*"];
    let found = client.find("(objectClass=trustedDomain)", &all).remove(0);
    assert_eq!(found.dn, "CN=sales.corp.example,CN=System,DC=corp,DC=example");
    for (name, value) in [
        ("flatName", "SALES"),
        ("trustPartner", "sales.corp.example"),
        ("trustDirection", "3"),
        ("trustType", "2"),
        ("trustAttributes", "32"),
    ] {
        assert_eq!(text(&found, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(found.values("securityIdentifier"), [child.domain_sid().as_bytes()]);
    let account = client.find("(sAMAccountName=SALES$)", &all).remove(0);
    assert_eq!(text(&account, "sAMAccountType").as_deref(), Some("805306370"));

    // The child is another DC's to answer for.
    let base = "CN=Users,DC=sales,DC=corp,DC=example";
    let (_, result) = client.search(base, Scope::BaseObject, "(objectClass=*)", &[]);
    assert_eq!(result.code.0, 10);
    assert_eq!(result.referrals, [format!("ldap://sales.corp.example/{base}")]);
    let partitions = "CN=Partitions,CN=Configuration,DC=corp,DC=example";
    let (found, _) = client.search(
        partitions,
        Scope::SingleLevel,
        "(nCName=DC=sales,DC=corp,DC=example)",
        &["trustParent", "dnsRoot"],
    );
    assert_eq!(text(&found[0], "dnsRoot").as_deref(), Some("sales.corp.example"));
    assert_eq!(text(&found[0], "trustParent"), Some(format!("CN=CORP,{partitions}")));
}
