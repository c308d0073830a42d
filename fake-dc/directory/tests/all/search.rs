//! Searches: which entries, which attributes, and what ends them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use crate::support::{CAPTURED_AT, Client, clock_at, text};
use fake_dc_directory::{DcView, Directory, DirectoryConfig, Flavour, LdifSource, Protection};
use ground::Seed;
use ldap_wire::{
    Control, Filter, LdapMessage, ProtocolOp, ResultCode, Scope, SearchRequest,
    controls::{self, PagedResults, SortKey},
};

const ADMINISTRATOR: &str = "Administrator@corp.example";

#[test]
fn filters_find_what_they_say() {
    let directory = directory(Flavour::WindowsServer2022);
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let domain_sid = directory.domain_sid().clone();
    let in_chain =
        "memberOf:1.2.840.113556.1.4.1941:=CN=Administrators,CN=Builtin,DC=corp,DC=example";
    for (filter, expected) in [
        ("(|(sAMAccountName=krbtgt)(name=krbtgt))", "krbtgt"),
        ("(&(objectClass=user)(sAMAccountName=AL*e))", "alice"),
        (
            "(&(objectCategory=person)(userAccountControl:1.2.840.113556.1.4.803:=2))",
            "Guest krbtgt bob",
        ),
        (
            "(&(objectClass=user)(userAccountControl:1.2.840.113556.1.4.804:=65538))",
            "Administrator Guest krbtgt bob frank",
        ),
        ("(&(objectCategory=person)(!(sAMAccountName=*a*)))", "Guest krbtgt bob eve hugo"),
        ("(anr=ali)", "alice"),
        ("(memberOf=CN=xsadmins,CN=Users,DC=corp,DC=example)", "alice frank"),
        ("(primaryGroupID=514)", "Guest"),
        ("(&(objectClass=user)(pwdLastSet<=0))", "eve"),
        ("(&(objectClass=user)(sAMAccountName>=grace))", "Guest krbtgt grace hugo"),
        ("(&)", ""),
        ("(noSuchAttribute=1)", ""),
        ("(objectSid=not-a-sid)", ""),
        (&format!("(&(objectClass=user)({in_chain}))"), "Administrator"),
        (&format!("(objectSid={})", domain_sid.with_rid(502)), "krbtgt"),
        ("(cn:=krbtgt)", "krbtgt"),
        ("(sAMAccountName:1.2.3.4:=krbtgt)", ""),
    ] {
        let mut found: Vec<String> = client
            .find(filter, &["sAMAccountName"])
            .iter()
            .filter_map(|entry| text(entry, "sAMAccountName"))
            .collect();
        if filter == "(&)" {
            // The filter that is always true (RFC 4526).
            assert!(found.len() > 20);
            found.clear();
        }
        assert_eq!(found.join(" "), expected, "{filter}");
    }
}

#[test]
fn scopes_stop_at_naming_contexts() {
    let directory = directory(Flavour::WindowsServer2022);
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let mut names = |base: &str, scope| -> Vec<String> {
        let found = client.search(base, scope, "(objectClass=*)", &["1.1"]).0;
        found.into_iter().map(|entry| entry.dn).collect()
    };
    let domain = "DC=corp,DC=example";
    assert_eq!(names(domain, Scope::BaseObject), [domain]);
    let children = names(domain, Scope::SingleLevel);
    assert!(children.contains(&"CN=Users,DC=corp,DC=example".to_owned()));
    assert!(!children.iter().any(|dn| dn.starts_with("CN=Configuration") || dn == domain));
    assert!(!names(domain, Scope::WholeSubtree).iter().any(|dn| dn.contains("CN=Configuration")));
    let configuration = "CN=Configuration,DC=corp,DC=example";
    let below = names(configuration, Scope::WholeSubtree);
    assert!(below.iter().any(|dn| dn.starts_with("CN=NTDS Settings,CN=DC1,CN=Servers")));
    assert!(!below.iter().any(|dn| dn.starts_with("CN=Schema")));
}

#[test]
fn references_follow_scope_scheme_and_product() {
    let references = |flavour, protection, scope, control: Option<Control>| -> Vec<String> {
        let directory = directory(flavour);
        let mut client = Client::connect(&directory, protection);
        assert!(client.bind(ADMINISTRATOR, crate::support::PASSWORD).is_success());
        let search = SearchRequest {
            base: "DC=corp,DC=example".into(),
            scope,
            filter: Filter::parse("(sAMAccountName=krbtgt)").unwrap(),
            ..SearchRequest::default()
        };
        let mut message = LdapMessage::new(2, ProtocolOp::SearchRequest(search));
        message.controls.extend(control);
        let urls = client.send(message).into_iter().filter_map(|message| match message.op {
            ProtocolOp::SearchResultReference(urls) => Some(urls),
            _ => None,
        });
        urls.flatten().collect()
    };
    let windows = Flavour::WindowsServer2022;
    assert_eq!(
        references(windows, Protection::Tls, Scope::WholeSubtree, None),
        [
            "ldaps://ForestDnsZones.corp.example/DC=ForestDnsZones,DC=corp,DC=example",
            "ldaps://DomainDnsZones.corp.example/DC=DomainDnsZones,DC=corp,DC=example",
            "ldaps://corp.example/CN=Configuration,DC=corp,DC=example",
        ]
    );
    assert_eq!(
        references(Flavour::Samba4_22, Protection::None, Scope::WholeSubtree, None)[0],
        "ldap://corp.example/CN=Configuration,DC=corp,DC=example"
    );
    assert_eq!(references(windows, Protection::Tls, Scope::BaseObject, None), [""; 0]);
    let scoped = Some(Control::new(controls::DOMAIN_SCOPE));
    assert_eq!(references(windows, Protection::Tls, Scope::WholeSubtree, scoped), [""; 0]);
}

#[test]
fn windows_enforces_size_limits_and_samba_does_not() {
    let mut users = String::new();
    for number in 0..1_100 {
        users +=
            &format!("dn: CN=u{number},OU=Staff,DC=corp,DC=example\nsAMAccountName: u{number}\n\n");
    }
    for (flavour, asked, expected) in [
        (Flavour::WindowsServer2022, 0, (1_000, ResultCode::SIZE_LIMIT_EXCEEDED)),
        (Flavour::WindowsServer2022, 3, (3, ResultCode::SIZE_LIMIT_EXCEEDED)),
        (Flavour::Samba4_22, 3, (1_100, ResultCode::SUCCESS)),
    ] {
        let directory = directory_with(flavour, &users);
        let mut client = Client::bound(&directory, ADMINISTRATOR);
        let search = SearchRequest {
            base: "OU=Staff,DC=corp,DC=example".into(),
            scope: Scope::WholeSubtree,
            filter: Filter::parse("(objectClass=user)").unwrap(),
            attributes: vec!["1.1".into()],
            size_limit: asked,
            ..SearchRequest::default()
        };
        let mut messages = client.send(LdapMessage::new(2, ProtocolOp::SearchRequest(search)));
        let Some(ProtocolOp::SearchResultDone(done)) = messages.pop().map(|last| last.op) else {
            panic!("a search ends")
        };
        assert_eq!((messages.len(), done.code), expected);
    }
}

#[test]
fn pages_cover_everything_once_and_sorted() {
    let directory = directory(Flavour::WindowsServer2022);
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let key = b"\x30\x12\x30\x10\x04\x0esAMAccountName".to_vec();
    let sort = Control { value: Some(key), ..Control::new(controls::SORT) };
    let mut cookie = Vec::new();
    let mut names = Vec::new();
    loop {
        let search = SearchRequest {
            base: "CN=Users,DC=corp,DC=example".into(),
            scope: Scope::SingleLevel,
            filter: Filter::parse("(objectClass=user)").unwrap(),
            attributes: vec!["sAMAccountName".into()],
            ..SearchRequest::default()
        };
        let page = PagedResults { size: 4, cookie }.to_control(true);
        let controls = vec![page, sort.clone()];
        let op = ProtocolOp::SearchRequest(search);
        let messages = client.send(LdapMessage { id: 2, op, controls });
        assert!(messages.len() <= 5);
        let last = messages.last().unwrap();
        assert_eq!(last.control(controls::SORT_RESPONSE), Some(&SortKey::sorted()));
        let page = last.control(controls::PAGED_RESULTS).unwrap();
        cookie = PagedResults::decode(page.value.as_deref().unwrap()).unwrap().cookie;
        for message in messages {
            if let ProtocolOp::SearchResultEntry(entry) = message.op {
                names.extend(text(&entry, "sAMAccountName"));
            }
        }
        if cookie.is_empty() {
            break;
        }
    }
    let sorted = "Administrator alice bob carol dave eve frank grace Guest hugo krbtgt";
    assert_eq!(names.join(" "), sorted);
}

#[test]
fn refusals_are_worded_like_windows() {
    let directory = directory(Flavour::WindowsServer2022);
    let mut nobody = Client::connect(&directory, Protection::Tls);
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let mut refused = |base: &str, scope| client.search(base, scope, "(objectClass=*)", &[]).1;
    let absent = refused("CN=a,CN=b,CN=Users,DC=corp,DC=example", Scope::BaseObject);
    assert_eq!(absent.code, ResultCode::NO_SUCH_OBJECT);
    assert_eq!(absent.matched_dn, "CN=Users,DC=corp,DC=example");
    let bad = refused("notadn", Scope::WholeSubtree);
    assert_eq!(bad.code, ResultCode::INVALID_DN_SYNTAX);
    let elsewhere = refused("DC=other,DC=example", Scope::BaseObject);
    assert_eq!(elsewhere.code, ResultCode::REFERRAL);
    assert_eq!(elsewhere.referrals, ["ldap://other.example/DC=other,DC=example"]);
    assert_eq!(refused("", Scope::WholeSubtree).code, ResultCode::NO_SUCH_OBJECT);
    let anonymous =
        nobody.search("DC=corp,DC=example", Scope::BaseObject, "(objectClass=*)", &[]).1;
    assert_eq!(anonymous.code, ResultCode::OPERATIONS_ERROR);
    assert!(anonymous.diagnostic.starts_with("000004DC: LdapErr: "));
    let search = ProtocolOp::SearchRequest(SearchRequest::default());
    let control = Control::new("1.2.3.4.5").critical();
    let unknown = client.result_of(LdapMessage::new(2, search).with_control(control));
    assert_eq!(unknown.code, ResultCode::UNAVAILABLE_CRITICAL_EXTENSION);
}

#[test]
fn the_root_dse_is_that_of_the_dc_that_answers() {
    let directory = directory(Flavour::WindowsServer2022);
    for name in ["dc1", "dc2"] {
        let dc = DcView::new(name, "corp.example");
        let session = directory.open_session(&dc, Protection::None);
        let mut client = Client { directory: &directory, session };
        let root = client.search("", Scope::BaseObject, "(objectClass=*)", &[]).0.remove(0);
        assert_eq!(text(&root, "dnsHostName"), Some(format!("{name}.corp.example")));
        let service = format!("corp.example:{name}$@CORP.EXAMPLE");
        assert_eq!(text(&root, "ldapServiceName"), Some(service));
        assert_eq!(text(&root, "currentTime").as_deref(), Some("20261121231336.0Z"));
        assert_eq!(root.values("supportedLDAPVersion"), [b"3", b"2"]);
        assert!(root.values("supportedExtension").is_empty());
        let named =
            client.search("", Scope::BaseObject, "(objectClass=*)", &["supportedExtension"]).0;
        assert_eq!(named[0].attributes.len(), 1);
    }
}

#[test]
fn other_ldif_lies_over_the_root_dse() {
    let text = "dn:\nvendorName: Somebody\ndnsHostName: never.example\n";
    let directory = directory_with(Flavour::Samba4_22, text);
    let mut client = Client::connect(&directory, Protection::None);
    let root = client.search("", Scope::BaseObject, "(objectClass=*)", &[]).0.remove(0);
    assert_eq!(crate::support::text(&root, "vendorName").as_deref(), Some("Somebody"));
    assert_eq!(crate::support::text(&root, "dnsHostName").as_deref(), Some("dc1.corp.example"));
}

#[test]
fn nested_groups_make_the_token() {
    let nested = "dn: CN=outer,CN=Users,DC=corp,DC=example\nsAMAccountName: outer\n\
                  groupType: -2147483646\nmember: CN=xsadmins,CN=Users,DC=corp,DC=example\n";
    let directory = directory_with(Flavour::WindowsServer2022, nested);
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let alice = "CN=Alice Normal,CN=Users,DC=corp,DC=example";
    let entry = client.search(alice, Scope::BaseObject, "(objectClass=*)", &["tokenGroups"]).0;
    let outer = client.find("(sAMAccountName=outer)", &["objectSid"]);
    let sid = &outer[0].values("objectSid")[0];
    assert!(entry[0].values("tokenGroups").contains(sid));
    assert_eq!(entry[0].values("tokenGroups").len(), 4);
}

fn directory(flavour: Flavour) -> Directory {
    directory_with(flavour, "")
}

fn directory_with(flavour: Flavour, text: &str) -> Directory {
    let clock = clock_at(CAPTURED_AT).clock();
    let dcs = ["dc1", "dc2"].map(|name| DcView::new(name, "corp.example"));
    Directory::build(DirectoryConfig {
        flavour,
        dcs: dcs.to_vec(),
        sources: vec![LdifSource { name: "test.ldif".into(), text: text.into() }],
        ..DirectoryConfig::new("corp.example", Seed::new(1), clock)
    })
    .unwrap()
}
