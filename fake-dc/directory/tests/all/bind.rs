//! Who may log on, and in which words AD refuses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::time::Duration;

use crate::support::{CAPTURED_AT, Client, PASSWORD, clock_at};
use fake_dc_directory::{
    AccountName, Directory, DirectoryConfig, Flavour, LdifSource, Policy, Protection, SaslLayer,
};
use ground::{Seed, VirtualClock};
use ldap_wire::{ExtendedRequest, LdapMessage, ProtocolOp, ResultCode, extended};

/// The names and passwords tried, and the `data` of each refusal; empty for success.
#[rustfmt::skip]
const LOGONS: [(&str, &str, &str); 24] = [
    ("alice@corp.example", PASSWORD, ""),
    ("ALICE@CORP.EXAMPLE", PASSWORD, ""),
    ("CORP\\alice", PASSWORD, ""),
    ("corp.example\\alice", PASSWORD, ""),
    ("CN=Alice Normal,CN=Users,DC=corp,DC=example", PASSWORD, ""),
    ("cn=alice normal, cn=users, dc=CORP, dc=example", PASSWORD, ""),
    ("frank@corp.example", PASSWORD, ""),
    ("alice@corp.example", "wrong", "52e"),
    ("alice", PASSWORD, "52e"),
    ("CN=Users,DC=corp,DC=example", PASSWORD, "52e"),
    ("nobody@corp.example", PASSWORD, "525"),
    ("alice@other.example", PASSWORD, "525"),
    ("OTHER\\alice", PASSWORD, "525"),
    ("CN=Nobody,CN=Users,DC=corp,DC=example", PASSWORD, "525"),
    ("bob@corp.example", PASSWORD, "533"),
    ("bob@corp.example", "wrong", "52e"),
    ("carol@corp.example", PASSWORD, "701"),
    ("carol@corp.example", "wrong", "52e"),
    ("dave@corp.example", PASSWORD, "775"),
    ("dave@corp.example", "wrong", "775"),
    ("eve@corp.example", PASSWORD, "773"),
    ("grace@corp.example", PASSWORD, "532"),
    ("krbtgt@corp.example", PASSWORD, "533"),
    ("Guest@corp.example", PASSWORD, "533"),
];

#[test]
fn windows_refuses_with_the_state_of_the_account() {
    let directory = directory(|_| {});
    let mut client = Client::connect(&directory, Protection::Tls);
    for (name, password, data) in LOGONS {
        let result = client.bind(name, password);
        assert_eq!(client.session.is_bound(), data.is_empty(), "{name}");
        if data.is_empty() {
            assert_eq!(result.code, ResultCode::SUCCESS, "{name}: {result:?}");
        } else {
            assert_eq!(
                (result.code, result.diagnostic.as_str()),
                (ResultCode::INVALID_CREDENTIALS, refusal("0C09044E", data, "v4f7c").as_str()),
                "{name}"
            );
        }
    }
}

#[test]
fn samba_does_not_tell_who_exists() {
    let directory = directory(|config| config.flavour = Flavour::Samba4_22);
    let mut client = Client::connect(&directory, Protection::Tls);
    for (name, password, data) in LOGONS.into_iter().filter(|(.., data)| !data.is_empty()) {
        let data = if data == "525" { "52e" } else { data };
        let result = client.bind(name, password);
        assert_eq!(result.diagnostic, refusal("0C0903A9", data, "v1db1"), "{name}");
    }
}

#[test]
fn empty_passwords_depend_on_the_product() {
    let windows = directory(|_| {});
    let mut client = Client::connect(&windows, Protection::None);
    assert!(client.bind("", "").is_success());
    assert!(client.bind("alice@corp.example", "").is_success());
    assert!(!client.session.is_bound());
    let samba = directory(|config| config.flavour = Flavour::Samba4_22);
    let mut client = Client::connect(&samba, Protection::None);
    assert!(client.bind("", "").is_success());
    assert_eq!(client.bind("alice@corp.example", "").code, ResultCode::INVALID_CREDENTIALS);
}

#[test]
fn strong_authentication_can_be_required() {
    let strict = |config: &mut DirectoryConfig| config.policy.require_strong_auth = true;
    let directory = directory(strict);
    let mut client = Client::connect(&directory, Protection::None);
    let result = client.bind("alice@corp.example", PASSWORD);
    assert_eq!(result.code, ResultCode::STRONGER_AUTH_REQUIRED);
    assert!(result.diagnostic.starts_with("00002028: LdapErr: "), "{}", result.diagnostic);
    let start_tls = ExtendedRequest { name: extended::START_TLS.into(), value: None };
    assert!(client.result(ProtocolOp::ExtendedRequest(start_tls.clone())).is_success());
    client.session.tls_started();
    assert!(client.bind("alice@corp.example", PASSWORD).is_success());
    let again = client.result(ProtocolOp::ExtendedRequest(start_tls));
    assert_eq!(again.code, ResultCode::OPERATIONS_ERROR);
}

#[test]
fn states_follow_the_clock() {
    let time = clock_at(CAPTURED_AT);
    let directory = directory_at(&time, |_| {});
    let mut client = Client::connect(&directory, Protection::Tls);
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    assert!(client.bind("dave@corp.example", PASSWORD).diagnostic.contains("data 775"));
    time.advance(minutes(30));
    assert!(client.bind("dave@corp.example", PASSWORD).is_success());
    time.advance(minutes(42 * 24 * 60));
    assert!(client.bind("alice@corp.example", PASSWORD).diagnostic.contains("data 532"));
    assert!(client.bind("Administrator@corp.example", PASSWORD).is_success());
}

#[test]
fn wrong_passwords_lock_an_account_where_the_policy_says_so() {
    let time = clock_at(CAPTURED_AT);
    let strict = "dn: DC=corp,DC=example\nlockoutThreshold: 3\n";
    let directory = directory_at(&time, |config| config.sources.push(ldif(strict)));
    let mut client = Client::connect(&directory, Protection::Tls);
    for _ in 0..3 {
        assert!(client.bind("alice@corp.example", "wrong").diagnostic.contains("data 52e"));
    }
    assert!(client.bind("alice@corp.example", PASSWORD).diagnostic.contains("data 775"));
    let mut administrator = Client::bound(&directory, "Administrator@corp.example");
    let attributes = ["badPwdCount", "msDS-User-Account-Control-Computed"];
    let found = administrator.find("(sAMAccountName=alice)", &attributes);
    assert_eq!(crate::support::text(&found[0], "badPwdCount").as_deref(), Some("3"));
    assert_eq!(crate::support::text(&found[0], attributes[1]).as_deref(), Some("16"));
    time.advance(Duration::from_secs(30 * 60));
    assert!(client.bind("alice@corp.example", PASSWORD).is_success());
    let found = administrator.find("(sAMAccountName=alice)", &["lockoutTime", "badPwdCount"]);
    assert_eq!(crate::support::text(&found[0], "lockoutTime").as_deref(), Some("0"));
    assert_eq!(crate::support::text(&found[0], "badPwdCount").as_deref(), Some("0"));
}

#[test]
fn ldif_sets_passwords_and_nobody_reads_them() {
    let own =
        "dn: CN=Zoe,CN=Users,DC=corp,DC=example\nsAMAccountName: zoe\nuserPassword: Sekrit-1\n";
    let directory = directory(|config| config.sources.push(ldif(own)));
    let mut client = Client::connect(&directory, Protection::Tls);
    assert!(!client.bind("zoe@corp.example", PASSWORD).is_success());
    assert!(client.bind("zoe@corp.example", "Sekrit-1").is_success());
    let attributes = ["*", "userPassword", "unicodePwd", "supplementalCredentials"];
    let found = client.find("(sAMAccountName=zoe)", &attributes);
    assert!(!format!("{found:?} {directory:?}").contains("Sekrit"));
    assert!(found[0].values("userPassword").is_empty());
    assert!(client.find("(userPassword=Sekrit-1)", &[]).is_empty());
}

#[test]
fn a_sasl_bind_is_somebody_and_protects_what_follows() {
    let strict =
        directory(|config| config.policy = Policy { require_strong_auth: true, ..config.policy });
    let alice = AccountName::Account("alice");
    let mut session = Client::connect(&strict, Protection::None).session;
    let refused = strict.sasl_succeeded(&mut session, alice, SaslLayer::None);
    assert_eq!(refused.code, ResultCode::STRONGER_AUTH_REQUIRED);
    assert!(!session.is_bound());
    assert!(strict.sasl_succeeded(&mut session, alice, SaslLayer::Sign).is_success());
    assert_eq!(session.protection(), Protection::None);
    assert!(strict.sasl_succeeded(&mut session, alice, SaslLayer::Seal).is_success());
    assert_eq!(session.protection(), Protection::Sealed);
    assert_eq!(strict.bound_name(&session).as_deref(), Some("CORP\\alice"));
    strict.sasl_begins(&mut session);
    assert!(!session.is_bound());
    let nobody = AccountName::Account("nobody");
    assert!(!strict.sasl_succeeded(&mut session, nobody, SaslLayer::Seal).is_success());
}

#[test]
fn who_am_i_names_the_account() {
    let directory = directory(|_| {});
    let mut client = Client::bound(&directory, "alice@corp.example");
    let request = ExtendedRequest { name: extended::WHO_AM_I.into(), value: None };
    let request = LdapMessage::new(3, ProtocolOp::ExtendedRequest(request));
    let ProtocolOp::ExtendedResponse(response) = client.send(request.clone()).remove(0).op else {
        panic!("an extended request gets an extended response")
    };
    assert_eq!(response.value.as_deref(), Some(b"u:CORP\\alice".as_slice()));
    assert_eq!(directory.bound_name(&client.session).as_deref(), Some("CORP\\alice"));
    assert!(!client.bind("alice@corp.example", "wrong").is_success());
    assert_eq!(directory.bound_name(&client.session), None);
}

fn refusal(dsid: &str, data: &str, version: &str) -> String {
    format!(
        "80090308: LdapErr: DSID-{dsid}, comment: AcceptSecurityContext error, data {data}, {version}"
    )
}

fn ldif(text: &str) -> LdifSource {
    LdifSource { name: "test.ldif".into(), text: text.into() }
}

fn directory(adjust: impl FnOnce(&mut DirectoryConfig)) -> Directory {
    directory_at(&clock_at(CAPTURED_AT), adjust)
}

fn directory_at(time: &VirtualClock, adjust: impl FnOnce(&mut DirectoryConfig)) -> Directory {
    let mut config = DirectoryConfig::new("corp.example", Seed::new(1), time.clock());
    adjust(&mut config);
    Directory::build(config).unwrap()
}
