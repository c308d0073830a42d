//! The entries of a domain and the indexes by which they are found.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::{
    dn::Dn,
    entry::Entry,
    schema::{self, AttributeType},
    sid::Sid,
};

/// Number of an entry, in order of creation (AD's distinguished name tag).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryId(usize);

/// All entries. Every change goes through [`Store::update`], so that indexes hold.
#[derive(Debug, Default)]
pub(crate) struct Store {
    slots: Vec<Option<Entry>>,
    by_dn: HashMap<Dn, EntryId>,
    by_value: HashMap<&'static str, HashMap<Vec<u8>, BTreeSet<EntryId>>>,
}

/// Whether the values of an attribute are indexed: those by which clients look for entries, and
/// links, whose other side is made from the index.
pub(crate) fn is_indexed(attribute: &AttributeType) -> bool {
    const LOOKED_FOR: [&str; 11] = [
        "cn",
        "flatName",
        "name",
        "objectClass",
        "objectGUID",
        "objectSid",
        "primaryGroupID",
        "sAMAccountName",
        "servicePrincipalName",
        "trustPartner",
        "userPrincipalName",
    ];
    attribute.is_forward_link() || LOOKED_FOR.contains(&attribute.name)
}

impl Store {
    /// Adds an entry. The caller has made sure that the name is free.
    pub(crate) fn insert(&mut self, entry: Entry) -> EntryId {
        let id = EntryId(self.slots.len());
        self.by_dn.insert(entry.dn.clone(), id);
        indexed_values(&entry).for_each(|value| self.index(id, value));
        self.slots.push(Some(entry));
        id
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, id: EntryId) -> Option<Entry> {
        let entry = self.slots.get_mut(id.0)?.take()?;
        self.by_dn.remove(&entry.dn);
        indexed_values(&entry).for_each(|value| self.unindex(id, &value));
        Some(entry)
    }

    /// Changes an entry, its name included.
    pub(crate) fn update<T>(
        &mut self,
        id: EntryId,
        change: impl FnOnce(&mut Entry) -> T,
    ) -> Option<T> {
        let mut entry = self.slots.get_mut(id.0)?.take()?;
        let dn = entry.dn.clone();
        let before: BTreeSet<Indexed> = indexed_values(&entry).collect();
        let result = change(&mut entry);
        let after: BTreeSet<Indexed> = indexed_values(&entry).collect();
        if entry.dn != dn {
            self.by_dn.remove(&dn);
            self.by_dn.insert(entry.dn.clone(), id);
        }
        // Most changes are to few values, or to none that is indexed.
        before.difference(&after).for_each(|gone| self.unindex(id, gone));
        after.difference(&before).for_each(|new| self.index(id, new.clone()));
        self.slots[id.0] = Some(entry);
        Some(result)
    }

    pub(crate) fn get(&self, id: EntryId) -> Option<&Entry> {
        self.slots.get(id.0)?.as_ref()
    }

    pub(crate) fn find(&self, dn: &Dn) -> Option<EntryId> {
        self.by_dn.get(dn).copied()
    }

    /// The entry whose normalised DN is `key`.
    pub(crate) fn find_key(&self, key: &[u8]) -> Option<EntryId> {
        self.by_dn.get(std::str::from_utf8(key).ok()?).copied()
    }

    pub(crate) fn by_sid(&self, sid: &Sid) -> Option<EntryId> {
        self.first("objectSid", sid.as_bytes())
    }

    pub(crate) fn by_guid(&self, guid: &Uuid) -> Option<EntryId> {
        self.first("objectGUID", &guid.to_bytes_le())
    }

    /// The entry with that account name.
    pub(crate) fn by_account_name(&self, name: &str) -> Option<EntryId> {
        self.first("sAMAccountName", name.to_lowercase().as_bytes())
    }

    /// The first entry with that value, in stored and normalised form.
    pub(crate) fn first(&self, attribute: &str, normal: &[u8]) -> Option<EntryId> {
        self.with_value(attribute, normal)?.first().copied()
    }

    /// The entries with that value; `None` if the attribute is not indexed or nothing has it.
    pub(crate) fn with_value(&self, attribute: &str, normal: &[u8]) -> Option<&BTreeSet<EntryId>> {
        self.by_value.get(attribute)?.get(normal)
    }

    /// The entries of the class, in order of creation.
    pub(crate) fn of_class(&self, class: &str) -> impl Iterator<Item = &Entry> {
        let normal = schema::syntax("objectClass").normalise(class.as_bytes());
        let ids = normal.and_then(|normal| self.with_value("objectClass", &normal));
        ids.into_iter().flatten().filter_map(|&id| self.get(id))
    }

    /// The forward links that some entry has.
    pub(crate) fn forward_links(&self) -> impl Iterator<Item = &'static str> {
        let is_link = |name: &&str| schema::attribute(name).is_some_and(|a| a.is_forward_link());
        self.by_value.keys().copied().filter(is_link)
    }

    /// All entries in order of creation.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (EntryId, &Entry)> {
        self.slots
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| Some((EntryId(index), entry.as_ref()?)))
    }

    pub(crate) fn ids(&self) -> Vec<EntryId> {
        self.iter().map(|(id, _)| id).collect()
    }

    fn index(&mut self, id: EntryId, (attribute, normal): Indexed) {
        self.by_value.entry(attribute).or_default().entry(normal).or_default().insert(id);
    }

    fn unindex(&mut self, id: EntryId, (attribute, normal): &Indexed) {
        let Some(values) = self.by_value.get_mut(attribute) else { return };
        if let Some(ids) = values.get_mut(normal) {
            ids.remove(&id);
            if ids.is_empty() {
                values.remove(normal);
            }
        }
    }
}

/// An attribute and a value of it in normal form.
type Indexed = (&'static str, Vec<u8>);

fn indexed_values(entry: &Entry) -> impl Iterator<Item = Indexed> {
    entry.attributes.iter().flat_map(|attribute| {
        let known = schema::attribute(&attribute.name).filter(|known| is_indexed(known));
        known.into_iter().flat_map(|known| {
            let normal = |value: &Vec<u8>| Some((known.name, known.syntax.normalise(value)?));
            attribute.values.iter().filter_map(normal)
        })
    })
}
