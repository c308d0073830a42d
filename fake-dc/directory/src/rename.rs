//! Removing entries and moving them.

use ldap_wire::{LdapResult, ModifyDnRequest};

use crate::{
    directory::Directory,
    dn::Dn,
    entry::Entry,
    schema::{self, Syntax},
    session::Session,
    state::State,
    store::EntryId,
};

/// Win32 error for the entries that a domain cannot do without.
const CRITICAL_OBJECT: u32 = 0x20ce;

impl Directory {
    pub(crate) fn delete(
        &self,
        session: &Session,
        name: &str,
        tree: bool,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let mut state = self.write();
        let id = self.resolve(&state, name)?;
        self.require_administrator(session, &state)?;
        let doomed = subtree(&state, id);
        if doomed.len() > 1 && !tree {
            return Err(diagnostics.not_on_non_leaf());
        }
        let critical = |&id: &EntryId| {
            state.store.get(id).is_some_and(|entry| {
                entry.text("isCriticalSystemObject") == Some("TRUE")
                    || self.domain.naming_contexts.contains(&entry.dn)
            })
        };
        if doomed.iter().any(critical) {
            return Err(diagnostics.unwilling(CRITICAL_OBJECT));
        }
        state.next_usn();
        for id in doomed {
            if let Some(entry) = state.store.remove(id) {
                rewrite_links(&mut state, &entry.dn, None);
            }
        }
        Ok(())
    }

    pub(crate) fn rename(
        &self,
        session: &Session,
        request: &ModifyDnRequest,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let mut state = self.write();
        let id = self.resolve(&state, &request.entry)?;
        self.require_administrator(session, &state)?;
        let bad_rdn = || diagnostics.bad_dn(&request.new_rdn);
        let new_rdn = Dn::parse(&request.new_rdn).map_err(|_| bad_rdn())?;
        let first = new_rdn.first().filter(|_| new_rdn.depth() == 1).ok_or_else(bad_rdn)?;
        let Some(old) = state.store.get(id).map(|entry| entry.dn.clone()) else {
            return Err(diagnostics.no_such_object(&self.domain.dn));
        };
        let parent = match &request.new_superior {
            Some(superior) => {
                let superior = self.resolve(&state, superior)?;
                state.store.get(superior).map(|entry| entry.dn.clone())
            }
            None => old.parent(),
        };
        let parent = parent.ok_or_else(bad_rdn)?;
        let naming = old.first().map(|first| first.attribute.clone()).unwrap_or_default();
        let fits = first.attribute.eq_ignore_ascii_case(&naming) && !parent.is_at_or_below(&old);
        if !fits || self.domain.naming_contexts.contains(&old) {
            return Err(diagnostics.naming_violation());
        }
        let new = parent.child(&naming, &first.value);
        if state.store.find(&new).is_some_and(|other| other != id) {
            return Err(diagnostics.exists(&new));
        }
        let value = first.value.clone();
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
}

/// The entry and all below it.
fn subtree(state: &State, id: EntryId) -> Vec<EntryId> {
    let Some(top) = state.store.get(id) else { return Vec::new() };
    let below = |entry: &Entry| entry.dn.is_at_or_below(&top.dn);
    state.store.iter().filter(|(_, entry)| below(entry)).map(|(id, _)| id).collect()
}

/// Values that name a moved entry follow it; those that name a removed one go.
fn rewrite_links(state: &mut State, from: &Dn, to: Option<&Dn>) {
    let key = from.key();
    let old = key.as_str().as_bytes();
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
