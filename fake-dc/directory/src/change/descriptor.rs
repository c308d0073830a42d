//! Changes of security descriptors.

use ldap_wire::{Change, LdapResult, ModifyOperation};

use super::Verb;
use crate::{descriptor::Descriptor, directory::Directory, dn::Dn, entry::Entry, state::State};

impl Directory {
    /// Puts the given parts in the place of those that the SD flags control names ([MS-ADTS]
    /// 3.1.1.3.4.1.11). What is not given stays, as in Samba.
    pub(super) fn change_descriptor(
        &self,
        state: &State,
        entry: &mut Entry,
        change: &Change,
        parts: u32,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let given = match (change.operation, change.modification.values.as_slice()) {
            (ModifyOperation::Replace | ModifyOperation::Add, [given]) => given,
            (ModifyOperation::Replace | ModifyOperation::Add, [_, _, ..]) => {
                let name = &change.modification.name;
                return Err(diagnostics.too_many_values(name, &entry.dn, true));
            }
            _ => return Err(diagnostics.descriptor_stays()),
        };
        let given = self.read_descriptor(Verb::Modify, given, &entry.dn)?.cut(parts);
        let whole = Descriptor::of(&self.domain, state, entry).with(given);
        entry.set::<Vec<u8>>("nTSecurityDescriptor", []);
        entry.set("nTSecurityDescriptor", [whole.to_bytes()]);
        Ok(())
    }

    pub(super) fn read_descriptor(
        &self,
        verb: Verb,
        value: &[u8],
        dn: &Dn,
    ) -> Result<Descriptor, LdapResult> {
        let refused = || self.domain.diagnostics().bad_descriptor(verb, dn);
        Descriptor::parse(value).ok_or_else(refused)
    }
}
