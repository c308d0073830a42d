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
#[derive(Clone, Debug)]
pub(crate) struct Domain {
    pub(crate) dn: Dn,
    pub(crate) dns_name: String,
    pub(crate) netbios: String,
    /// DNS name of the forest: that of the domain at its root.
    pub(crate) forest: String,
    pub(crate) sid: Sid,
    pub(crate) guid: Uuid,
    pub(crate) seed: Seed,
    pub(crate) clock: Clock,
    pub(crate) flavour: Flavour,
    pub(crate) policy: Policy,
    pub(crate) default_password: Secret,
    /// Heads of the naming contexts, in the order of Samba's rootDSE.
    pub(crate) naming_contexts: [Dn; 5],
}

impl Domain {
    /// The naming contexts of a DC of `domain` in the forest with the root domain `root`
    /// ([MS-ADTS] 3.1.1.1.5): configuration, schema and the zones of the forest are the root's.
    pub(crate) fn contexts_of(domain: &Dn, root: &Dn) -> [Dn; 5] {
        let configuration = root.child("CN", "Configuration");
        let schema = configuration.child("CN", "Schema");
        let zones = [domain.child("DC", "DomainDnsZones"), root.child("DC", "ForestDnsZones")];
        let [of_domain, of_forest] = zones;
        [domain.clone(), configuration, schema, of_domain, of_forest]
    }

    pub(crate) fn is_forest_root(&self) -> bool {
        self.forest.eq_ignore_ascii_case(&self.dns_name)
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn configuration(&self) -> &Dn {
        &self.naming_contexts[1]
    }

    pub(crate) fn schema(&self) -> &Dn {
        &self.naming_contexts[2]
    }

    /// Head of the naming context that holds `dn`.
    pub(crate) fn naming_context_of(&self, dn: &Dn) -> Option<&Dn> {
        self.naming_contexts.iter().filter(|head| dn.is_at_or_below(head)).max_by_key(|h| h.depth())
    }

    /// Head of the naming context that another one lies in.
    pub(crate) fn naming_context_above(&self, head: &Dn) -> Option<&Dn> {
        let above = |other: &&Dn| *other != head && head.is_at_or_below(other);
        self.naming_contexts.iter().filter(above).max_by_key(|other| other.depth())
    }

    pub(crate) fn diagnostics(&self) -> Diagnostics {
        Diagnostics { flavour: self.flavour }
    }
}
