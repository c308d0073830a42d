//! Changes of entries: add, modify, modify DN, delete, and the rules of the schema and of SAM
//! that they must keep.
//!
//! Each rule is checked in the order of the modules of Samba 4.22 (`objectclass`, `acl`, `samldb`,
//! `password_hash`, `objectclass_attrs`, `repl_meta_data`), so that a request that breaks several
//! rules gets the answer that a DC gives. `fixtures/samba-ad/changes` has what one answered.

mod add;
mod class;
mod delete;
mod descriptor;
mod modify;
mod names;
pub(crate) mod password;
mod rename;
mod sam;
mod values;

use ldap_wire::LdapResult;

use crate::{
    config::Flavour, directory::Directory, dn::Dn, entry::Entry, entry_name::EntryName,
    state::State, store::EntryId,
};

/// What is done to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Add,
    Delete,
    Modify,
    Rename,
}

impl Directory {
    /// Finds the entry that a change is about.
    fn target(&self, state: &State, name: &str, verb: Verb) -> Result<EntryId, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let parsed = EntryName::parse(name).map_err(|_| diagnostics.unreadable_name(verb, name))?;
        self.resolve(state, name).map_err(|result| match (self.domain.flavour, parsed) {
            (Flavour::Samba4_22, EntryName::Dn(dn)) => diagnostics.absent(verb, &dn),
            _ => result,
        })
    }

    /// Reads the DN of an entry that is to be.
    fn new_name(&self, name: &str) -> Result<Dn, LdapResult> {
        match EntryName::parse(name) {
            Ok(EntryName::Dn(dn)) if !dn.is_empty() => Ok(dn),
            _ => Err(self.domain.diagnostics().unreadable_name(Verb::Add, name)),
        }
    }
}

/// The classes of an entry, auxiliary ones included, the general before the special; `None` if the
/// schema does not know them all.
pub(crate) fn class_names(entry: &Entry) -> Option<Vec<&'static str>> {
    class::Classes::of(entry).map(|classes| classes.names())
}

/// The entry and all below it, the entry first.
fn subtree(state: &State, id: EntryId) -> Vec<EntryId> {
    let Some(top) = state.store.get(id) else { return Vec::new() };
    let below =
        state.store.iter().filter(|(each, entry)| *each != id && entry.dn.is_at_or_below(&top.dn));
    std::iter::once(id).chain(below.map(|(id, _)| id)).collect()
}
