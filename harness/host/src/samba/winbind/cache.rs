//! What winbind remembers of names (`winbindd_cache.tdb`): for `winbind cache time`, until it is
//! started anew.
//!
//! It shows: an account that is gone is found for as long, and one that was asked for by name has a
//! name in small letters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Account, Winbind, accounts::AccountName};
use crate::HostRoot;

/// Stands for `winbindd_cache.tdb`.
const PATH: &str = "/var/lib/samba/winbindd_cache.json";
const MODE: u32 = 0o600;

/// The content of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cache {
    /// By name in capitals, with its domain.
    names: BTreeMap<String, Remembered>,
    sids: BTreeMap<String, Remembered>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    account: Account,
    /// Seconds of Unix time from which on this does not count.
    until: i64,
}

impl Cache {
    /// What cannot be read is empty, as a damaged database is for winbind.
    fn load(root: &HostRoot) -> Self {
        let content = root.read_if_present(PATH).ok().flatten();
        content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_default()
    }

    fn save(&self, root: &HostRoot) {
        // winbind goes on without its cache.
        let _ = root.write(PATH, &serde_json::to_vec(self).unwrap_or_default(), MODE);
    }
}

/// Forgets everything, as winbind does when it starts.
pub(in crate::samba) fn clear(root: &HostRoot) {
    let _ = root.remove(PATH);
}

impl Winbind<'_> {
    pub(super) fn cached_name(&self, text: &str) -> Option<Account> {
        let cache = Cache::load(self.run.root());
        self.valid(cache.names.get(&self.key(text)))
    }

    pub(super) fn cached_sid(&self, sid: &str) -> Option<Account> {
        self.valid(Cache::load(self.run.root()).sids.get(sid))
    }

    /// Remembers what was found by that name, and who has that SID: with the letters of the
    /// question, of which winbind makes small ones.
    pub(super) fn cache_name(&self, text: &str, account: &Account) {
        let mut cache = Cache::load(self.run.root());
        if !text.contains('@') {
            let account = Account { name: account.name.to_lowercase(), ..account.clone() };
            cache.sids.insert(account.sid.clone(), self.remembered(account));
        }
        cache.names.insert(self.key(text), self.remembered(account.clone()));
        cache.save(self.run.root());
    }

    pub(super) fn cache_sid(&self, account: &Account) {
        let mut cache = Cache::load(self.run.root());
        let name = format!("{}\\{}", account.domain, account.name);
        cache.names.insert(self.key(&name), self.remembered(account.clone()));
        cache.sids.insert(account.sid.clone(), self.remembered(account.clone()));
        cache.save(self.run.root());
    }

    fn remembered(&self, account: Account) -> Remembered {
        let time = i64::from(self.run.settings.winbind_cache_seconds);
        Remembered { account, until: self.run.now().unix().saturating_add(time) }
    }

    fn valid(&self, found: Option<&Remembered>) -> Option<Account> {
        found.filter(|found| self.run.now().unix() < found.until).map(|found| found.account.clone())
    }

    /// A name with its domain, in capitals.
    fn key(&self, text: &str) -> String {
        match AccountName::parse(text) {
            AccountName::Bare(account) => format!("{}\\{account}", self.workgroup()),
            AccountName::OfDomain { domain, account } if self.own_domain().is(domain) => {
                format!("{}\\{account}", self.workgroup())
            }
            AccountName::OfDomain { .. } | AccountName::UserPrincipal(_) => text.to_owned(),
        }
        .to_uppercase()
    }
}
