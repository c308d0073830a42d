//! Users as the host's own accounts would be (`wbinfo --uid-info`), and their groups
//! (`--user-domgroups`).

use ldap_wire::{SearchRequest, SearchResultEntry};

use super::{
    Wbc, Winbind,
    accounts::{Kind, read_sid},
    domains::DomainName,
    logon::Logon,
};
use crate::samba::{ads::account_search, console::Console, smb_conf::Settings, values::sid_text};

/// RID of Domain Users, which winbind takes for the primary group of who has not logged on.
const DOMAIN_USERS: u32 = 513;
/// Where the groups of every machine are, which the groups of a domain are not.
const BUILTIN: &str = "S-1-5-32-";

impl Winbind<'_> {
    /// The number of an account, whatever it is, as user or as group: autorid gives both the same.
    pub(in crate::samba) async fn number(&self, sid: &str) -> Result<u32, Wbc> {
        read_sid(sid)?;
        let own = self.own_domain();
        if !own.has(sid) && own.sid != sid && self.domain_of(sid).await?.is_none() {
            return Err(Wbc::DomainNotFound);
        }
        self.number_of(sid).ok_or(Wbc::DomainNotFound)
    }

    /// The line of `passwd` for the user with that number.
    pub(in crate::samba) async fn passwd_line(&self, number: u32) -> Result<String, Wbc> {
        let sid = self.sid_of_number(number).ok_or(Wbc::DomainNotFound)?;
        let account = self.lookup_sid(&sid).await.map_err(|_| Wbc::DomainNotFound)?;
        if account.kind == Kind::Domain {
            return Err(Wbc::DomainNotFound);
        }
        let (domain_sid, _) = sid.rsplit_once('-').ok_or(Wbc::DomainNotFound)?;
        let logon = self.last_logon(&sid);
        let primary = logon.as_ref().map_or(DOMAIN_USERS, |logon| logon.primary_group);
        let group = self.number_of(&format!("{domain_sid}-{primary}"));
        let group = group.ok_or(Wbc::DomainNotFound)?;
        let (domain, name) = (&account.domain, account.name.to_lowercase());
        let full_name = logon.map(|logon| logon.full_name).unwrap_or_default();
        let Settings { template_homedir, template_shell, .. } = self.run.settings;
        let home = template_homedir.replace("%D", domain).replace("%U", &name);
        Ok(format!("{domain}\\{name}:*:{number}:{group}:{full_name}:{home}:{template_shell}"))
    }

    /// The SIDs of a user and of all its groups.
    pub(in crate::samba) async fn groups(&self, sid: &str) -> Result<Vec<String>, Wbc> {
        let bytes = read_sid(sid)?;
        if let Some(Logon { groups, .. }) = self.last_logon(sid) {
            return Ok([&[sid.to_owned()], groups.as_slice()].concat());
        }
        self.lookup_sid(sid).await.map_err(|_| Wbc::DomainNotFound)?;
        let (domain, _) = sid.rsplit_once('-').ok_or(Wbc::DomainNotFound)?;
        let mut sids = vec![sid.to_owned(), format!("{domain}-{DOMAIN_USERS}")];
        let own = self.own_domain();
        if own.has(sid) {
            for group in self.token_groups(&own, &bytes).await {
                if !group.starts_with(BUILTIN) && !sids.contains(&group) {
                    sids.push(group);
                }
            }
        }
        Ok(sids)
    }

    /// `tokenGroups` of an account. winbind asks for them by LDAP as smb.conf says, with TLS and
    /// all; when that fails it does without.
    async fn token_groups(&self, domain: &DomainName, sid: &[u8]) -> Vec<String> {
        let Some(dc) = self.run.find_dc(&domain.dns).await else { return Vec::new() };
        let mut log = Console::new(0);
        let machine = self.secrets.account();
        let connected = self.run.context().connect_quietly(&dc, &machine, &mut log).await;
        let Ok(mut ldap) = connected else { return Vec::new() };
        let search: SearchRequest = account_search(sid, vec!["tokenGroups".to_owned()]);
        let found = ldap.search(search).await;
        ldap.unbind().await;
        let entries: Vec<SearchResultEntry> = found.map(|found| found.entries).unwrap_or_default();
        let values = entries.iter().flat_map(|entry| entry.values("tokenGroups"));
        values.filter_map(|sid| sid_text(sid)).collect()
    }

    /// The name of a DC of a domain, by NetBIOS name of the own one or DNS name of any.
    pub(in crate::samba) async fn dc_name(&self, domain: &str) -> Option<String> {
        let own = self.own_domain();
        let name = if own.is(domain) { &own.dns } else { domain };
        if name.is_empty() {
            return None;
        }
        self.run.find_dc(name).await.map(|dc| dc.answer.dns_name)
    }
}
