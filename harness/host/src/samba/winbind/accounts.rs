//! Names and SIDs of accounts (`wbinfo --name-to-sid`, `--sid-to-name`).

use std::fmt;

use ldap_wire::{Filter, SearchResultEntry};

use super::{
    Wbc, Winbind,
    cache::Age,
    domains::{Connection, DomainName, text},
    well_known,
};
use crate::samba::values::{sid_bytes, sid_text};

/// RID of `krbtgt` (\[MS-SAMR\] 2.2.1.14): the account that cannot be renamed.
const KRBTGT: u32 = 502;
/// What is read of an account.
const ATTRIBUTES: [&str; 3] = ["sAMAccountName", "objectSid", "sAMAccountType"];

/// What a SID is of (`SID_NAME_USE`, \[MS-SAMR\] 2.2.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::samba) enum Kind {
    /// A person or a machine.
    User = 1,
    /// A global or universal group.
    Group = 2,
    /// A domain.
    Domain = 3,
    /// A group of a domain for its own machines.
    Alias = 4,
    /// A group that is the same everywhere.
    WellKnown = 5,
}

impl Kind {
    /// As `wbinfo --sid-to-name` prints it.
    pub(in crate::samba) fn number(self) -> u8 {
        self as u8
    }

    /// Of `sAMAccountType` (\[MS-SAMR\] 2.2.1.9).
    fn of_account_type(number: u32) -> Option<Self> {
        match number {
            0x3000_0000..=0x3000_0002 => Some(Self::User),
            0x1000_0000 | 0x1000_0001 => Some(Self::Group),
            0x2000_0000 | 0x2000_0001 => Some(Self::Alias),
            _ => None,
        }
    }
}

/// As `wbinfo --name-to-sid` prints it.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::User => "SID_USER",
            Self::Group => "SID_DOM_GROUP",
            Self::Domain => "SID_DOMAIN",
            Self::Alias => "SID_ALIAS",
            Self::WellKnown => "SID_WKN_GROUP",
        };
        write!(f, "{name} ({})", self.number())
    }
}

/// An account as winbind knows it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::samba) struct Account {
    pub(in crate::samba) sid: String,
    pub(in crate::samba) kind: Kind,
    /// NetBIOS name of its domain.
    pub(in crate::samba) domain: String,
    /// `sAMAccountName`; empty for a domain.
    pub(in crate::samba) name: String,
}

/// A name as `wbinfo` takes it apart (`parse_wbinfo_domain_user` of Samba 4.22).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccountName<'a> {
    /// `name`, of the host's own domain.
    Bare(&'a str),
    /// `DOMAIN\name`.
    OfDomain { domain: &'a str, account: &'a str },
    /// `name@domain`, in which the domain may be one of AD's other suffixes.
    UserPrincipal(&'a str),
}

impl<'a> AccountName<'a> {
    pub(super) fn parse(text: &'a str) -> Self {
        match text.split_once('\\') {
            Some((domain, account)) => Self::OfDomain { domain, account },
            None if text.contains('@') => Self::UserPrincipal(text),
            None => Self::Bare(text),
        }
    }
}

impl Winbind<'_> {
    /// The account of that name.
    pub(in crate::samba) async fn lookup_name(&self, text: &str) -> Result<Account, Wbc> {
        if let Some(account) = self.known_name(text, Age::New) {
            return Ok(account);
        }
        match self.find_name(text).await {
            Ok(account) => {
                self.remember_name(text, &account);
                Ok(account)
            }
            Err(Wbc::NoDc) => self.known_name(text, Age::Any).ok_or(Wbc::NoDc),
            Err(error) => Err(error),
        }
    }

    async fn find_name(&self, text: &str) -> Result<Account, Wbc> {
        Ok(match AccountName::parse(text) {
            AccountName::Bare(account) => self.of_own_domain(account).await?,
            AccountName::OfDomain { domain, account } if self.own_domain().is(domain) => {
                self.of_own_domain(account).await?
            }
            AccountName::OfDomain { domain, account } => match well_known::named(domain, account) {
                Some(known) => known?,
                None => self.of_trusted_domain(domain, account).await?,
            },
            AccountName::UserPrincipal(name) => self.of_user_principal(name).await?,
        })
    }

    async fn of_own_domain(&self, account: &str) -> Result<Account, Wbc> {
        let own = self.own_domain();
        if account.is_empty() {
            self.prove_itself().await?;
            return Ok(domain_itself(&own));
        }
        if account.eq_ignore_ascii_case("krbtgt") {
            self.prove_itself().await?;
            return Ok(krbtgt(&own));
        }
        let mut connection = self.connect(&own).await?;
        let found = by_account_name(&mut connection, &own, account).await;
        connection.close().await;
        found?.ok_or(Wbc::NotMapped)
    }

    async fn of_trusted_domain(&self, domain: &str, account: &str) -> Result<Account, Wbc> {
        let domain = self.domain_named(domain).await?.ok_or(Wbc::NotMapped)?;
        if account.is_empty() {
            return Ok(domain_itself(&domain));
        }
        let mut connection = self.connect(&domain).await?;
        let found = by_account_name(&mut connection, &domain, account).await;
        connection.close().await;
        found?.ok_or(Wbc::DomainNotFound)
    }

    /// By `userPrincipalName`, else by account name and domain.
    async fn of_user_principal(&self, name: &str) -> Result<Account, Wbc> {
        let (account, suffix) = name.rsplit_once('@').unwrap_or((name, ""));
        let own = self.own_domain();
        let mut connection = self.connect(&own).await?;
        let mut found = by_principal(&mut connection, &own, name).await;
        if found == Ok(None) && own.is(suffix) {
            found = by_account_name(&mut connection, &own, account).await;
        }
        connection.close().await;
        if let Some(account) = found? {
            return Ok(account);
        }
        if own.is(suffix) {
            return Err(Wbc::DomainNotFound);
        }
        let domain = self.domain_named(suffix).await?.ok_or(Wbc::NotMapped)?;
        let mut connection = self.connect(&domain).await?;
        let mut found = by_principal(&mut connection, &domain, name).await;
        if found == Ok(None) {
            found = by_account_name(&mut connection, &domain, account).await;
        }
        connection.close().await;
        found?.ok_or(Wbc::DomainNotFound)
    }

    /// The account of that SID.
    pub(in crate::samba) async fn lookup_sid(&self, sid: &Sid) -> Result<Account, Wbc> {
        if let Some(account) = self.known_sid(&sid.text, Age::New) {
            return Ok(account);
        }
        match self.find_sid(sid).await {
            Ok(account) => {
                self.remember_sid(&account);
                Ok(account)
            }
            Err(Wbc::NoDc) => self.known_sid(&sid.text, Age::Any).ok_or(Wbc::NoDc),
            Err(error) => Err(error),
        }
    }

    async fn find_sid(&self, Sid { text, bytes }: &Sid) -> Result<Account, Wbc> {
        if let Some(known) = well_known::of_sid(text) {
            return known;
        }
        let own = self.own_domain();
        if *text == own.sid {
            self.prove_itself().await?;
            return Ok(domain_itself(&own));
        }
        if *text == own.account(KRBTGT) {
            self.prove_itself().await?;
            return Ok(krbtgt(&own));
        }
        let domain = self.domain_of(text).await?.ok_or(Wbc::DomainNotFound)?;
        if *text == domain.sid {
            return Ok(domain_itself(&domain));
        }
        let mut connection = self.connect(&domain).await?;
        let filter = Filter::Equality { attribute: "objectSid".to_owned(), value: bytes.clone() };
        let found = first_account(&mut connection, &domain, filter).await;
        connection.close().await;
        found?.ok_or(Wbc::DomainNotFound)
    }
}

/// A SID, in both of its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::samba) struct Sid {
    pub(super) text: String,
    pub(super) bytes: Vec<u8>,
}

impl Sid {
    /// As `wbcStringToSid` reads it: no text that begins in another way is looked at, and what
    /// begins like a SID must be one.
    pub(in crate::samba) fn parse(text: &str) -> Result<Self, Wbc> {
        if !text.starts_with("S-") && !text.starts_with("s-") {
            return Err(Wbc::InvalidParam);
        }
        let bytes = sid_bytes(&text.to_uppercase()).filter(|sid| sid.len() > 8);
        let bytes = bytes.ok_or(Wbc::InvalidSid)?;
        Ok(Self { text: sid_text(&bytes).ok_or(Wbc::InvalidSid)?, bytes })
    }
}

fn domain_itself(domain: &DomainName) -> Account {
    Account {
        sid: domain.sid.clone(),
        kind: Kind::Domain,
        domain: domain.netbios.clone(),
        name: String::new(),
    }
}

fn krbtgt(domain: &DomainName) -> Account {
    Account {
        sid: domain.account(KRBTGT),
        kind: Kind::User,
        domain: domain.netbios.clone(),
        name: "krbtgt".to_owned(),
    }
}

async fn by_account_name(
    connection: &mut Connection,
    domain: &DomainName,
    name: &str,
) -> Result<Option<Account>, Wbc> {
    let value = name.as_bytes().to_vec();
    let filter = Filter::Equality { attribute: "sAMAccountName".to_owned(), value };
    first_account(connection, domain, filter).await
}

async fn by_principal(
    connection: &mut Connection,
    domain: &DomainName,
    name: &str,
) -> Result<Option<Account>, Wbc> {
    let value = name.as_bytes().to_vec();
    let filter = Filter::Equality { attribute: "userPrincipalName".to_owned(), value };
    first_account(connection, domain, filter).await
}

async fn first_account(
    connection: &mut Connection,
    domain: &DomainName,
    filter: Filter,
) -> Result<Option<Account>, Wbc> {
    let found = connection.find(filter, &ATTRIBUTES).await.ok_or(Wbc::NoDc)?;
    Ok(found.iter().find_map(|entry| account(entry, domain)))
}

/// An account of the domain; the groups of BUILTIN are none of it.
fn account(entry: &SearchResultEntry, domain: &DomainName) -> Option<Account> {
    let sid = sid_text(entry.values("objectSid").first()?)?;
    let number = text(entry, "sAMAccountType")?.parse::<i64>().ok()?;
    let kind = Kind::of_account_type(u32::try_from(number).ok()?)?;
    let name = text(entry, "sAMAccountName")?;
    domain.has(&sid).then(|| Account { sid, kind, domain: domain.netbios.clone(), name })
}
