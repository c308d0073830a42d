//! Trust stores, records and bundles (xapi-flows.md §§2.1–2.3).

use std::collections::BTreeSet;

use sim_host::{Certificate, Quirk};

use super::{
    Breach,
    look::{Holds, HostLook, Look, StoreLook},
};

/// The coordinator has a file for each record, in each directory of its purposes, and no other.
pub(super) fn agree_with_the_records(look: &Look<'_>) -> Vec<Breach> {
    let Some(coordinator) = look.coordinator() else { return Vec::new() };
    let mut breaches = Vec::new();
    for store in &coordinator.stores {
        let directory = store.store.directory;
        if look.is_as_recorded(store) || coordinator.memory.was_edited(directory) {
            continue;
        }
        let (name, found) = (coordinator.name(), store.certificates());
        let expected = look.recorded(store.store.holds).unwrap_or_default();
        breaches.push(Breach::new(
            name,
            format!("{name}:{directory} holds {found:?}, the database says {expected:?}"),
        ));
    }
    breaches
}

/// A bundle is its directory's certificates, each with one line feed behind it, and does not exist
/// if there are none (§2.2).
pub(super) fn bundles_agree_with_the_files(look: &Look<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for host in &look.hosts {
        for store in &host.stores {
            let Some(bundle) =
                store.store.bundle.filter(|_| !store.is_blocked && !store.bundle_is_in_order())
            else {
                continue;
            };
            if host.memory.was_edited(bundle) || host.memory.was_edited(store.store.directory) {
                continue;
            }
            let name = host.name();
            let is =
                if store.bundle.is_some() { "is not made of" } else { "does not exist beside" };
            let files = store.certificates();
            breaches.push(Breach::new(name, format!("{name}:{bundle} {is} the files {files:?}")));
        }
    }
    breaches
}

/// Every member has the files of the coordinator, up to the line feed that a copy loses (quirk
/// Q16), unless it is known to be behind.
pub(super) fn members_have_those_of_the_coordinator(look: &Look<'_>) -> Vec<Breach> {
    let stale = |member: &&HostLook| !look.has_the_stores_of_the_coordinator(member);
    let judged = look.members().filter(|member| !member.memory.is_behind || look.has_copied());
    judged
        .filter(stale)
        .map(|member| {
            let name = member.name();
            let differing: Vec<&str> = look.differing(member).collect();
            Breach::new(name, format!("{name} and the coordinator differ in {differing:?}"))
        })
        .collect()
}

impl Look<'_> {
    /// Names of the files that the records ask for; `None` where no record does.
    fn recorded(&self, holds: Holds) -> Option<BTreeSet<String>> {
        let rows = self.records.certificates.iter();
        Some(match holds {
            Holds::Crls | Holds::PoolInternal => return None,
            Holds::LegacyCas => rows
                .filter(|row| row.kind.name() == "ca" && !row.is_trusted())
                .map(|row| row.name.clone())
                .collect(),
            Holds::Trusted(kind, purpose) => rows
                .filter(|row| row.is_trusted() && row.kind.name() == kind)
                .filter(|row| match purpose {
                    None => row.purpose.is_empty(),
                    Some(purpose) => row.purpose.iter().any(|p| p.name() == purpose),
                })
                .map(Certificate::file_name)
                .collect(),
        })
    }

    /// Whether a store of the coordinator has the files that the records ask for.
    pub(super) fn is_as_recorded(&self, store: &StoreLook) -> bool {
        self.recorded(store.store.holds).is_none_or(|names| {
            let found = store.certificates();
            names.len() == found.len() && names.iter().eq(found)
        })
    }

    pub(super) fn has_the_stores_of_the_coordinator(&self, member: &HostLook) -> bool {
        self.differing(member).next().is_none()
    }

    /// Directories in which a member's files are not the coordinator's.
    fn differing<'l>(&'l self, member: &'l HostLook) -> impl Iterator<Item = &'l str> {
        let drops_newline = self.has(Quirk::MemberCopyDropsNewline);
        let ours = self.coordinator().into_iter().flat_map(|coordinator| &coordinator.stores);
        ours.zip(&member.stores)
            .filter(move |(ours, theirs)| {
                let content = |bytes: &'l [u8]| match bytes.strip_suffix(b"\n") {
                    Some(rest) if drops_newline => rest,
                    _ => bytes,
                };
                let copied = |look: &'l StoreLook| {
                    look.files.iter().map(move |(name, bytes)| (name.as_str(), content(bytes)))
                };
                !copied(ours).eq(copied(theirs))
            })
            .map(|(ours, _)| ours.store.directory)
    }
}

impl StoreLook {
    /// Names of the certificates, in order.
    fn certificates(&self) -> Vec<&String> {
        self.files.keys().collect()
    }

    /// Whether the bundle is what the files make; a store without one always is.
    pub(super) fn bundle_is_in_order(&self) -> bool {
        if self.store.bundle.is_none() {
            return true;
        }
        let mut names = self.certificates();
        // Freshly rotated ones first; else the order is not promised, and is that of the names.
        names.sort_by_key(|name| !name.ends_with(".new.pem"));
        let mut expected = Vec::new();
        for content in names.into_iter().filter_map(|name| self.files.get(name)) {
            expected.extend_from_slice(content);
            expected.push(b'\n');
        }
        match &self.bundle {
            None => expected.is_empty(),
            Some(found) => !found.is_empty() && *found == expected,
        }
    }
}
