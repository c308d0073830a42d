//! What winbind remembers.
//!
//! Names and DCs are in Samba's common cache (`gencache.tdb`): they outlive winbind, and
//! `net cache flush` forgets them. A name counts for `winbind cache time`, and for as long as there
//! is no DC to ask. So an account that is gone is found for a while, winbind seems ready without a DC,
//! and an account that was asked for by name has a name in small letters. A DC that was found counts for a
//! quarter of an hour, in which nobody looks whether it is still there (`dsgetdcname_cached`). Groups are
//! in `winbindd_cache.tdb`, which winbind empties when it starts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Account, Winbind, accounts::AccountName};
use crate::{HostRoot, samba::netlogon::NetlogonAnswer};

/// Stands for `gencache.tdb`.
const COMMON: &str = "/var/lib/samba/lock/gencache.json";
/// Stands for `winbindd_cache.tdb`.
const OF_WINBIND: &str = "/var/lib/samba/winbindd_cache.json";
const MODE: u32 = 0o600;
/// How long a DC of a domain is known, and with it the domain's names (`DSGETDCNAME_CACHE_TTL`).
const DC_SECONDS: i64 = 900;

/// What may be remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Remembered<T> {
    what: T,
    /// Seconds of Unix time from which on this is old.
    until: i64,
}

impl<T: Clone> Remembered<T> {
    fn if_new(&self, now: i64) -> Option<T> {
        (now < self.until).then(|| self.what.clone())
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Common {
    /// By name in capitals, with its domain.
    names: BTreeMap<String, Remembered<Account>>,
    sids: BTreeMap<String, Remembered<Account>>,
    /// DNS names by NetBIOS names in capitals.
    domains: BTreeMap<String, Remembered<String>>,
    /// DNS names of DCs by names of their domains in capitals, DNS and NetBIOS.
    #[serde(default)]
    dcs: BTreeMap<String, Remembered<String>>,
}

/// SIDs of groups by SIDs of accounts.
type Groups = BTreeMap<String, Remembered<Vec<String>>>;

/// What cannot be read is empty, as a damaged database is for Samba.
fn load<T: DeserializeOwned + Default>(root: &HostRoot, path: &str) -> T {
    let content = root.read_if_present(path).ok().flatten();
    content.and_then(|content| serde_json::from_slice(&content).ok()).unwrap_or_default()
}

/// Samba goes on without its caches.
fn save(root: &HostRoot, path: &str, content: &impl Serialize) {
    let _ = root.write(path, &serde_json::to_vec(content).unwrap_or_default(), MODE);
}

/// Forgets what winbind forgets when it starts.
pub(in crate::samba) fn begin(root: &HostRoot) {
    let _ = root.remove(OF_WINBIND);
}

/// `net cache flush`.
pub(in crate::samba) fn flush(root: &HostRoot) {
    let _ = root.remove(COMMON);
}

/// How what is remembered counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// While it is new.
    New,
    /// However old it is: there is nobody to ask.
    Any,
}

impl Winbind<'_> {
    pub(super) fn known_name(&self, text: &str, age: Age) -> Option<Account> {
        let common: Common = load(self.run.root(), COMMON);
        self.counted(common.names.get(&self.key(text)), age)
    }

    pub(super) fn known_sid(&self, sid: &str, age: Age) -> Option<Account> {
        let common: Common = load(self.run.root(), COMMON);
        self.counted(common.sids.get(sid), age)
    }

    pub(super) fn known_groups(&self, sid: &str, age: Age) -> Option<Vec<String>> {
        let groups: Groups = load(self.run.root(), OF_WINBIND);
        self.counted(groups.get(sid), age)
    }

    /// The DNS name of a domain that has been asked about.
    pub(super) fn known_domain(&self, netbios: &str) -> Option<String> {
        let common: Common = load(self.run.root(), COMMON);
        self.counted(common.domains.get(&netbios.to_uppercase()), Age::New)
    }

    /// The DC of a domain, by either name of it.
    pub(super) fn known_dc(&self, domain: &str) -> Option<String> {
        let common: Common = load(self.run.root(), COMMON);
        self.counted(common.dcs.get(&domain.to_uppercase()), Age::New)
    }

    /// Remembers what was found by that name, and who has that SID: with the letters of the
    /// question, of which winbind makes small ones.
    pub(super) fn remember_name(&self, text: &str, account: &Account) {
        let mut common: Common = load(self.run.root(), COMMON);
        if !text.contains('@') {
            let account = Account { name: account.name.to_lowercase(), ..account.clone() };
            common.sids.insert(account.sid.clone(), self.for_a_while(account));
        }
        common.names.insert(self.key(text), self.for_a_while(account.clone()));
        save(self.run.root(), COMMON, &common);
    }

    pub(super) fn remember_sid(&self, account: &Account) {
        let mut common: Common = load(self.run.root(), COMMON);
        let name = format!("{}\\{}", account.domain, account.name);
        common.names.insert(self.key(&name), self.for_a_while(account.clone()));
        common.sids.insert(account.sid.clone(), self.for_a_while(account.clone()));
        save(self.run.root(), COMMON, &common);
    }

    pub(super) fn remember_groups(&self, sid: &str, found: &[String]) {
        let mut groups: Groups = load(self.run.root(), OF_WINBIND);
        groups.insert(sid.to_owned(), self.for_a_while(found.to_vec()));
        save(self.run.root(), OF_WINBIND, &groups);
    }

    pub(super) fn remember_domain(&self, netbios: &str, dns: &str) {
        let mut common: Common = load(self.run.root(), COMMON);
        common.domains.insert(netbios.to_uppercase(), self.while_a_dc_counts(dns));
        save(self.run.root(), COMMON, &common);
    }

    /// Remembers a DC and the names of its domain.
    pub(super) fn remember_dc(&self, dc: &NetlogonAnswer) {
        let (netbios, dns) = (dc.netbios_domain.to_uppercase(), dc.domain.to_uppercase());
        let mut common: Common = load(self.run.root(), COMMON);
        common.domains.insert(netbios.clone(), self.while_a_dc_counts(&dc.domain));
        for domain in [netbios, dns] {
            common.dcs.insert(domain, self.while_a_dc_counts(&dc.dns_name));
        }
        save(self.run.root(), COMMON, &common);
    }

    fn while_a_dc_counts(&self, name: &str) -> Remembered<String> {
        let until = self.run.now().unix().saturating_add(DC_SECONDS);
        Remembered { what: name.to_owned(), until }
    }

    fn for_a_while<T>(&self, what: T) -> Remembered<T> {
        let time = i64::from(self.run.settings.winbind_cache_seconds);
        Remembered { what, until: self.run.now().unix().saturating_add(time) }
    }

    fn counted<T: Clone>(&self, found: Option<&Remembered<T>>, age: Age) -> Option<T> {
        match age {
            Age::New => found?.if_new(self.run.now().unix()),
            Age::Any => found.map(|found| found.what.clone()),
        }
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
