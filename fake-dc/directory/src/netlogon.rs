//! The netlogon ping: which DC answers here, for which domain ([MS-ADTS] 6.3).
//!
//! The same answer serves CLDAP and a search of the rootDSE over TCP. Its bytes follow the
//! captures of Samba 4.22 (`wire/cldap.json`, `wire/netlogon.json`) for every form that clients
//! ask for.

mod answer;
mod ping;

use std::net::IpAddr;

use ldap_wire::Filter;

use self::{
    answer::{Code, Names},
    ping::Ping,
};
use crate::{
    config::{DcView, Flavour},
    directory::Directory,
    state::State,
};

/// Bits of `NtVer` ([MS-ADTS] 6.3.1.1).
mod version {
    pub(super) const V1: u32 = 0x1;
    pub(super) const V5: u32 = 0x2;
    pub(super) const V5EX: u32 = 0x4;
    pub(super) const V5EX_WITH_IP: u32 = 0x8;
}

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
    pub(super) const EVERY_DC: u32 = GC | LDAP | DS | KDC | TIME_SERVICE | WRITABLE;
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
    /// Answers the netlogon ping of a client at that address: the value of the attribute
    /// `netlogon`, or `None` if the filter asks for another domain or is no ping.
    ///
    /// Without an address the client counts as being in the DC's site.
    pub fn netlogon(
        &self,
        dc: &DcView,
        client: Option<IpAddr>,
        filter: &Filter,
    ) -> Option<Vec<u8>> {
        let ping = Ping::read(filter)?;
        let (domain, claims) = (&self.domain, &dc.netlogon);
        let dns_domain = claims.domain.as_deref().unwrap_or(&domain.dns_name);
        if claims.withheld || !ping.is_for(domain, dns_domain) {
            return None;
        }
        let state = self.read();
        let user = ping.user.as_deref().unwrap_or_default();
        let netbios_domain = match &claims.domain {
            Some(other) => &other.split('.').next().unwrap_or_default().to_uppercase(),
            None => &domain.netbios,
        };
        let site = match (&claims.client_site, client) {
            (Some(claimed), _) => claimed.clone(),
            (None, Some(client)) => self.site_of(&state, dc, client),
            (None, None) => dc.site.clone(),
        };
        let names = Names {
            forest: claims.domain.as_deref().unwrap_or(&domain.forest),
            domain: dns_domain,
            netbios_domain,
            dc: claims.dns_name.as_deref().unwrap_or(&dc.dns_name),
            netbios_dc: &dc.name.to_uppercase(),
            user,
            site: &dc.site,
            client_site: &site,
        };
        let code = if claims.paused {
            Code::Paused
        } else if user.is_empty() || ping.finds_account(&state, user) {
            Code::Response
        } else {
            Code::UserUnknown
        };
        let asked = if claims.nt4_emulation { version::V1 } else { ping.version };
        let flags = self.flags(&state, dc, &site);
        Some(if asked & version::V5EX_WITH_IP != 0 {
            names.extended(code, flags, domain.guid, Some(dc.address))
        } else if asked & version::V5EX != 0 {
            names.extended(code, flags, domain.guid, None)
        } else if asked & version::V5 != 0 {
            names.version_5(code, flags, domain.guid, dc.address)
        } else {
            names.version_1(code)
        })
    }

    fn flags(&self, state: &State, dc: &DcView, client_site: &str) -> u32 {
        let product = match self.domain.flavour {
            Flavour::Samba4_22 => flag::GOOD_TIME_SERVICE,
            Flavour::WindowsServer2022 => flag::WINDOWS_2016 | flag::KEY_LIST,
        };
        let role = if state.is_pdc(dc) { flag::PDC } else { 0 };
        let near = if client_site.eq_ignore_ascii_case(&dc.site) { flag::CLOSEST } else { 0 };
        let own = role | near | flag::EVERY_DC | flag::FULL_SECRETS | product;
        (own | dc.netlogon.flags_added) & !dc.netlogon.flags_missing
    }
}
