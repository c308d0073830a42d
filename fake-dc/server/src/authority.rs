//! The certification authority of a domain through its renewals, and what is published of it.

use std::sync::OnceLock;

use fake_dc_directory::{Authority as Role, Directory};
use fake_dc_pki::{CaCertificate, Pki, PkiError, RENEWALS_MAX, RenewalKey};
use ground::Timestamp;

/// All that the CA has been. What it was stays, since DCs go on to show what it issued then.
#[derive(Debug)]
pub(crate) struct Authority {
    generations: [OnceLock<Pki>; RENEWALS_MAX + 1],
}

impl Authority {
    pub(crate) fn new(founded: Pki) -> Self {
        let mut generations = [const { OnceLock::new() }; RENEWALS_MAX + 1];
        generations[0] = OnceLock::from(founded);
        Self { generations }
    }

    /// As it is now.
    pub(crate) fn current(&self) -> &Pki {
        self.all().next_back().expect("there is one from the beginning")
    }

    /// As it was before the last renewal, if there was one.
    pub(crate) fn former(&self) -> Option<&Pki> {
        self.all().rev().nth(1)
    }

    /// As it was after `renewals` renewals, or as near as there is.
    pub(crate) fn after(&self, renewals: usize) -> &Pki {
        self.all().nth(renewals).unwrap_or_else(|| self.current())
    }

    /// How often it was renewed.
    pub(crate) fn renewals(&self) -> usize {
        self.all().count() - 1
    }

    /// Renews its certificates. Whoever calls it sees to it that nobody else does.
    pub(crate) fn renew(
        &self,
        now: Timestamp,
        key: RenewalKey,
        days: u32,
    ) -> Result<&Pki, PkiError> {
        let renewed = self.current().renewed(now, key, days)?;
        Ok(match self.generations.get(self.renewals() + 1) {
            Some(next) => next.get_or_init(|| renewed),
            None => self.current(),
        })
    }

    /// As it has been, from the beginning to now.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Pki> {
        self.generations.iter().filter_map(OnceLock::get)
    }
}

/// Puts the certificates of a CA where domain members look for them, beside its former ones.
pub(crate) fn publish(directory: &Directory, pki: &Pki) -> Result<(), PkiError> {
    for (which, role) in
        [(CaCertificate::Root, Role::Root), (CaCertificate::Intermediate, Role::Issuing)]
    {
        directory.publish_ca(&pki.ca_name(which)?, role, &pki.certificate(which)?);
    }
    Ok(())
}
