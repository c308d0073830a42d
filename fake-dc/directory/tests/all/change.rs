//! Changes: the LDAP half of a domain join, and who may do what.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::time::Duration;

use crate::support::{CAPTURED_AT, Client, PASSWORD, clock_at, text};
use fake_dc_directory::{DcView, Directory, DirectoryConfig, Protection};
use ground::Seed;
use ldap_wire::{
    AddRequest, Attribute, Change, CompareRequest, Control, LdapMessage, LdapResult,
    ModifyDnRequest, ModifyOperation, ModifyRequest, ProtocolOp, ResultCode, Scope, controls,
};

const ADMINISTRATOR: &str = "Administrator@corp.example";
const XS1: &str = "CN=XS1,CN=Computers,DC=corp,DC=example";
const ALICE: &str = "CN=Alice Normal,CN=Users,DC=corp,DC=example";
const XSADMINS: &str = "CN=xsadmins,CN=Users,DC=corp,DC=example";

/// The order of `net ads join` (Samba 4.22.11): find the container, add the computer, set its
/// password, enable it, name it; then the computer itself says which keys it knows.
#[test]
fn a_computer_joins() {
    let directory = directory();
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let container = "<WKGUID=AA312825768811D1ADED00C04FD8D5CD,dc=CORP,dc=EXAMPLE>";
    let found =
        client.search(container, Scope::BaseObject, "(objectClass=*)", &["distinguishedName"]);
    let found = text(&found.0[0], "distinguishedName").unwrap();
    assert_eq!(found, "CN=Computers,DC=corp,DC=example");
    assert!(client.find("(sAMAccountName=XS1$)", &["objectSid"]).is_empty());

    let attributes = vec![
        Attribute::new("objectClass", ["computer"]),
        Attribute::new("sAMAccountName", ["XS1$"]),
        Attribute::new("userAccountControl", ["4098"]),
    ];
    let add = AddRequest { entry: XS1.into(), attributes };
    assert_success(client.result(ProtocolOp::AddRequest(add.clone())));
    let again = client.result(ProtocolOp::AddRequest(add));
    assert_eq!(again.code, ResultCode::ENTRY_ALREADY_EXISTS);

    assert_success(replace(&mut client, XS1, "unicodePwd", &[&quoted("Machine-1")]));
    assert_success(replace(&mut client, XS1, "userAccountControl", &[b"4096"]));
    assert_success(replace(&mut client, XS1, "dNSHostName", &[b"xs1.corp.example"]));
    let names: [&[u8]; 2] = [b"HOST/XS1", b"HOST/xs1.corp.example"];
    assert_success(replace(&mut client, XS1, "servicePrincipalName", &names));

    let mut machine = Client::connect(&directory, Protection::Tls);
    assert_success(machine.bind("CORP\\XS1$", "Machine-1"));
    assert_success(replace(&mut machine, XS1, "msDS-SupportedEncryptionTypes", &[b"28"]));
    let entry = machine.find("(sAMAccountName=xs1$)", &["*", "msDS-KeyVersionNumber"]).remove(0);
    for (name, value) in [
        ("cn", "XS1"),
        ("name", "XS1"),
        ("userAccountControl", "4096"),
        ("primaryGroupID", "515"),
        ("sAMAccountType", "805306369"),
        ("objectCategory", "CN=Computer,CN=Schema,CN=Configuration,DC=corp,DC=example"),
        ("whenCreated", "20261121231336.0Z"),
        ("msDS-SupportedEncryptionTypes", "28"),
        ("distinguishedName", XS1),
    ] {
        assert_eq!(text(&entry, name).as_deref(), Some(value), "{name}");
    }
    let classes: [&[u8]; 5] = [b"top", b"person", b"organizationalPerson", b"user", b"computer"];
    assert_eq!(entry.values("objectClass"), classes);
    assert_eq!(entry.values("objectSid")[0][24..28], 1_200_u32.to_le_bytes());
    assert_eq!(entry.values("objectGUID")[0].len(), 16);
}

#[test]
fn passwords_are_set_on_protected_connections_only() {
    let directory = directory();
    let mut open = Client::connect(&directory, Protection::None);
    assert_success(open.bind(ADMINISTRATOR, PASSWORD));
    let refused = replace(&mut open, ALICE, "unicodePwd", &[&quoted("New-Passw0rd")]);
    assert_eq!(refused.code, ResultCode::UNWILLING_TO_PERFORM);
    assert!(refused.diagnostic.starts_with("0000001F: SvcErr: "), "{}", refused.diagnostic);

    let mut client = Client::bound(&directory, ADMINISTRATOR);
    for bad in [&b"New-Passw0rd"[..], &quoted("New-Passw0rd")[1..], &quoted("short")] {
        let refused = replace(&mut client, ALICE, "unicodePwd", &[bad]);
        assert_eq!(refused.code, ResultCode::UNWILLING_TO_PERFORM);
    }
    assert_success(replace(&mut client, ALICE, "unicodePwd", &[&quoted("New-Passw0rd")]));
    assert!(!client.bind("alice@corp.example", PASSWORD).is_success());
    assert_success(client.bind("alice@corp.example", "New-Passw0rd"));

    // An owner proves the old one, and keeps it as long as the policy says.
    let reset = replace(&mut client, ALICE, "unicodePwd", &[&quoted("Own-Passw0rd")]);
    assert_eq!(reset.code, ResultCode::INSUFFICIENT_ACCESS_RIGHTS);
    let own = |old: &str| {
        let change = |operation, password: &str| Change {
            operation,
            modification: Attribute::new("unicodePwd", [quoted(password)]),
        };
        let changes = vec![
            change(ModifyOperation::Delete, old),
            change(ModifyOperation::Add, "Own-Passw0rd"),
        ];
        ProtocolOp::ModifyRequest(ModifyRequest { object: ALICE.into(), changes })
    };
    assert_eq!(client.result(own("guessed")).code, ResultCode::CONSTRAINT_VIOLATION);
    let young = client.result(own("New-Passw0rd"));
    assert_eq!(young.code, ResultCode::CONSTRAINT_VIOLATION);
    assert!(young.diagnostic.starts_with("0000052D: AtrErr: "), "{}", young.diagnostic);
    let mut administrator = Client::bound(&directory, ADMINISTRATOR);
    assert_success(replace(&mut administrator, "DC=corp,DC=example", "minPwdAge", &[b"0"]));
    assert_success(client.result(own("New-Passw0rd")));
    assert_success(client.bind("alice@corp.example", "Own-Passw0rd"));
}

#[test]
fn only_administrators_change_others() {
    let directory = directory();
    let mut nobody = Client::connect(&directory, Protection::Tls);
    let refused = replace(&mut nobody, ALICE, "description", &[b"x"]);
    assert_eq!(refused.code, ResultCode::OPERATIONS_ERROR);
    let mut alice = Client::bound(&directory, "alice@corp.example");
    assert_success(replace(&mut alice, ALICE, "telephoneNumber", &[b"myself"]));
    let refused = replace(&mut alice, ALICE, "description", &[b"myself"]);
    assert_eq!(refused.code, ResultCode::INSUFFICIENT_ACCESS_RIGHTS);
    let krbtgt = "CN=krbtgt,CN=Users,DC=corp,DC=example";
    let refused = replace(&mut alice, krbtgt, "description", &[b"x"]);
    assert_eq!(refused.code, ResultCode::INSUFFICIENT_ACCESS_RIGHTS);
    assert!(refused.diagnostic.contains("INSUFF_ACCESS_RIGHTS"));
    let user = |entry: &str| {
        let attributes = vec![Attribute::new("objectClass", ["user"])];
        ProtocolOp::AddRequest(AddRequest { entry: entry.into(), attributes })
    };
    let refused = alice.result(user(XS1));
    assert_eq!(refused.code, ResultCode::INSUFFICIENT_ACCESS_RIGHTS);
    let refused = alice.result(ProtocolOp::DelRequest(ALICE.into()));
    assert_eq!(refused.code, ResultCode::INSUFFICIENT_ACCESS_RIGHTS);

    // Membership, even through another group, gives the right.
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let group = "CN=Domain Admins,CN=Users,DC=corp,DC=example";
    assert_success(modify(
        &mut client,
        group,
        ModifyOperation::Add,
        "member",
        &[XSADMINS.as_bytes()],
    ));
    assert_success(replace(&mut alice, krbtgt, "description", &[b"x"]));
}

#[test]
fn values_are_checked() {
    let directory = directory();
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    use ModifyOperation::{Add, Delete, Replace};
    let absent = "CN=Absent,CN=Users,DC=corp,DC=example";
    #[rustfmt::skip]
    let cases: [(ModifyOperation, &str, &[&[u8]], ResultCode); 12] = [
        (Add, "description", &[b"normal user"], ResultCode::ATTRIBUTE_OR_VALUE_EXISTS),
        (Add, "description", &[b"another"], ResultCode::ATTRIBUTE_OR_VALUE_EXISTS),
        (Add, "displayName", &[b"another"], ResultCode::ATTRIBUTE_OR_VALUE_EXISTS),
        (Delete, "description", &[b"never there"], ResultCode::NO_SUCH_ATTRIBUTE),
        (Delete, "description", &[], ResultCode::SUCCESS),
        (Delete, "description", &[], ResultCode::NO_SUCH_ATTRIBUTE),
        (Replace, "userAccountControl", &[b"many"], ResultCode::INVALID_ATTRIBUTE_SYNTAX),
        (Replace, "displayName", &[b"one", b"two"], ResultCode::CONSTRAINT_VIOLATION),
        (Replace, "objectSid", &[b"S-1-5-2"], ResultCode::CONSTRAINT_VIOLATION),
        (Replace, "cn", &[b"x"], ResultCode::NOT_ALLOWED_ON_RDN),
        (Replace, "sAMAccountName", &[b"BOB"], ResultCode::ENTRY_ALREADY_EXISTS),
        (Replace, "manager", &[absent.as_bytes()], ResultCode::CONSTRAINT_VIOLATION),
    ];
    for (operation, name, values, code) in cases {
        let result = modify(&mut client, ALICE, operation, name, values);
        assert_eq!(result.code, code, "{operation:?} {name}: {result:?}");
    }
    let member = modify(&mut client, XSADMINS, Add, "member", &[absent.as_bytes()]);
    assert_eq!(member.code, ResultCode::NO_SUCH_OBJECT);
    let modification = Attribute::new("member", [ALICE]);
    let changes = vec![Change { operation: Add, modification }];
    let request = ModifyRequest { object: XSADMINS.into(), changes };
    let message = LdapMessage::new(2, ProtocolOp::ModifyRequest(request));
    let permissive = Control::new(controls::PERMISSIVE_MODIFY);
    assert_success(client.result_of(message.with_control(permissive)));
}

#[test]
fn a_refused_change_changes_nothing() {
    let directory = directory();
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let replace = |name: &str, value: &str| Change {
        operation: ModifyOperation::Replace,
        modification: Attribute::new(name, [value]),
    };
    let changes = vec![replace("title", "boss"), replace("userAccountControl", "many")];
    let request = ModifyRequest { object: ALICE.into(), changes };
    assert!(!client.result(ProtocolOp::ModifyRequest(request)).is_success());
    assert!(client.find("(title=boss)", &[]).is_empty());
}

#[test]
fn moved_entries_keep_their_identity_and_their_groups() {
    let directory = directory();
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let before = client.find("(sAMAccountName=alice)", &["objectGUID"]).remove(0);
    let rename = ModifyDnRequest {
        entry: ALICE.into(),
        new_rdn: "CN=Alice Moved".into(),
        delete_old_rdn: true,
        new_superior: Some("CN=Computers,DC=corp,DC=example".into()),
    };
    assert_success(client.result(ProtocolOp::ModifyDnRequest(rename)));
    let after = client.find("(cn=alice moved)", &["objectGUID", "memberOf", "name"]).remove(0);
    assert_eq!(after.values("objectGUID"), before.values("objectGUID"));
    assert_eq!(text(&after, "memberOf").as_deref(), Some(XSADMINS));
    assert_eq!(text(&after, "name").as_deref(), Some("Alice Moved"));
    let compare = |value: &[u8]| {
        let (entry, attribute) = (after.dn.clone(), "memberOf".into());
        ProtocolOp::CompareRequest(CompareRequest { entry, attribute, value: value.to_vec() })
    };
    assert_eq!(client.result(compare(XSADMINS.as_bytes())).code, ResultCode::COMPARE_TRUE);
    assert_eq!(client.result(compare(b"CN=x")).code, ResultCode::COMPARE_FALSE);

    assert_success(client.result(ProtocolOp::DelRequest(after.dn)));
    let members = client.find("(cn=xsadmins)", &["member"]).remove(0);
    let frank = b"CN=Frank NoExpiry,CN=Users,DC=corp,DC=example".to_vec();
    assert_eq!(members.values("member"), [frank]);
}

/// On Windows, as many as `ms-DS-MachineAccountQuota` says; on Samba 4.22 not over LDAP.
#[test]
fn users_join_a_few_computers() {
    let directory = directory();
    let mut administrator = Client::bound(&directory, ADMINISTRATOR);
    let head = "DC=corp,DC=example";
    assert_success(replace(&mut administrator, head, "ms-DS-MachineAccountQuota", &[b"1"]));
    let mut alice = Client::bound(&directory, "alice@corp.example");
    let mut join = |name: &str| {
        let attributes = vec![
            Attribute::new("objectClass", ["computer"]),
            Attribute::new("sAMAccountName", [format!("{name}$")]),
            Attribute::new("unicodePwd", [quoted("Machine-1")]),
            Attribute::new("userAccountControl", ["4096"]),
        ];
        let entry = format!("CN={name},CN=Computers,DC=corp,DC=example");
        alice.result(ProtocolOp::AddRequest(AddRequest { entry, attributes }))
    };
    assert_success(join("XS7"));
    let refused = join("XS8");
    assert_eq!(refused.code, ResultCode::UNWILLING_TO_PERFORM);
    assert!(refused.diagnostic.starts_with("0000216D: "), "{}", refused.diagnostic);
    let made = administrator.find("(cn=XS7)", &["mS-DS-CreatorSID"]).remove(0);
    assert_eq!(made.values("mS-DS-CreatorSID")[0].len(), 28);
}

/// Wrong passwords lock an account as the policy says, and an administrator unlocks it.
#[test]
fn lockouts_follow_the_policy_and_the_clock() {
    let time = clock_at(CAPTURED_AT);
    let config = DirectoryConfig::new("corp.example", Seed::new(1), time.clock());
    let directory = Directory::build(config).unwrap();
    let mut administrator = Client::bound(&directory, ADMINISTRATOR);
    let head = "DC=corp,DC=example";
    assert_success(replace(&mut administrator, head, "lockoutThreshold", &[b"3"]));
    let mut client = Client::connect(&directory, Protection::Tls);
    let mut bind = |password: &str| {
        let text = client.bind("alice@corp.example", password).diagnostic;
        text.split("data ").nth(1).map(|rest| rest.split(',').next().unwrap().to_owned())
    };
    for expected in ["52e", "52e", "52e", "775"] {
        assert_eq!(bind("wrong").as_deref(), Some(expected));
    }
    assert_eq!(bind(PASSWORD).as_deref(), Some("775"));
    assert_success(replace(&mut administrator, ALICE, "lockoutTime", &[b"0"]));
    assert_eq!(bind(PASSWORD), None);
    let found = administrator.find("(cn=Alice Normal)", &["badPwdCount"]).remove(0);
    assert_eq!(text(&found, "badPwdCount").as_deref(), Some("0"));
    for _ in 0..3 {
        bind("wrong");
    }
    assert_eq!(bind(PASSWORD).as_deref(), Some("775"));
    time.advance(Duration::from_secs(30 * 60));
    assert_eq!(bind(PASSWORD), None);

    assert_success(replace(&mut administrator, ALICE, "pwdLastSet", &[b"0"]));
    assert_eq!(bind(PASSWORD).as_deref(), Some("773"));
    assert_success(replace(&mut administrator, ALICE, "pwdLastSet", &[b"-1"]));
    assert_eq!(bind(PASSWORD), None);
}

#[test]
fn what_a_domain_needs_stays() {
    let directory = directory();
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let mut delete = |dn: &str| client.result(ProtocolOp::DelRequest(dn.into())).code;
    assert_eq!(delete("CN=Users,DC=corp,DC=example"), ResultCode::UNWILLING_TO_PERFORM);
    let krbtgt = "CN=krbtgt,CN=Users,DC=corp,DC=example";
    assert_eq!(delete(krbtgt), ResultCode::UNWILLING_TO_PERFORM);
    assert_eq!(delete("CN=Absent,DC=corp,DC=example"), ResultCode::NO_SUCH_OBJECT);
}

#[test]
fn classes_and_names_of_new_entries_are_checked() {
    let directory = directory();
    let mut client = Client::bound(&directory, ADMINISTRATOR);
    let mut add = |dn: &str, class: &str| {
        let attributes = vec![Attribute::new("objectClass", [class])];
        client.result(ProtocolOp::AddRequest(AddRequest { entry: dn.into(), attributes })).code
    };
    let parent = "CN=Users,DC=corp,DC=example";
    assert_eq!(add(&format!("CN=q,{parent}"), "noSuchClass"), ResultCode::NO_SUCH_ATTRIBUTE);
    assert_eq!(add(&format!("OU=q,{parent}"), "user"), ResultCode::NAMING_VIOLATION);
    assert_eq!(add(&format!("CN=q,CN=absent,{parent}"), "user"), ResultCode::NO_SUCH_OBJECT);
    assert_eq!(add("CN=a+CN=b,DC=corp,DC=example", "user"), ResultCode::INVALID_DN_SYNTAX);
    assert_eq!(add(&format!("CN=q,{parent}"), "user"), ResultCode::SUCCESS);
    let found = client.find("(cn=q)", &["sAMAccountName", "userAccountControl"]).remove(0);
    assert!(text(&found, "sAMAccountName").unwrap().starts_with('$'));
    assert_eq!(text(&found, "userAccountControl").as_deref(), Some("546"));
}

#[test]
fn a_dc_that_comes_later_has_an_account_and_the_same_seed_the_same_directory() {
    let (one, two) = (directory(), directory());
    for directory in [&one, &two] {
        directory.add_dc(&DcView::new("dc9", "corp.example")).unwrap();
        assert!(directory.add_dc(&DcView::new("DC9", "corp.example")).is_err());
    }
    let everything = |directory: &Directory| {
        Client::bound(directory, ADMINISTRATOR).find("(objectClass=*)", &["*"])
    };
    assert_eq!(everything(&one), everything(&two));
    let account = Client::bound(&one, ADMINISTRATOR).find("(sAMAccountName=DC9$)", &["*"]);
    assert_eq!(text(&account[0], "primaryGroupID").as_deref(), Some("516"));
    assert_eq!(text(&account[0], "dNSHostName").as_deref(), Some("dc9.corp.example"));
    let sid = one.domain_sid().with_rid(1_000);
    assert_eq!(account[0].values("objectSid"), [sid.as_bytes()]);
}

fn directory() -> Directory {
    let clock = clock_at(CAPTURED_AT).clock();
    Directory::build(DirectoryConfig::new("corp.example", Seed::new(1), clock)).unwrap()
}

fn replace(client: &mut Client<'_>, dn: &str, name: &str, values: &[&[u8]]) -> LdapResult {
    modify(client, dn, ModifyOperation::Replace, name, values)
}

fn modify(
    client: &mut Client<'_>,
    dn: &str,
    operation: ModifyOperation,
    name: &str,
    values: &[&[u8]],
) -> LdapResult {
    let modification = Attribute::new(name, values.iter().copied());
    let changes = vec![Change { operation, modification }];
    client.result(ProtocolOp::ModifyRequest(ModifyRequest { object: dn.into(), changes }))
}

fn quoted(password: &str) -> Vec<u8> {
    format!("\"{password}\"").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn assert_success(result: LdapResult) {
    assert!(result.is_success(), "{result:?}");
}
