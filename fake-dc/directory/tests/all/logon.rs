//! Accounts as a KDC sees them.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use fake_dc_directory::{
    AccountName, DcView, Directory, DirectoryConfig, LdifSource, LogonRestriction,
};
use ground::{Seed, Timestamp, VirtualClock};

const LDIF: &str = "\
dn: CN=HOST1,CN=Computers,DC=corp,DC=example
objectClass: computer
sAMAccountName: HOST1$
servicePrincipalName: HOST/host1.corp.example

dn: CN=Late,CN=Users,DC=corp,DC=example
objectClass: user
sAMAccountName: late
userPrincipalName: Late.Comer@corp.example
pwdLastSet: 0
";

fn directory(time: &VirtualClock) -> Directory {
    let mut config = DirectoryConfig::new("corp.example", Seed::new(1), time.clock());
    config.dcs = vec![DcView::new("dc1", "corp.example")];
    config.sources = vec![LdifSource { name: "test.ldif".to_owned(), text: LDIF.to_owned() }];
    Directory::build(config).unwrap()
}

#[test]
fn accounts_are_found_by_all_their_names() {
    let time = VirtualClock::starting_at(Timestamp::from_unix(1_780_000_000));
    let directory = directory(&time);
    for (name, account) in [
        (AccountName::Account("ALICE"), "alice"),
        (AccountName::Account("host1"), "HOST1$"),
        (AccountName::Account("host1$"), "HOST1$"),
        (AccountName::UserPrincipal("ALICE@CORP.EXAMPLE"), "alice"),
        (AccountName::UserPrincipal("late.comer@corp.example"), "late"),
        (AccountName::UserPrincipal("late@corp.example"), "late"),
        (AccountName::Service("host/HOST1.corp.example"), "HOST1$"),
        (AccountName::Service("cifs/host1.corp.example"), "HOST1$"),
        (AccountName::Service("ldap/dc1.corp.example"), "DC1$"),
        (AccountName::Service("kadmin/changepw"), "krbtgt"),
    ] {
        let found = directory.logon_account(name).map(|account| account.name);
        assert_eq!(found.as_deref(), Some(account), "{name:?}");
    }
    for name in [
        AccountName::Account("nobody"),
        AccountName::Account("Domain Users"),
        AccountName::UserPrincipal("alice@elsewhere.example"),
        AccountName::Service("ldap/host1.corp.example"),
    ] {
        assert!(directory.logon_account(name).is_none(), "{name:?}");
    }
}

#[test]
fn states_follow_entries_and_the_clock() {
    let time = VirtualClock::starting_at(Timestamp::from_unix(1_780_000_000));
    let directory = directory(&time);
    let restriction =
        |name| directory.logon_account(AccountName::Account(name)).unwrap().restriction;
    assert_eq!(restriction("alice"), None);
    assert_eq!(restriction("krbtgt"), Some(LogonRestriction::Disabled));
    assert_eq!(restriction("late"), Some(LogonRestriction::MustChangePassword));
    let alice = directory.logon_account(AccountName::Account("alice")).unwrap();
    let expires = alice.password_expires.unwrap();
    time.advance(Duration::from_secs((expires.unix() - 1_780_000_000) as u64));
    assert_eq!(restriction("alice"), Some(LogonRestriction::PasswordExpired));
    assert!(!format!("{alice:?}").contains("Passw0rd"));
}
