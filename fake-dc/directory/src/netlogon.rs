//! The netlogon ping: which DC answers here, for which domain ([MS-ADTS] 6.3).
//!
//! The same answer serves CLDAP and a search of the rootDSE over TCP. Its bytes follow the
//! captures of Samba 4.22 (`wire/cldap.json`) for every form that clients ask for.

use ldap_wire::Filter;
use uuid::Uuid;

use crate::{
    account::control,
    config::{DcView, Flavour},
    directory::Directory,
    sid::Sid,
    state::State,
};

/// Bits of `NtVer` ([MS-ADTS] 6.3.1.1).
const VERSION_1: u32 = 0x1;
const VERSION_5: u32 = 0x2;
const VERSION_5EX: u32 = 0x4;

/// Codes of answers ([MS-ADTS] 6.3.1.3).
const RESPONSE: u16 = 0x13;
const PAUSE_RESPONSE: u16 = 0x14;
const USER_UNKNOWN: u16 = 0x15;
/// What codes of the extended form are more than those of the others.
const EXTENDED: u16 = 0x4;

/// Flags of the answer ([MS-ADTS] 6.3.1.2).
pub mod flag {
    /// Has the PDC role.
    pub const PDC: u32 = 0x1;
    /// Holds a global catalogue.
    pub const GC: u32 = 0x4;
    /// Serves LDAP.
    pub const LDAP: u32 = 0x8;
    /// Serves a domain.
    pub const DS: u32 = 0x10;
    /// Is a KDC.
    pub const KDC: u32 = 0x20;
    /// Serves the time.
    pub const TIME_SERVICE: u32 = 0x40;
    /// Is in the client's site.
    pub const CLOSEST: u32 = 0x80;
    /// Takes changes.
    pub const WRITABLE: u32 = 0x100;
    /// What every DC is.
    pub(super) const EVERY_DC: u32 = GC | LDAP | DS | KDC | TIME_SERVICE | CLOSEST | WRITABLE;
    pub(super) const GOOD_TIME_SERVICE: u32 = 0x200;
    /// Holds the secrets of some accounts: a read-only DC.
    pub const SOME_SECRETS: u32 = 0x800;
    /// Holds all secrets of the domain.
    pub const FULL_SECRETS: u32 = 0x1000;
    /// Web services, and the marks of Windows Server 2012, 2012 R2 and 2016.
    pub(super) const WINDOWS_2016: u32 = 0x1_e000;
    /// Gives key lists, which Windows Server 2022 adds.
    pub(super) const KEY_LIST: u32 = 0x2_0000;
}

impl Directory {
    /// Answers a netlogon ping: the value of the attribute `netlogon`, or `None` if the filter
    /// asks for another domain or is no ping.
    pub fn netlogon(&self, dc: &DcView, filter: &Filter) -> Option<Vec<u8>> {
        let ping = Ping::read(filter)?;
        let (domain, claims) = (&self.domain, &dc.netlogon);
        let dns_domain = claims.domain.as_deref().unwrap_or(&domain.dns_name);
        let other_name =
            |name: &String| !name.trim_end_matches('.').eq_ignore_ascii_case(dns_domain);
        let silent = claims.withheld
            || ping.domain.as_ref().is_some_and(other_name)
            || ping.domain_guid.is_some_and(|guid| guid != domain.guid)
            || ping.domain_sid.as_ref().is_some_and(|sid| *sid != domain.sid);
        if silent {
            return None;
        }
        let state = self.read();
        let user = ping.user.as_deref().unwrap_or_default();
        let netbios_domain = match &claims.domain {
            Some(other) => &other.split('.').next().unwrap_or_default().to_uppercase(),
            None => &domain.netbios,
        };
        let names = Names {
            domain: dns_domain,
            netbios_domain,
            dc: claims.dns_name.as_deref().unwrap_or(&dc.dns_name),
            netbios_dc: &dc.name.to_uppercase(),
            user,
        };
        let code = if claims.paused {
            PAUSE_RESPONSE
        } else if user.is_empty() || is_usable(&state, user, ping.account_control) {
            RESPONSE
        } else {
            USER_UNKNOWN
        };
        let version = if claims.nt4_emulation { VERSION_1 } else { ping.version };
        let flags = self.flags(&state, dc);
        Some(if version & VERSION_5EX != 0 {
            let client_site = claims.client_site.as_deref().unwrap_or(&dc.site);
            names.extended(code + EXTENDED, flags, domain.guid, [&dc.site, client_site])
        } else if version & VERSION_5 != 0 {
            names.version_5(code, flags, domain.guid, dc)
        } else {
            names.version_1(code)
        })
    }

    fn flags(&self, state: &State, dc: &DcView) -> u32 {
        let product = match self.domain.flavour {
            Flavour::Samba4_22 => flag::GOOD_TIME_SERVICE,
            Flavour::WindowsServer2022 => flag::WINDOWS_2016 | flag::KEY_LIST,
        };
        let role = if state.is_pdc(dc) { flag::PDC } else { 0 };
        let own = role | flag::EVERY_DC | flag::FULL_SECRETS | product;
        (own | dc.netlogon.flags_added) & !dc.netlogon.flags_missing
    }
}

/// What a ping asks for.
#[derive(Debug, Default)]
struct Ping {
    version: u32,
    domain: Option<String>,
    domain_guid: Option<Uuid>,
    domain_sid: Option<Sid>,
    user: Option<String>,
    /// Which kinds of account the user may be, in the bits of [MS-SAMR] 2.2.1.12.
    account_control: Option<u32>,
}

impl Ping {
    /// Reads the filter of a ping: an `and` of equalities, even if of one (captures
    /// `ntver-only`, `ntver-bare`).
    fn read(filter: &Filter) -> Option<Self> {
        let Filter::And(terms) = filter else { return None };
        let mut ping = Self::default();
        let mut has_version = false;
        for term in terms {
            let Filter::Equality { attribute, value } = term else { return None };
            let text = || String::from_utf8(value.clone()).ok();
            let number = || Some(u32::from_le_bytes(value.as_slice().try_into().ok()?));
            match attribute.to_ascii_lowercase().as_str() {
                "ntver" => {
                    ping.version = number()?;
                    has_version = true;
                }
                "dnsdomain" => ping.domain = Some(text()?),
                "domainguid" => ping.domain_guid = Some(Uuid::from_slice_le(value).ok()?),
                "domainsid" => ping.domain_sid = Some(Sid::from_bytes(value).ok()?),
                "user" => ping.user = Some(text()?),
                "aac" => ping.account_control = Some(number()?),
                // `Host` and whatever else a client tells of itself.
                _ => {}
            }
        }
        has_version.then_some(ping)
    }
}

/// Whether the account exists, is enabled, and is of a kind that was asked for.
fn is_usable(state: &State, user: &str, kinds: Option<u32>) -> bool {
    const KINDS: [(u32, i64); 4] = [
        (0x10, control::NORMAL_ACCOUNT),
        (0x40, control::INTERDOMAIN_TRUST_ACCOUNT),
        (0x80, control::WORKSTATION_TRUST_ACCOUNT),
        (0x100, control::SERVER_TRUST_ACCOUNT),
    ];
    let account = state.store.by_account_name(user).and_then(|id| state.store.get(id));
    let Some(account) = account.filter(|account| account.is_a("user")) else { return false };
    let bits = account.number("userAccountControl").unwrap_or(0);
    let wanted = |kinds: u32| KINDS.iter().any(|(kind, bit)| kinds & kind != 0 && bits & bit != 0);
    bits & control::ACCOUNT_DISABLE == 0 && kinds.is_none_or(wanted)
}

/// The names that an answer is made of.
struct Names<'a> {
    domain: &'a str,
    netbios_domain: &'a str,
    dc: &'a str,
    netbios_dc: &'a str,
    user: &'a str,
}

impl Names<'_> {
    /// NETLOGON_SAM_LOGON_RESPONSE_EX ([MS-ADTS] 6.3.1.9).
    ///
    /// `sites` are that of the DC and that of the client.
    fn extended(&self, code: u16, flags: u32, guid: Uuid, sites: [&str; 2]) -> Vec<u8> {
        let mut answer = Packer::default();
        answer.u16(code);
        answer.u16(0);
        answer.u32(flags);
        answer.bytes(&guid.to_bytes_le());
        // Forest and domain have one name in a forest of one domain.
        answer.name(self.domain);
        answer.name(self.domain);
        answer.name(self.dc);
        answer.label(self.netbios_domain);
        answer.label(self.netbios_dc);
        answer.label(self.user);
        sites.into_iter().for_each(|site| answer.name(site));
        answer.end(VERSION_5EX | VERSION_1)
    }

    /// NETLOGON_SAM_LOGON_RESPONSE ([MS-ADTS] 6.3.1.8).
    fn version_5(&self, code: u16, flags: u32, guid: Uuid, dc: &DcView) -> Vec<u8> {
        let mut answer = self.old_head(code);
        answer.bytes(&guid.to_bytes_le());
        answer.bytes(Uuid::nil().as_bytes());
        answer.name(self.domain);
        answer.name(self.domain);
        answer.name(self.dc);
        answer.u32(u32::from(dc.address));
        answer.u32(flags);
        answer.end(VERSION_5 | VERSION_1)
    }

    /// NETLOGON_SAM_LOGON_RESPONSE_NT40 ([MS-ADTS] 6.3.1.7).
    fn version_1(&self, code: u16) -> Vec<u8> {
        self.old_head(code).end(VERSION_1)
    }

    fn old_head(&self, code: u16) -> Packer {
        let mut answer = Packer::default();
        answer.u16(code);
        answer.wide(&format!("\\\\{}", self.netbios_dc));
        answer.wide(self.user);
        answer.wide(self.netbios_domain);
        answer
    }
}

/// Writes numbers little-endian and names with the compression of DNS (RFC 1035 §4.1.4).
#[derive(Default)]
struct Packer {
    bytes: Vec<u8>,
    /// Where each name written so far can be pointed at. A pointer keeps the letter case.
    suffixes: Vec<(String, u16)>,
}

impl Packer {
    fn u16(&mut self, number: u16) {
        self.bytes(&number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.bytes(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// UTF-16 with a zero at the end.
    fn wide(&mut self, text: &str) {
        text.encode_utf16().chain([0]).for_each(|unit| self.u16(unit));
    }

    /// A name of several labels, pointing back at the longest end that was written before.
    fn name(&mut self, name: &str) {
        let mut rest = name;
        while !rest.is_empty() {
            if let Some((_, at)) = self.suffixes.iter().find(|(known, _)| known == rest) {
                self.bytes(&(0xc000 | at).to_be_bytes());
                return;
            }
            if let Ok(at) = u16::try_from(self.bytes.len()) {
                self.suffixes.push((rest.to_owned(), at));
            }
            let (label, after) = rest.split_once('.').unwrap_or((rest, ""));
            self.octets(label);
            rest = after;
        }
        self.bytes.push(0);
    }

    /// A name of one label, which is never pointed at.
    fn label(&mut self, label: &str) {
        if !label.is_empty() {
            self.octets(label);
        }
        self.bytes.push(0);
    }

    fn octets(&mut self, label: &str) {
        // A label has at most 63 bytes.
        let label = &label.as_bytes()[..label.len().min(63)];
        self.bytes.push(u8::try_from(label.len()).unwrap_or(63));
        self.bytes(label);
    }

    fn end(mut self, version: u32) -> Vec<u8> {
        self.u32(version);
        // The tokens of LAN Manager.
        self.u32(u32::MAX);
        self.bytes
    }
}
