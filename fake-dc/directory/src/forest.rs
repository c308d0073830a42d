//! What the domains of one forest share: the configuration, of which each DC has a copy ([MS-ADTS]
//! 3.1.1.1.5). The schema is the same everywhere but for who may change it.

use crate::{directory::Directory, dn::Dn, entry::Entry, state::State};

impl Directory {
    /// Makes two copies of one configuration agree: what the forest's root holds replaces the
    /// other's, and each takes what it lacks: partitions, sites, servers. Domains that do not share
    /// a configuration keep to themselves.
    pub(crate) fn replicate_with(&self, other: &Self) {
        if self.domain.configuration() != other.domain.configuration() {
            return;
        }
        let (of_self, of_other) = (self.shared(), other.shared());
        self.take_over(other, of_other);
        other.take_over(self, of_self);
    }

    /// The domain's own entry among the partitions.
    pub(crate) fn own_cross_reference(&self) -> Dn {
        self.domain.configuration().child("CN", "Partitions").child("CN", &self.domain.netbios)
    }

    fn shared(&self) -> Vec<Entry> {
        self.read_lists();
        let state = self.read();
        let is_shared = |entry: &Entry| {
            let context = self.domain.naming_context_of(&entry.dn);
            context == Some(self.domain.configuration()) || entry.dn == *self.domain.schema()
        };
        let entries = state.store.iter().map(|(_, entry)| entry);
        entries.filter(|entry| is_shared(entry)).cloned().collect()
    }

    fn take_over(&self, from: &Self, entries: Vec<Entry>) {
        let (own, theirs) = (self.own_cross_reference(), from.own_cross_reference());
        let is_newer = |dn: &Dn| *dn == theirs || (from.domain.is_forest_root() && *dn != own);
        let mut state = self.write();
        for mut entry in entries {
            match state.store.find(&entry.dn) {
                Some(id) if is_newer(&entry.dn) => {
                    number(&mut state, &mut entry);
                    state.store.update(id, |known| *known = entry);
                }
                Some(_) => {}
                None => {
                    number(&mut state, &mut entry);
                    state.store.insert(entry);
                }
            }
        }
    }
}

/// Each DC counts the changes to its copy itself.
fn number(state: &mut State, entry: &mut Entry) {
    let usn = state.next_usn().to_string();
    entry.set("uSNCreated", [usn.as_str()]);
    entry.set("uSNChanged", [usn.as_str()]);
}
