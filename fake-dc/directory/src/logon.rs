//! Accounts as a protocol beside LDAP needs them to log clients on: Kerberos, above all.

use std::fmt;

use ground::{Secret, Timestamp};

use crate::{
    account::{Account, control},
    computed,
    diagnostic::LogonError,
    directory::Directory,
    domain::Domain,
    sid::Sid,
    stamp::NEVER,
    state::State,
    store::EntryId,
};

/// How a client names an account, in any letter case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountName<'a> {
    /// By `sAMAccountName`; a computer's may lack its `$`, as [MS-KILE] 3.3.5.6.1.1 has it.
    Account(&'a str),
    /// By `servicePrincipalName`, or by one that `sPNMappings` leads to.
    Service(&'a str),
    /// By `userPrincipalName`, or account name and domain: `alice@corp.example`.
    UserPrincipal(&'a str),
}

/// What logging on with an account takes, at one moment. `Debug` hides the password.
#[derive(Clone)]
pub struct LogonAccount {
    /// `sAMAccountName`, as it is spelled.
    pub name: String,
    /// `userPrincipalName`, as it is spelled.
    pub user_principal_name: Option<String>,
    /// Whether it is a computer's.
    pub is_computer: bool,
    /// `servicePrincipalName`, as they are spelled.
    pub services: Vec<String>,
    /// The password.
    pub password: Secret,
    /// `msDS-KeyVersionNumber`.
    pub key_version: u32,
    /// `userAccountControl`.
    pub control: i64,
    /// Why nobody may log on with it, the right password or not.
    pub restriction: Option<LogonRestriction>,
    /// When the password expires; `None`: never.
    pub password_expires: Option<Timestamp>,
    /// `msDS-SupportedEncryptionTypes`.
    pub supported_etypes: Option<i64>,
    /// `displayName`.
    pub full_name: String,
    /// `objectSid`.
    pub sid: Sid,
    /// RID of the primary group.
    pub primary_group: u32,
    /// SIDs of all its groups, direct or not, the primary one included.
    pub groups: Vec<Sid>,
    /// `pwdLastSet`, in file time.
    pub password_set: i64,
}

/// Why nobody may log on with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogonRestriction {
    /// It is disabled.
    Disabled,
    /// It has expired.
    Expired,
    /// It is locked out.
    LockedOut,
    /// Its password must be changed first.
    MustChangePassword,
    /// Its password has expired.
    PasswordExpired,
}

impl Directory {
    /// The account that goes by that name; `None` if there is none, or it has no password.
    pub fn logon_account(&self, name: AccountName<'_>) -> Option<LogonAccount> {
        let state = self.read();
        let id = self.find_account(&state, name)?;
        logon_account(&self.domain, &state, id)
    }

    /// Counts a wrong password that was tried elsewhere than in a bind; that may lock the account.
    pub fn wrong_password_tried(&self, account: &str) {
        let id = self.read().store.by_account_name(account);
        if let Some(id) = id {
            self.count_wrong_password(id);
        }
    }

    /// Ends the count of wrong passwords: the right one was given elsewhere than in a bind.
    pub fn right_password_given(&self, account: &str) {
        let id = self.read().store.by_account_name(account);
        if let Some(id) = id {
            self.forget_wrong_passwords(id);
        }
    }

    pub(crate) fn find_account(&self, state: &State, name: AccountName<'_>) -> Option<EntryId> {
        let store = &state.store;
        match name {
            AccountName::Account(name) => {
                store.by_account_name(name).or_else(|| store.by_account_name(&format!("{name}$")))
            }
            AccountName::Service(name) => {
                let name = name.to_lowercase();
                let by_name = |name: &str| store.first("servicePrincipalName", name.as_bytes());
                by_name(&name).or_else(|| {
                    let (class, rest) = name.split_once('/')?;
                    let mapped = MAPPED_TO_HOST.contains(&class);
                    if mapped { by_name(&format!("host/{rest}")) } else { None }
                })
            }
            AccountName::UserPrincipal(name) => {
                let name = name.to_lowercase();
                store.first("userPrincipalName", name.as_bytes()).or_else(|| {
                    let (account, domain) = name.rsplit_once('@')?;
                    let ours = domain.eq_ignore_ascii_case(&self.domain.dns_name)
                        || domain.eq_ignore_ascii_case(&self.domain.netbios);
                    if ours {
                        self.find_account(state, AccountName::Account(account))
                    } else {
                        None
                    }
                })
            }
        }
    }
}

fn logon_account(domain: &Domain, state: &State, id: EntryId) -> Option<LogonAccount> {
    /// Domain Users, which everybody is in whose LDIF does not say otherwise.
    const DOMAIN_USERS: u32 = 513;
    let entry = state.store.get(id)?;
    let account = Account::new(domain, state, entry);
    let restriction = account.restriction_of_any_password().and_then(|error| match error {
        LogonError::AccountDisabled => Some(LogonRestriction::Disabled),
        LogonError::AccountExpired => Some(LogonRestriction::Expired),
        LogonError::AccountLockedOut => Some(LogonRestriction::LockedOut),
        LogonError::PasswordExpired => Some(LogonRestriction::PasswordExpired),
        LogonError::PasswordMustChange => Some(LogonRestriction::MustChangePassword),
        LogonError::LogonFailure | LogonError::NoSuchUser => None,
    });
    let expiry = account.password_expiry();
    Some(LogonAccount {
        name: entry.text("sAMAccountName")?.to_owned(),
        user_principal_name: entry.text("userPrincipalName").map(str::to_owned),
        is_computer: entry.is_a("computer"),
        services: entry
            .values("servicePrincipalName")
            .iter()
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect(),
        password: entry.password.clone()?,
        key_version: entry.password_version,
        control: entry.number("userAccountControl").unwrap_or(control::NORMAL_ACCOUNT),
        restriction,
        password_expires: (expiry != NEVER && expiry != 0).then(|| from_file_time(expiry)),
        supported_etypes: entry.number("msDS-SupportedEncryptionTypes"),
        full_name: entry.text("displayName").unwrap_or_default().to_owned(),
        sid: entry.sid()?,
        primary_group: entry
            .number("primaryGroupID")
            .and_then(|rid| u32::try_from(rid).ok())
            .unwrap_or(DOMAIN_USERS),
        groups: computed::token_groups(state, id),
        password_set: entry.number("pwdLastSet").unwrap_or(0),
    })
}

fn from_file_time(file_time: i64) -> Timestamp {
    Timestamp::from_unix(file_time / 10_000_000 - 11_644_473_600)
}

/// Classes of services that stand for `host` where they are not registered: the default of
/// `sPNMappings` ([MS-ADTS] 6.1.1.2.4.1.1; Windows Server 2022).
const MAPPED_TO_HOST: [&str; 53] = [
    "alerter",
    "appmgmt",
    "cisvc",
    "clipsrv",
    "browser",
    "dhcp",
    "dnscache",
    "replicator",
    "eventlog",
    "eventsystem",
    "policyagent",
    "oakley",
    "dmserver",
    "dns",
    "mcsvc",
    "fax",
    "msiserver",
    "ias",
    "messenger",
    "netlogon",
    "netman",
    "netdde",
    "netddedsm",
    "nmagent",
    "plugplay",
    "protectedstorage",
    "rasman",
    "rpclocator",
    "rpc",
    "rpcss",
    "remoteaccess",
    "rsvp",
    "samss",
    "scardsvr",
    "scesrv",
    "seclogon",
    "scm",
    "dcom",
    "cifs",
    "spooler",
    "snmp",
    "schedule",
    "tapisrv",
    "trksvr",
    "trkwks",
    "ups",
    "time",
    "wins",
    "www",
    "http",
    "w3svc",
    "iisadmin",
    "msdtc",
];

impl fmt::Debug for LogonAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogonAccount")
            .field("name", &self.name)
            .field("key_version", &self.key_version)
            .field("restriction", &self.restriction)
            .finish_non_exhaustive()
    }
}
