//! Names of principals.

use std::fmt;

use crate::{
    der::{self, Reader},
    error::Error,
};

/// How a name is to be understood (RFC 4120, section 6.2; RFC 6806, section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameKind(pub i32);

impl NameKind {
    /// Nothing is known about it.
    pub const UNKNOWN: Self = Self(0);
    /// An account: `alice`.
    pub const PRINCIPAL: Self = Self(1);
    /// A service with an instance: `krbtgt/CORP.EXAMPLE`.
    pub const SERVICE_INSTANCE: Self = Self(2);
    /// A service on a machine: `ldap/dc1.corp.example`.
    pub const SERVICE_HOST: Self = Self(3);
    /// One that a user types, `alice@corp.example`, in one component.
    pub const ENTERPRISE: Self = Self(10);
}

/// A name within a realm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PrincipalName {
    /// How to understand it.
    pub kind: NameKind,
    /// Its components.
    pub parts: Vec<String>,
}

impl PrincipalName {
    /// An account: `alice`, `HOST1$`.
    pub fn account(name: impl Into<String>) -> Self {
        Self { kind: NameKind::PRINCIPAL, parts: vec![name.into()] }
    }

    /// A name as a user types it: `alice@corp.example`.
    pub fn enterprise(name: impl Into<String>) -> Self {
        Self { kind: NameKind::ENTERPRISE, parts: vec![name.into()] }
    }

    /// A service on a machine: `service("ldap", "dc1.corp.example")`.
    pub fn service(service: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: NameKind::SERVICE_HOST, parts: vec![service.into(), name.into()] }
    }

    /// The ticket-granting service of a realm.
    pub fn ticket_granting(realm: impl Into<String>) -> Self {
        Self {
            kind: NameKind::SERVICE_INSTANCE,
            parts: vec![TICKET_GRANTING.to_owned(), realm.into()],
        }
    }

    /// The password changing service (RFC 3244), which lets in accounts whose password has expired.
    pub fn change_password() -> Self {
        Self {
            kind: NameKind::SERVICE_INSTANCE,
            parts: vec!["kadmin".to_owned(), "changepw".to_owned()],
        }
    }

    pub(crate) fn is_ticket_granting(&self) -> bool {
        matches!(self.parts.as_slice(), [service, _] if service == TICKET_GRANTING)
    }

    /// The realm that a ticket-granting ticket of this name is for.
    pub(crate) fn granted_realm(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [service, realm] if service == TICKET_GRANTING => Some(realm),
            _ => None,
        }
    }

    pub(crate) fn is_change_password(&self) -> bool {
        matches!(self.parts.as_slice(), [service, name] if service == "kadmin" && name == "changepw")
    }

    /// True for the same components in any letter case, as AD compares them.
    pub fn same(&self, other: &Self) -> bool {
        self.parts.len() == other.parts.len()
            && self.parts.iter().zip(&other.parts).all(|(a, b)| a.eq_ignore_ascii_case(b))
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let mut name = reader.sequence()?;
        let kind = NameKind(name.field(0, Reader::int32)?);
        let parts = name.field(1, |parts| parts.list(Reader::text))?;
        Ok(Self { kind, parts })
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        der::sequence([
            der::field(0, der::integer(self.kind.0)),
            der::field(1, der::sequence(self.parts.iter().map(|part| der::text(part)))),
        ])
    }
}

const TICKET_GRANTING: &str = "krbtgt";

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("/"))
    }
}

/// A name with its realm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// The name.
    pub name: PrincipalName,
    /// The realm, in capitals in a domain of the Active Directory family.
    pub realm: String,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.realm)
    }
}

/// The salts with which Active Directory makes keys of passwords ([MS-KILE] 3.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Salt;

impl Salt {
    /// Of a user: `CORP.EXAMPLEalice`, with the name spelled as when the password was set.
    pub fn of_user(realm: &str, account_name: &str) -> String {
        format!("{}{account_name}", realm.to_uppercase())
    }

    /// Of a computer: `CORP.EXAMPLEhosthost1.corp.example`.
    pub fn of_computer(realm: &str, account_name: &str) -> String {
        let name = account_name.strip_suffix('$').unwrap_or(account_name);
        format!("{}host{}.{}", realm.to_uppercase(), name.to_lowercase(), realm.to_lowercase())
    }

    /// Of the ticket-granting service of `partner` in `realm`: `CORP.EXAMPLEkrbtgtOTHER.EXAMPLE`.
    pub fn of_trust(realm: &str, partner: &str) -> String {
        format!("{}{TICKET_GRANTING}{}", realm.to_uppercase(), partner.to_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn salts_are_those_of_active_directory() {
        assert_eq!(Salt::of_user("corp.example", "Alice"), "CORP.EXAMPLEAlice");
        assert_eq!(
            Salt::of_computer("CORP.EXAMPLE", "HOST1$"),
            "CORP.EXAMPLEhosthost1.corp.example"
        );
        assert_eq!(
            Salt::of_trust("corp.example", "other.example"),
            "CORP.EXAMPLEkrbtgtOTHER.EXAMPLE"
        );
    }
}
