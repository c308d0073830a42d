//! A child domain in the forest of its parent: one configuration and one schema, those of the root
//! ([MS-ADTS] 3.1.1.1.5, 3.1.1.3.2, 6.1.1.2).
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use crate::support::{CAPTURED_AT, Client, clock_at, text};
use fake_dc_directory::{
    DcView, Directory, DirectoryConfig, LdifSource, Protection, Secrets, TrustDirection, TrustKind,
};
use ground::Seed;
use ldap_wire::{Filter, ResultCode, Scope};

const CONFIGURATION: &str = "CN=Configuration,DC=corp,DC=example";
const ANY: &str = "(objectClass=*)";

fn config(name: &str, dc: &str) -> DirectoryConfig {
    let config = DirectoryConfig::new(name, Seed::new(1), clock_at(CAPTURED_AT).clock());
    DirectoryConfig { dcs: vec![DcView::new(dc, name)], ..config }
}

fn child_config() -> DirectoryConfig {
    DirectoryConfig {
        forest_root: Some("corp.example".into()),
        ..config("emea.corp.example", "paris")
    }
}

/// The root and its child, which trust each other.
fn forest() -> (Directory, Directory) {
    let root = Directory::build(config("corp.example", "dc1")).unwrap();
    let child = Directory::build(child_config()).unwrap();
    root.trust(&child, TrustKind::WithinForest, TrustDirection::Both).unwrap();
    (root, child)
}

fn administrator(of: &Directory) -> Client<'_> {
    Client::bound(of, &format!("Administrator@{}", of.dns_name()))
}

#[test]
fn a_child_names_the_contexts_of_the_root() {
    let (_, child) = forest();
    let session = child.open_session(&DcView::new("paris", "emea.corp.example"), Protection::Tls);
    let mut client = Client { directory: &child, session };
    let (found, _) = client.search("", Scope::BaseObject, ANY, &["*"]);
    for (name, value) in [
        ("defaultNamingContext", "DC=emea,DC=corp,DC=example"),
        ("rootDomainNamingContext", "DC=corp,DC=example"),
        ("configurationNamingContext", CONFIGURATION),
        ("schemaNamingContext", "CN=Schema,CN=Configuration,DC=corp,DC=example"),
        ("ldapServiceName", "corp.example:paris$@EMEA.CORP.EXAMPLE"),
        (
            "serverName",
            "CN=PARIS,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,DC=corp,\
             DC=example",
        ),
    ] {
        assert_eq!(text(&found[0], name).as_deref(), Some(value), "{name}");
    }
    let contexts = found[0].values("namingContexts");
    let contexts: Vec<_> = contexts.iter().map(|dn| String::from_utf8_lossy(dn)).collect();
    assert_eq!(
        contexts,
        [
            "DC=emea,DC=corp,DC=example",
            CONFIGURATION,
            "CN=Schema,CN=Configuration,DC=corp,DC=example",
            "DC=DomainDnsZones,DC=emea,DC=corp,DC=example",
            "DC=ForestDnsZones,DC=corp,DC=example",
        ]
    );
}

/// Whoever is asked, partitions, sites and servers are those of the whole forest, and each object
/// is one object.
#[test]
fn both_copies_of_the_configuration_say_the_same() {
    let (root, child) = forest();
    let read = |directory: &Directory| {
        let attributes = ["objectGUID", "nCName", "trustParent", "dNSHostName", "fSMORoleOwner"];
        let mut client = administrator(directory);
        let (found, result) = client.search(CONFIGURATION, Scope::WholeSubtree, ANY, &attributes);
        assert!(result.is_success(), "{result:?}");
        let mut entries: Vec<String> = found.iter().map(|entry| format!("{entry:?}")).collect();
        entries.sort();
        entries
    };
    let of_child = read(&child);
    assert_eq!(of_child, read(&root));
    let holds = |text: &str| of_child.iter().any(|entry| entry.contains(text));
    for dn in ["CN=CORP,CN=Partitions,", "CN=EMEA,CN=Partitions,", "CN=DC1,CN=Servers,"] {
        assert!(holds(&format!("\"{dn}")), "{dn}: {of_child:#?}");
    }

    let mut client = administrator(&child);
    let mut one = |dn: &str, attribute: &str| {
        let (found, result) = client.search(dn, Scope::BaseObject, ANY, &[attribute]);
        assert!(result.is_success(), "{dn}: {result:?}");
        text(&found[0], attribute)
    };
    let partitions = format!("CN=Partitions,{CONFIGURATION}");
    let parent = one(&format!("CN=EMEA,{partitions}"), "trustParent");
    assert_eq!(parent, Some(format!("CN=CORP,{partitions}")));
    // The roles of the forest are the root's, those of the domain its own.
    for master in [partitions, format!("CN=Schema,{CONFIGURATION}")] {
        let owner = one(&master, "fSMORoleOwner").unwrap();
        assert!(owner.starts_with("CN=NTDS Settings,CN=DC1,"), "{master}: {owner}");
    }
    let owner = one("DC=emea,DC=corp,DC=example", "fSMORoleOwner").unwrap();
    assert!(owner.starts_with("CN=NTDS Settings,CN=PARIS,"), "{owner}");
    let category = one("CN=Users,DC=emea,DC=corp,DC=example", "objectCategory").unwrap();
    assert_eq!(category, format!("CN=Container,CN=Schema,{CONFIGURATION}"));
    assert!(one(&format!("CN=User,CN=Schema,{CONFIGURATION}"), "lDAPDisplayName").is_some());
}

#[test]
fn what_is_of_the_parent_alone_is_the_parents_to_answer() {
    let (_, child) = forest();
    let mut client = administrator(&child);
    let base = "CN=Users,DC=corp,DC=example";
    let (_, result) = client.search(base, Scope::BaseObject, ANY, &[]);
    assert_eq!(result.code, ResultCode::REFERRAL);
    assert_eq!(result.referrals, [format!("ldap://corp.example/{base}")]);
    // But not what is missing in a context that both have.
    let base = format!("CN=Nothing,{CONFIGURATION}");
    let (_, result) = client.search(&base, Scope::BaseObject, ANY, &[]);
    assert_eq!(result.code, ResultCode::NO_SUCH_OBJECT);
}

#[test]
fn a_ping_tells_forest_and_domain() {
    let (_, child) = forest();
    let dc = DcView::new("paris", "emea.corp.example");
    let filter = Filter::parse("(&(DnsDomain=emea.corp.example)(NtVer=\\06\\00\\00\\00))").unwrap();
    let answer = child.netlogon(&dc, None, &filter).unwrap();
    // The forest in full; the domain is a label in front of a pointer to it.
    let names = b"\x04corp\x07example\x00\x04emea\xc0\x18";
    assert_eq!(&answer[24..24 + names.len()], names);
}

#[test]
fn a_child_written_out_is_the_same_child_again() {
    let (_, child) = forest();
    let export = child.export(Secrets::Included);
    let source = LdifSource { name: "child.ldif".into(), text: export.clone() };
    let copy = Directory::build(DirectoryConfig { sources: vec![source], ..child_config() });
    assert_eq!(copy.unwrap().export(Secrets::Included), export);

    let stranger = "dn: CN=x,DC=corp,DC=example\nobjectClass: container\n";
    let source = LdifSource { name: "stranger.ldif".into(), text: stranger.into() };
    let error = Directory::build(DirectoryConfig { sources: vec![source], ..child_config() });
    let error = error.unwrap_err().to_string();
    assert!(error.contains("outside of the domain `DC=emea,DC=corp,DC=example`"), "{error}");
}
