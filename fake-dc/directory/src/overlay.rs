//! LDIF records become entries: names checked, values in stored form, records of one DN merged.

use std::collections::HashMap;

use ground::Secret;
use ldap_wire::Attribute;

use crate::{
    dn::Dn,
    entry::Entry,
    entry_name::EntryName,
    ldif::{self, ChangeRecord, LdifCause, LdifError, Piece, Record, RecordAttribute},
    schema,
    sid::Sid,
};

/// What one or more LDIF texts say.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    /// Entries in order of first appearance.
    pub(crate) entries: Vec<OverlayEntry>,
    /// Attributes of the rootDSE.
    pub(crate) root_dse: Vec<Attribute>,
    pub(crate) errors: Vec<LdifError>,
    /// Changes to make when all entries are there, in order.
    pub(crate) changes: Vec<FileChange>,
    places: HashMap<Dn, usize>,
}

/// A change and the file that asks for it.
#[derive(Debug)]
pub(crate) struct FileChange {
    pub(crate) file: String,
    pub(crate) change: ChangeRecord,
}

/// An entry and where it was first written.
#[derive(Debug)]
pub(crate) struct OverlayEntry {
    pub(crate) entry: Entry,
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl OverlayEntry {
    /// Whether it has what only a whole entry has, so that what it lacks is not to be completed
    /// from the skeleton.
    pub(crate) fn is_whole(&self) -> bool {
        ["instanceType", "objectClass", "objectGUID", "uSNChanged", "uSNCreated", "whenCreated"]
            .iter()
            .all(|name| self.entry.has(name))
    }
}

impl Overlay {
    /// Adds what one text says. All of it must be in one of `contexts`, the first of which is the
    /// domain's.
    pub(crate) fn read(&mut self, file: &str, text: &str, contexts: &[Dn; 5]) {
        for piece in ldif::pieces(file, text) {
            match piece {
                Ok(Piece::Content(record)) => self.add(file, record, contexts),
                Ok(Piece::Change(change)) => {
                    self.changes.push(FileChange { file: file.to_owned(), change });
                }
                Err(error) => self.errors.push(error),
            }
        }
    }

    fn add(&mut self, file: &str, record: Record, contexts: &[Dn; 5]) {
        let fail = |cause| LdifError { file: file.to_owned(), line: record.line, cause };
        let name = EntryName::without_extensions(&record.dn);
        let Ok(dn) = Dn::parse(name) else {
            self.errors.push(fail(LdifCause::BadDn { dn: record.dn }));
            return;
        };
        if dn.is_empty() {
            merge(&mut self.root_dse, record.attributes.into_iter().map(|a| a.attribute));
            return;
        }
        if !contexts.iter().any(|head| dn.is_at_or_below(head)) {
            self.errors.push(fail(LdifCause::OutsideDomain {
                dn: dn.to_string(),
                domain: contexts[0].to_string(),
            }));
            return;
        }
        let place = *self.places.entry(dn.clone()).or_insert_with(|| {
            self.entries.push(OverlayEntry {
                entry: Entry::new(dn),
                file: file.to_owned(),
                line: record.line,
            });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[place].entry;
        for attribute in record.attributes {
            match stored(attribute) {
                Ok(Stored::Attribute(attribute)) => merge(&mut entry.attributes, [attribute]),
                Ok(Stored::Password(password)) => entry.password = Some(password),
                Ok(Stored::PasswordVersion(version)) => entry.password_version = version,
                Ok(Stored::Nothing) => {}
                Err((line, cause)) => {
                    self.errors.push(LdifError { file: file.to_owned(), line, cause });
                }
            }
        }
    }

    /// The SID of the domain, as far as the LDIF tells it: from the head, else from krbtgt, else
    /// from any account.
    pub(crate) fn domain_sid(&self, domain: &Dn) -> Option<Sid> {
        let entries = || self.entries.iter().map(|overlay| &overlay.entry);
        let of_domain = |sid: &Sid| sid.to_string().starts_with("S-1-5-21-");
        entries()
            .find(|entry| entry.dn == *domain)
            .and_then(Entry::sid)
            .or_else(|| {
                let krbtgt = entries().find(|entry| entry.text("sAMAccountName") == Some("krbtgt"));
                krbtgt
                    .into_iter()
                    .chain(entries())
                    .filter_map(Entry::sid)
                    .find_map(|sid| sid.split_rid().map(|(domain, _)| domain))
            })
            .filter(of_domain)
    }
}

enum Stored {
    Attribute(Attribute),
    Password(Secret),
    PasswordVersion(u32),
    Nothing,
}

fn stored(
    RecordAttribute { line, attribute }: RecordAttribute,
) -> Result<Stored, (usize, LdifCause)> {
    let Attribute { name, mut values } = attribute;
    // `ldapsearch -A` writes attributes without values.
    values.retain(|value| !value.is_empty());
    let syntax = schema::syntax(&name);
    let fail = |value: &[u8]| {
        let value = String::from_utf8_lossy(value).into_owned();
        (line, LdifCause::BadValue { attribute: name.clone(), value, expected: syntax.example() })
    };
    if name.eq_ignore_ascii_case("userPassword") {
        let Some(password) = values.pop() else { return Ok(Stored::Nothing) };
        // The password itself must not be in the error.
        return String::from_utf8(password)
            .map(|text| Stored::Password(Secret::new(text)))
            .map_err(|_| fail(b"(hidden)"));
    }
    let spelling = schema::spelling(&name);
    if spelling == "msDS-KeyVersionNumber" {
        let number = values.first().and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
        return Ok(number.map_or(Stored::Nothing, Stored::PasswordVersion));
    }
    if values.is_empty() || is_computed(spelling) || spelling == "unicodePwd" {
        return Ok(Stored::Nothing);
    }
    let values = values
        .into_iter()
        .map(|value| syntax.store(value.clone()).ok_or_else(|| fail(&value)))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Stored::Attribute(Attribute { name: spelling.to_owned(), values }))
}

/// Whether it is made whenever it is asked for.
fn is_computed(name: &str) -> bool {
    name == "distinguishedName"
        || schema::attribute(name).is_some_and(|attribute| attribute.is_constructed())
}

/// Later values of an attribute take the place of earlier ones; no values change nothing.
pub(crate) fn merge(into: &mut Vec<Attribute>, attributes: impl IntoIterator<Item = Attribute>) {
    for mut attribute in attributes {
        attribute.values.retain(|value| !value.is_empty());
        if attribute.values.is_empty() {
            continue;
        }
        match into.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&attribute.name)) {
            Some(known) => known.values = attribute.values,
            None => into.push(attribute),
        }
    }
}
