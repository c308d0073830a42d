//! Users as the host's own accounts would be (`wbinfo --uid-info`), and their groups
//! (`--user-domgroups`).

use super::{
    Wbc, Winbind,
    accounts::{Account, Kind, Sid},
    cache::Age,
    domains::DomainName,
    logon::Logon,
};
use crate::samba::{
    console::Console, searches::account_search, smb_conf::Settings, values::sid_text,
};

/// RID of Domain Users, which winbind takes for the primary group of who has not logged on.
const DOMAIN_USERS: u32 = 513;
/// Where the groups of every machine are, which the groups of a domain are not.
const BUILTIN: &str = "S-1-5-32-";

impl Winbind<'_> {
    /// The number of an account, whatever it is, as user or as group: autorid gives both the same.
    pub(in crate::samba) async fn number(&self, sid: &Sid) -> Result<u32, Wbc> {
        self.domain_of(&sid.text).await?.ok_or(Wbc::DomainNotFound)?;
        self.number_of(&sid.text).ok_or(Wbc::DomainNotFound)
    }

    /// The line of `passwd` for the user with that number. Of who has logged on here the KDC has said it all
    /// then, so that no DC is asked and nobody notices that the account is gone (`wb_queryuser` of Samba
    /// 4.22).
    pub(in crate::samba) async fn passwd_line(&self, number: u32) -> Result<String, Wbc> {
        let sid = self.sid_of_number(number).ok_or(Wbc::DomainNotFound)?;
        let sid = Sid::parse(&sid).map_err(|_| Wbc::DomainNotFound)?;
        let (account, primary, full_name) = match self.last_logon(&sid.text) {
            Some(Logon { domain, account, full_name, primary_group, .. }) => {
                let account = Account { sid: sid.text, kind: Kind::User, domain, name: account };
                (account, primary_group, full_name)
            }
            None => {
                let account = self.lookup_sid(&sid).await.map_err(|_| Wbc::DomainNotFound)?;
                (account, DOMAIN_USERS, String::new())
            }
        };
        if account.kind == Kind::Domain {
            return Err(Wbc::DomainNotFound);
        }
        let group = self.number_of(&primary_group(&account, primary));
        let group = group.ok_or(Wbc::DomainNotFound)?;
        let (domain, name) = (&account.domain, account.name.to_lowercase());
        let Settings { template_homedir, template_shell, .. } = self.run.settings;
        let home = template_homedir.replace("%D", domain).replace("%U", &name);
        Ok(format!("{domain}\\{name}:*:{number}:{group}:{full_name}:{home}:{template_shell}"))
    }

    /// The SIDs of a user and of all its groups.
    pub(in crate::samba) async fn groups(&self, sid: &Sid) -> Result<Vec<String>, Wbc> {
        if let Some(Logon { groups, .. }) = self.last_logon(&sid.text) {
            return Ok([std::slice::from_ref(&sid.text), groups.as_slice()].concat());
        }
        if let Some(groups) = self.known_groups(&sid.text, Age::New) {
            return Ok(groups);
        }
        let account = self.lookup_sid(sid).await.map_err(|_| Wbc::DomainNotFound)?;
        let mut sids = vec![sid.text.clone(), primary_group(&account, DOMAIN_USERS)];
        let own = self.own_domain();
        if account.kind != Kind::User || !own.has(&sid.text) {
            return Ok(sids);
        }
        let Some(groups) = self.token_groups(&own, &sid.bytes).await else {
            return Ok(self.known_groups(&sid.text, Age::Any).unwrap_or(sids));
        };
        for group in groups {
            if !group.starts_with(BUILTIN) && !sids.contains(&group) {
                sids.push(group);
            }
        }
        self.remember_groups(&sid.text, &sids);
        Ok(sids)
    }

    /// `tokenGroups` of an account; `None` if nobody says. winbind asks for them by LDAP as smb.conf
    /// says, with TLS and all; when that fails it does without.
    async fn token_groups(&self, domain: &DomainName, sid: &[u8]) -> Option<Vec<String>> {
        let dc = self.run.find_dc(&domain.dns).await?;
        let (machine, mut log) = (self.secrets.account(), Console::new(0));
        let connected = self.run.context().connect_quietly(&dc, &machine, &mut log).await;
        let mut ldap = connected.ok()?;
        let found = ldap.search(account_search(sid, vec!["tokenGroups".to_owned()])).await;
        ldap.unbind().await;
        let found = found.ok().filter(|found| found.result.is_success())?;
        let values = found.entries.iter().flat_map(|entry| entry.values("tokenGroups"));
        Some(values.filter_map(|sid| sid_text(sid)).collect())
    }

    /// The name of a DC of a domain: by its DNS name, or by its NetBIOS name once it has been found
    /// by the other. A DC that was found a short while ago is named again, whatever became of it.
    pub(in crate::samba) async fn dc_name(&self, domain: &str) -> Option<String> {
        if let Some(dc) = self.known_dc(domain) {
            return Some(dc);
        }
        let known = self.known_domain(domain);
        let name = known.as_deref().unwrap_or(domain);
        if name.is_empty() {
            return None;
        }
        let dc = self.run.find_dc(name).await?;
        self.remember_dc(&dc.answer);
        Some(dc.answer.dns_name)
    }
}

/// The SID of a user's primary group; that of a group is the group itself.
fn primary_group(account: &Account, rid: u32) -> String {
    match account.sid.rsplit_once('-') {
        Some((domain, _)) if account.kind == Kind::User => format!("{domain}-{rid}"),
        _ => account.sid.clone(),
    }
}
