//! The whole directory as LDIF, which makes the same directory again.

use std::fmt::Write as _;

use ldap_wire::Attribute;

use crate::{
    directory::Directory,
    dn::Dn,
    entry::Entry,
    ldif::{Record, RecordAttribute},
    store::EntryId,
};

/// Whether an export tells passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// As `userPassword`, in clear text.
    Included,
    /// Accounts get the default password when the export is loaded.
    LeftOut,
}

impl Directory {
    /// All entries as LDIF content records, parents before children, in an order that depends on
    /// their names alone. A directory that is built from it has the same entries.
    ///
    /// ```
    /// use fake_dc_directory::{Directory, DirectoryConfig, Secrets};
    /// use ground::{Seed, Timestamp, VirtualClock};
    ///
    /// let time = VirtualClock::starting_at(Timestamp::from_unix(1_780_000_000));
    /// let config = DirectoryConfig::new("corp.example", Seed::new(1), time.clock());
    /// let text = Directory::build(config)?.export(Secrets::LeftOut);
    /// assert!(text.starts_with("version: 1\n\ndn: DC=corp,DC=example\n"));
    /// assert!(!text.contains("userPassword"));
    /// # Ok::<(), fake_dc_directory::DirectoryError>(())
    /// ```
    pub fn export(&self, secrets: Secrets) -> String {
        self.read_lists();
        let state = self.read();
        // The schema is the same everywhere.
        let of_schema = |entry: &Entry| entry.is_a("attributeSchema") || entry.is_a("classSchema");
        let told = |(_, entry): &(EntryId, &Entry)| !entry.built_in || !of_schema(entry);
        let mut entries: Vec<(&Entry, Vec<&str>)> =
            state.store.iter().filter(told).map(|(_, entry)| (entry, entry.dn.path())).collect();
        entries.sort_by(|(_, one), (_, other)| one.cmp(other));
        let mut text = String::from("version: 1\n");
        if !state.root_dse.is_empty() {
            write(&mut text, &Dn::default(), state.root_dse.clone());
        }
        for (entry, _) in entries {
            let mut attributes = entry.attributes.clone();
            if entry.is_a("user") || entry.is_a("trustedDomain") {
                let version = entry.password_version.to_string();
                attributes.push(Attribute::new("msDS-KeyVersionNumber", [version]));
            }
            if let Some(password) = entry.password.as_ref().filter(|_| secrets == Secrets::Included)
            {
                attributes.push(Attribute::new("userPassword", [password.expose().as_bytes()]));
            }
            write(&mut text, &entry.dn, attributes);
        }
        text
    }
}

fn write(text: &mut String, dn: &Dn, attributes: Vec<Attribute>) {
    let attributes =
        attributes.into_iter().map(|attribute| RecordAttribute { line: 0, attribute }).collect();
    let record = Record { line: 0, dn: dn.to_string(), attributes };
    // Writing to a string does not fail.
    let _ = write!(text, "\n{record}");
}
