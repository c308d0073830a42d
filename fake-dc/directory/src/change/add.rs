//! New entries.

use ldap_wire::{AddRequest, Attribute, LdapResult};

use super::{Verb, class::Classes, sam, values::is_single};
use crate::{
    config::Flavour,
    defaults,
    directory::Directory,
    dn::{Component, Dn},
    entry::Entry,
    search::without_options,
    session::Session,
    state::State,
    store::EntryId,
};

impl Directory {
    pub(crate) fn add(&self, session: &Session, request: &AddRequest) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let dn = self.new_name(&request.entry)?;
        let who = self.require_bound(session)?;
        let mut state = self.write();
        let parent = dn.parent().unwrap_or_default();
        let Some(parent) = state.store.find(&parent).and_then(|id| state.store.get(id)) else {
            return Err(match self.domain.flavour {
                Flavour::Samba4_22 => diagnostics.absent(Verb::Add, &dn),
                Flavour::WindowsServer2022 => self.not_here(&state, &parent),
            });
        };
        let classes = self.classes(&dn, request.values("objectClass"))?;
        self.check_place(Verb::Add, classes.structural, &dn, parent)?;
        if self.is_administrator(&state, who) {
            // May add anything.
        } else if !self.may_join(&state, who, classes.structural.name)? {
            return Err(diagnostics.may_not_add(&dn));
        }
        if ["trustedDomain", "secret"].contains(&classes.structural.name) {
            return Err(diagnostics.class_of_lsa(&dn));
        }
        if state.store.find(&dn).is_some() {
            return Err(diagnostics.exists(&dn));
        }
        let mut entry = self.requested(&state, &dn, &classes, request)?;
        if entry.is_a("foreignSecurityPrincipal") && !entry.has("objectSid") {
            return Err(diagnostics.nobody_foreign());
        }
        let is_account = sam::is_account(&entry);
        if is_account {
            self.complete_account(session, &state, &mut entry, request)?;
        }
        self.check_contents(&classes, &entry)?;
        let usn = state.next_usn();
        if is_account {
            let sid = loop {
                let sid = self.domain.sid.with_rid(state.take_rid());
                if state.store.by_sid(&sid).is_none() {
                    break sid;
                }
            };
            entry.set("objectSid", [sid.as_bytes()]);
        }
        if !self.is_administrator(&state, who)
            && let Some(sid) = state.store.get(who).and_then(Entry::sid)
        {
            entry.set(CREATOR, [sid.as_bytes()]);
        }
        if classes.structural.hidden {
            entry.set_default("showInAdvancedViewOnly", "TRUE");
        }
        if let Some(flags) = system_flags(classes.structural.name) {
            entry.set_default("systemFlags", flags.to_string());
        }
        defaults::complete(&self.domain, &mut entry, usn);
        entry.set("objectClass", classes.names());
        state.store.insert(entry);
        Ok(())
    }

    /// Whether somebody who is no administrator may add one more computer: Windows lets every user
    /// do so a few times ([MS-SAMR] 3.1.1.8.9), Samba 4.22 over SAMR only.
    fn may_join(&self, state: &State, who: EntryId, class: &str) -> Result<bool, LdapResult> {
        if self.domain.flavour == Flavour::Samba4_22 || class != "computer" {
            return Ok(false);
        }
        let Some(sid) = state.store.get(who).and_then(Entry::sid) else { return Ok(false) };
        let head = state.store.find(&self.domain.dn).and_then(|id| state.store.get(id));
        let quota = head.and_then(|head| head.number("ms-DS-MachineAccountQuota")).unwrap_or(0);
        let by_them = |entry: &Entry| entry.values(CREATOR) == [sid.as_bytes()];
        let made = state.store.iter().filter(|(_, entry)| by_them(entry)).count();
        if i64::try_from(made).is_ok_and(|made| made < quota) {
            return Ok(true);
        }
        Err(self.domain.diagnostics().machine_quota())
    }

    /// The entry as the request describes it.
    fn requested(
        &self,
        state: &State,
        dn: &Dn,
        classes: &Classes,
        request: &AddRequest,
    ) -> Result<Entry, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let mut entry = Entry { password_version: 1, ..Entry::new(dn.clone()) };
        entry.set("objectClass", classes.names());
        let is_account = sam::is_account(&entry);
        for Attribute { name, values } in &request.attributes {
            let name = without_options(name);
            if name.eq_ignore_ascii_case("objectClass") || name.eq_ignore_ascii_case("unicodePwd") {
                continue;
            }
            let attribute = self.known_attribute(Verb::Add, name, dn)?;
            let name = attribute.name;
            if attribute.is_constructed() {
                return Err(diagnostics.constructed(name, dn));
            }
            match name {
                "objectGUID" => return Err(diagnostics.guid_given()),
                "sAMAccountType" if is_account => return Err(diagnostics.owned_by_sam(name)),
                "objectSid" if is_account => return Err(diagnostics.given_twice(name, dn)),
                "whenCreated" | "whenChanged" | "uSNCreated" | "uSNChanged"
                | "distinguishedName" => continue,
                _ if attribute.is_backlink() => return Err(diagnostics.back_link(name, dn)),
                _ => {}
            }
            if name == "nTSecurityDescriptor" {
                for value in values {
                    self.read_descriptor(Verb::Add, value, dn)?;
                }
            }
            let stored = self.stored(state, dn, attribute, values)?;
            if is_single(attribute, is_account) && stored.len() > 1 {
                return Err(diagnostics.given_twice(name, dn));
            }
            let normal: Vec<_> =
                stored.iter().map(|value| attribute.syntax.normalise(value)).collect();
            let twice = (1..normal.len()).find(|&at| normal[..at].contains(&normal[at]));
            if let Some(twice) = twice {
                return Err(diagnostics.same_value_twice(name, &values[twice], dn));
            }
            let is_name = |first: &Component<'_>| first.attribute.eq_ignore_ascii_case(name);
            if let Some(first) = dn.first().filter(|first| is_name(first)) {
                let given = String::from_utf8_lossy(&stored[0]).into_owned();
                if given.to_lowercase() != first.value.to_lowercase() {
                    return Err(diagnostics.naming_value(dn, &given));
                }
                continue;
            }
            if name != "name" {
                entry.set(name, stored);
            }
        }
        Ok(entry)
    }

    /// What SAM settles about a new account, and its password.
    fn complete_account(
        &self,
        session: &Session,
        state: &State,
        entry: &mut Entry,
        request: &AddRequest,
    ) -> Result<(), LdapResult> {
        let dn = entry.dn.clone();
        if !entry.has("sAMAccountName") {
            let name = self.drawn_account_name(&dn, state.usn, entry.is_a("computer"));
            entry.set("sAMAccountName", [name]);
        }
        for name in ["sAMAccountName", "userPrincipalName", "servicePrincipalName"] {
            self.check_names(state, None, entry, name)?;
        }
        self.new_account(&dn, entry)?;
        let asked = entry.number("pwdLastSet").filter(|_| request.attribute("pwdLastSet"));
        let passwords = request.values("unicodePwd");
        if !passwords.is_empty() {
            self.first_password(session, state, entry, passwords)?;
        }
        if let Some(asked) = asked {
            entry.set("pwdLastSet", [asked.to_string()]);
            self.changed_last_set(entry, None)?;
        }
        Ok(())
    }

    /// Whether the classes allow the attributes, and all that they demand are there.
    pub(super) fn check_contents(
        &self,
        classes: &Classes,
        entry: &Entry,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let all = classes.all();
        let allowed = |name: &str| {
            let same = |known: &&str| known.eq_ignore_ascii_case(name);
            all.iter().any(|class| class.must.iter().chain(&class.may).any(same))
        };
        if let Some(stranger) = entry.attributes.iter().find(|attribute| !allowed(&attribute.name))
        {
            return Err(diagnostics.not_for_class(&stranger.name, &entry.dn));
        }
        let mut missing: Vec<&str> = all
            .iter()
            .flat_map(|class| class.must.iter().copied())
            .filter(|name| !entry.has(name) && !is_given_by_directory(entry, name))
            .collect();
        missing.sort_unstable_by_key(|name| name.to_lowercase());
        match missing.first() {
            Some(name) => Err(diagnostics.mandatory(Verb::Add, name, &entry.dn)),
            None => Ok(()),
        }
    }
}

/// Who made a computer account that is no administrator.
const CREATOR: &str = "mS-DS-CreatorSID";

/// Attributes that every entry gets, or that its name holds.
fn is_given_by_directory(entry: &Entry, name: &str) -> bool {
    const ALWAYS: [&str; 5] =
        ["instanceType", "nTSecurityDescriptor", "objectCategory", "objectClass", "objectSid"];
    ALWAYS.contains(&name)
        || entry.dn.first().is_some_and(|first| first.attribute.eq_ignore_ascii_case(name))
}

/// Flags that new entries of some classes of the configuration get ([MS-ADTS] 3.1.1.5.2.4).
fn system_flags(class: &str) -> Option<i64> {
    const STAYS_WHEN_DELETED: i64 = 0x0200_0000;
    const MAY_MOVE_A_LITTLE: i64 = 0x1000_0000;
    const MAY_BE_RENAMED: i64 = 0x4000_0000;
    match class {
        "nTDSDSA" | "serversContainer" | "site" => Some(STAYS_WHEN_DELETED),
        "server" => Some(STAYS_WHEN_DELETED | MAY_BE_RENAMED | MAY_MOVE_A_LITTLE),
        "nTDSConnection" | "siteLink" | "siteLinkBridge" | "subnet" => Some(MAY_BE_RENAMED),
        _ => None,
    }
}

/// Reading of requests.
trait Requested {
    fn values(&self, name: &str) -> &[Vec<u8>];
    fn attribute(&self, name: &str) -> bool;
}

impl Requested for AddRequest {
    fn values(&self, name: &str) -> &[Vec<u8>] {
        let same = |attribute: &&Attribute| attribute.name.eq_ignore_ascii_case(name);
        self.attributes.iter().find(same).map_or(&[], |attribute| &attribute.values)
    }

    fn attribute(&self, name: &str) -> bool {
        self.attributes.iter().any(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }
}
