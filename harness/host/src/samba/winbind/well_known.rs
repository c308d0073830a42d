//! Accounts that are the same on every machine, which winbind knows without a DC.

use super::{
    Wbc,
    accounts::{Account, Kind},
};

/// A domain of such accounts: its names, and the accounts by the ends of their SIDs.
struct WellKnown {
    name: &'static str,
    prefix: &'static str,
    kind: Kind,
    accounts: &'static [(u32, &'static str)],
}

/// `BUILTIN` (aliases) and `NT Authority` as Samba 4.22 knows them (`util_builtin.c`,
/// `util_wellknown.c`).
const DOMAINS: [WellKnown; 2] = [
    WellKnown {
        name: "BUILTIN",
        prefix: "S-1-5-32-",
        kind: Kind::Alias,
        accounts: &[
            (544, "Administrators"),
            (545, "Users"),
            (546, "Guests"),
            (547, "Power Users"),
            (548, "Account Operators"),
            (549, "Server Operators"),
            (550, "Print Operators"),
            (551, "Backup Operators"),
            (552, "Replicator"),
            (553, "RAS Servers"),
            (554, "Pre-Windows 2000 Compatible Access"),
            (555, "Remote Desktop Users"),
            (556, "Network Configuration Operators"),
            (557, "Incoming Forest Trust Builders"),
            (558, "Performance Monitor Users"),
            (559, "Performance Log Users"),
            (560, "Windows Authorization Access Group"),
            (561, "Terminal Server License Servers"),
            (562, "Distributed COM Users"),
            (568, "IIS_IUSRS"),
            (569, "Cryptographic Operators"),
            (573, "Event Log Readers"),
            (574, "Certificate Service DCOM Access"),
        ],
    },
    WellKnown {
        name: "NT Authority",
        prefix: "S-1-5-",
        kind: Kind::WellKnown,
        accounts: &[
            (1, "Dialup"),
            (2, "Network"),
            (3, "Batch"),
            (4, "Interactive"),
            (6, "Service"),
            (7, "Anonymous Logon"),
            (8, "Proxy"),
            (9, "Enterprise Domain Controllers"),
            (10, "Self"),
            (11, "Authenticated Users"),
            (12, "Restricted"),
            (13, "Terminal Server User"),
            (14, "Remote Interactive Logon"),
            (15, "This Organization"),
            (18, "SYSTEM"),
            (19, "Local Service"),
            (20, "Network Service"),
        ],
    },
];

/// `S-1-1-0`, of a domain without a name.
const EVERYONE: &str = "S-1-1-0";

/// The account of that name; `None` if the domain is another.
pub(super) fn named(domain: &str, account: &str) -> Option<Result<Account, Wbc>> {
    let known = DOMAINS.iter().find(|known| known.name.eq_ignore_ascii_case(domain))?;
    let found = known.accounts.iter().find(|(_, name)| name.eq_ignore_ascii_case(account));
    Some(found.map(|&(rid, name)| known.account(rid, name)).ok_or(Wbc::NotMapped))
}

/// The account of that SID; `None` if it is of another domain.
pub(super) fn of_sid(sid: &str) -> Option<Result<Account, Wbc>> {
    if sid == EVERYONE {
        return Some(Ok(Account {
            sid: sid.to_owned(),
            kind: Kind::WellKnown,
            domain: String::new(),
            name: "Everyone".to_owned(),
        }));
    }
    let (known, rid) = DOMAINS.iter().find_map(|known| {
        let rid: u32 = sid.strip_prefix(known.prefix)?.parse().ok()?;
        Some((known, rid))
    })?;
    let found = known.accounts.iter().find(|(number, _)| *number == rid);
    Some(found.map(|&(rid, name)| known.account(rid, name)).ok_or(Wbc::DomainNotFound))
}

impl WellKnown {
    fn account(&self, rid: u32, name: &str) -> Account {
        Account {
            sid: format!("{}{rid}", self.prefix),
            kind: self.kind,
            domain: self.name.to_owned(),
            name: name.to_owned(),
        }
    }
}
