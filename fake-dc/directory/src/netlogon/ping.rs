//! What a ping asks for.

use ldap_wire::Filter;
use uuid::Uuid;

use super::version;
use crate::{account::control, domain::Domain, sid::Sid, state::State};

/// The terms of a ping's filter ([MS-ADTS] 6.3.3.2).
#[derive(Debug)]
pub(super) struct Ping {
    pub(super) version: u32,
    pub(super) user: Option<String>,
    /// Which kinds of account the user may be, in the bits of [MS-SAMR] 2.2.1.12.
    account_control: u32,
    domain: Option<String>,
    domain_guid: Option<Guid>,
    domain_sid: Option<Option<Sid>>,
}

/// A `DomainGuid` that can be read.
#[derive(Debug)]
enum Guid {
    Binary(Uuid),
    /// Samba reads one written as text too, and then knows no domain of it.
    Text,
}

impl Ping {
    /// Reads the filter of a ping: an `and` of equalities, of one or of none too (captures
    /// `ntver-only`, `ntver-bare`).
    ///
    /// As in Samba 4.22, a number or GUID of another size is as if it were not there, and the last
    /// of several counts.
    pub(super) fn read(filter: &Filter) -> Option<Self> {
        let Filter::And(terms) = filter else { return None };
        let mut ping = Self {
            version: version::V5,
            user: None,
            account_control: 0,
            domain: None,
            domain_guid: None,
            domain_sid: None,
        };
        for term in terms {
            let Filter::Equality { attribute, value } = term else { return None };
            let text = || {
                let end = value.iter().position(|&byte| byte == 0).unwrap_or(value.len());
                String::from_utf8_lossy(&value[..end]).into_owned()
            };
            let number = || Some(u32::from_le_bytes(value.as_slice().try_into().ok()?));
            match attribute.to_ascii_lowercase().as_str() {
                "ntver" => ping.version = number().unwrap_or(ping.version),
                "dnsdomain" => ping.domain = Some(text()),
                "domainguid" => ping.domain_guid = Guid::read(value).or(ping.domain_guid),
                "domainsid" => ping.domain_sid = Some(Sid::from_bytes(value).ok()),
                "user" => ping.user = Some(text()),
                "aac" => ping.account_control = number().unwrap_or(ping.account_control),
                // `Host` and whatever else a client tells of itself.
                _ => {}
            }
        }
        Some(ping)
    }

    /// Whether it is for the domain, which answers by the name `dns_name`.
    ///
    /// The DNS name decides; only if it is missing or another's does the GUID, and then the SID.
    pub(super) fn is_for(&self, domain: &Domain, dns_name: &str) -> bool {
        let named = |name: &String| name.trim_end_matches('.').eq_ignore_ascii_case(dns_name);
        if self.domain.as_ref().is_some_and(named) {
            return true;
        }
        match (&self.domain_guid, &self.domain_sid) {
            (Some(Guid::Binary(guid)), _) => *guid == domain.guid,
            (Some(Guid::Text), _) => false,
            (None, Some(sid)) => sid.as_ref() == Some(&domain.sid),
            (None, None) => self.domain.is_none(),
        }
    }

    /// Whether the account exists, is enabled, and is of a kind that was asked for: of no kind if
    /// none was (capture `ver 0x6 user alice`).
    pub(super) fn finds_account(&self, state: &State, user: &str) -> bool {
        // What clients send for "not given".
        let kinds = if self.account_control == u32::MAX { 0 } else { self.account_control };
        let account = state.store.by_account_name(user).and_then(|id| state.store.get(id));
        let Some(account) = account.filter(|account| account.is_a("user")) else { return false };
        let bits = account.number("userAccountControl").unwrap_or(0);
        let wanted = KINDS.iter().any(|(kind, bit)| kinds & kind != 0 && bits & bit != 0);
        bits & control::ACCOUNT_DISABLE == 0 && wanted
    }
}

/// Bits of a user account as [MS-SAMR] 2.2.1.12 has them, and as `userAccountControl` does.
const KINDS: [(u32, i64); 6] = [
    (0x10, control::NORMAL_ACCOUNT),
    (0x20, 0x2_0000),
    (0x40, control::INTERDOMAIN_TRUST_ACCOUNT),
    (0x80, control::WORKSTATION_TRUST_ACCOUNT),
    (0x100, control::SERVER_TRUST_ACCOUNT),
    (0x200, 0x1_0000),
];

impl Guid {
    fn read(value: &[u8]) -> Option<Self> {
        match value.len() {
            16 => Uuid::from_slice_le(value).ok().map(Self::Binary),
            32 | 36 | 38 => Some(Self::Text),
            _ => None,
        }
    }
}
