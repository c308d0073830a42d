//! What never changes about a domain once it is built.

use ground::{Clock, Secret, Seed, Timestamp};
use uuid::Uuid;

use crate::{
    config::{Flavour, Policy},
    diagnostic::Diagnostics,
    dn::Dn,
    sid::Sid,
};

/// A domain's names, identifiers and settings.
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) dn: Dn,
    pub(crate) dns_name: String,
    pub(crate) netbios: String,
    pub(crate) sid: Sid,
    pub(crate) guid: Uuid,
    pub(crate) seed: Seed,
    pub(crate) clock: Clock,
    pub(crate) flavour: Flavour,
    pub(crate) policy: Policy,
    pub(crate) default_password: Secret,
}

impl Domain {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn configuration(&self) -> Dn {
        self.dn.child("CN", "Configuration")
    }

    pub(crate) fn schema(&self) -> Dn {
        self.configuration().child("CN", "Schema")
    }

    /// Heads of the naming contexts, in the order of Samba's rootDSE.
    pub(crate) fn naming_contexts(&self) -> [Dn; 5] {
        [
            self.dn.clone(),
            self.configuration(),
            self.schema(),
            self.dn.child("DC", "DomainDnsZones"),
            self.dn.child("DC", "ForestDnsZones"),
        ]
    }

    /// Head of the naming context that holds `dn`.
    pub(crate) fn naming_context_of(&self, dn: &Dn) -> Option<Dn> {
        self.naming_contexts()
            .into_iter()
            .filter(|head| dn.is_at_or_below(head))
            .max_by_key(Dn::depth)
    }

    pub(crate) fn diagnostics(&self) -> Diagnostics {
        Diagnostics { flavour: self.flavour }
    }
}
