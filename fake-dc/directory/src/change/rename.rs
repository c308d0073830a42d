//! New names and new places for entries.

use ldap_wire::{LdapResult, ModifyDnRequest};

use super::{Verb, class::Classes, subtree};
use crate::{
    directory::Directory,
    dn::Dn,
    entry::Entry,
    schema::{self, Syntax},
    session::Session,
    state::State,
};

/// `systemFlags` of what keeps its name ([MS-ADTS] 2.2.10).
const DISALLOW_RENAME: i64 = 0x0800_0000;

impl Directory {
    pub(crate) fn rename(
        &self,
        session: &Session,
        request: &ModifyDnRequest,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let who = self.require_bound(session)?;
        let new_rdn = request.new_rdn.as_str();
        let unreadable = |components| diagnostics.new_name_unreadable(new_rdn, components);
        let rdn = Dn::parse(new_rdn).map_err(|_| unreadable(0))?;
        let first = rdn.first().filter(|_| rdn.depth() == 1);
        let first = first.ok_or_else(|| unreadable(rdn.depth()))?;
        let mut state = self.write();
        if !request.delete_old_rdn {
            return Err(diagnostics.old_name_kept());
        }
        let id = self.target(&state, &request.entry, Verb::Rename)?;
        let Some(entry) = state.store.get(id).cloned() else {
            return Err(diagnostics.absent(Verb::Rename, &self.domain.dn));
        };
        let old = entry.dn.clone();
        if self.domain.naming_contexts.contains(&old) {
            return Err(diagnostics.new_parent_absent(&old, diagnostics.naming_violation()));
        }
        let parent = match &request.new_superior {
            Some(superior) => self
                .resolve(&state, superior)
                .map_err(|windows| diagnostics.new_parent_absent(&old, windows))?,
            None => old.parent().and_then(|parent| state.store.find(&parent)).ok_or_else(|| {
                diagnostics.new_parent_absent(&old, diagnostics.naming_violation())
            })?,
        };
        let Some(parent) = state.store.get(parent) else {
            return Err(diagnostics.new_parent_absent(&old, diagnostics.naming_violation()));
        };
        if parent.dn.is_at_or_below(&old) {
            return Err(diagnostics.below_itself(&old));
        }
        let new = parent.dn.child(first.attribute, &first.value);
        if let Some(classes) = Classes::of(&entry) {
            self.check_place(Verb::Rename, classes.structural, &new, parent)?;
        }
        self.check_renaming(&entry, &new)?;
        if !self.is_administrator(&state, who) {
            return Err(diagnostics.may_not_rename(&old));
        }
        let naming = old.first().map(|first| first.attribute.to_owned()).unwrap_or_default();
        let new = parent.dn.child(&naming, &first.value);
        if state.store.find(&new).is_some_and(|other| other != id) {
            return Err(diagnostics.exists(&new));
        }
        let value = first.value.clone().into_owned();
        for moved in subtree(&state, id) {
            let Some(from) = state.store.get(moved).map(|entry| entry.dn.clone()) else { continue };
            let to = from.moved(&old, &new);
            state.store.update(moved, |entry| entry.dn = to.clone());
            rewrite_links(&mut state, &from, Some(&to));
        }
        let usn = state.next_usn();
        state.store.update(id, |entry| {
            entry.set(&naming, [value.as_str()]);
            entry.set("name", [value]);
            self.touch(entry, usn);
        });
        Ok(())
    }

    fn check_renaming(&self, entry: &Entry, new: &Dn) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let system = self.domain.dn.child("CN", "System");
        let from_system = entry.dn.is_at_or_below(&system);
        let stays = new.is_at_or_below(&system) && *new != system;
        if from_system && (entry.dn == system || !stays) {
            return Err(diagnostics.stays_in_system(&entry.dn));
        }
        let container =
            entry.text("isCriticalSystemObject") == Some("TRUE") && !entry.has("sAMAccountName");
        let flags = entry.number("systemFlags").unwrap_or(0) & DISALLOW_RENAME != 0;
        if flags || container {
            return Err(diagnostics.may_not_be_renamed(&entry.dn));
        }
        Ok(())
    }
}

/// Values that name a moved entry follow it; those that name a removed one go.
pub(super) fn rewrite_links(state: &mut State, from: &Dn, to: Option<&Dn>) {
    let key = from.key();
    let old = key.as_bytes();
    let names = |value: &Vec<u8>| Syntax::Dn.normalise(value).as_deref() == Some(old);
    for id in state.store.ids() {
        let links: Vec<String> = state
            .store
            .get(id)
            .into_iter()
            .flat_map(|entry| &entry.attributes)
            .filter(|attribute| schema::syntax(&attribute.name) == Syntax::Dn)
            .filter(|attribute| attribute.values.iter().any(names))
            .map(|attribute| attribute.name.clone())
            .collect();
        for link in links {
            state.store.update(id, |entry| {
                let values = entry.values(&link).iter().filter_map(|value| match to {
                    _ if !names(value) => Some(value.clone()),
                    to => to.map(|to| to.to_string().into_bytes()),
                });
                let values: Vec<_> = values.collect();
                entry.set(&link, values);
            });
        }
    }
}
