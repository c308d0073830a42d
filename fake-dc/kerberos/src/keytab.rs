//! Keytab files in MIT's format, version 2 (MIT Kerberos 1.20 documentation, "Keytab file format").

use ground::Timestamp;

use crate::{db::Keys, principal::Principal};

/// The keys of some principals, to be written to a file that `kinit -k` or a service reads.
#[derive(Clone, Debug, Default)]
pub struct Keytab {
    entries: Vec<u8>,
}

impl Keytab {
    /// One without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds all keys of a principal, written at `now`.
    pub fn add(&mut self, principal: &Principal, keys: &Keys, now: Timestamp) {
        for key in keys.all() {
            let mut entry = Vec::new();
            let parts = &principal.name.parts;
            put_u16(&mut entry, parts.len());
            put_text(&mut entry, &principal.realm);
            for part in parts {
                put_text(&mut entry, part);
            }
            entry.extend(principal.name.kind.0.to_be_bytes());
            // Unsigned seconds, which last until 2106.
            entry.extend(u32::try_from(now.unix()).unwrap_or(0).to_be_bytes());
            // The low octet of the version, and below the whole of it.
            let version = keys.version().to_be_bytes();
            entry.push(version[3]);
            // Etypes of this crate are small and positive.
            put_u16(&mut entry, usize::try_from(key.etype().number()).unwrap_or(0));
            put_u16(&mut entry, key.expose().len());
            entry.extend(key.expose());
            entry.extend(version);
            // An entry is some hundred bytes.
            let length = u32::try_from(entry.len()).unwrap_or(0);
            self.entries.extend(length.to_be_bytes());
            self.entries.extend(entry);
        }
    }

    /// The content of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[5, 2], self.entries.as_slice()].concat()
    }
}

fn put_u16(bytes: &mut Vec<u8>, value: usize) {
    bytes.extend(u16::try_from(value).unwrap_or(u16::MAX).to_be_bytes());
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    // Names of accounts and realms have less than 256 characters.
    let text = &text.as_bytes()[..text.len().min(usize::from(u16::MAX))];
    put_u16(bytes, text.len());
    bytes.extend(text);
}
