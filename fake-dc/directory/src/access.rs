//! Who may change what.
//!
//! A rule in place of security descriptors: administrators may change everything, and an account
//! what AD's default descriptors let it change of itself.

use std::collections::BTreeSet;

use ldap_wire::LdapResult;

use crate::{
    computed, directory::Directory, schema::AttributeType, session::Session, sid::Sid,
    state::State, store::EntryId,
};

/// RIDs of the groups that may change everything.
const BUILTIN_ADMINISTRATORS: &str = "S-1-5-32-544";
const DOMAIN_ADMINS: u32 = 512;

/// Property sets that an account may change of itself: personal, phone and mail, and web
/// information ([MS-ADTS] 3.1.1.2.3.3).
const OWN_PROPERTY_SETS: [&str; 3] = [
    "77b5b886-944a-11d1-aebd-0000f80367c1",
    "e45795b2-9455-11d1-aebd-0000f80367c1",
    "e45795b3-9455-11d1-aebd-0000f80367c1",
];

/// What a computer may change of itself besides.
const OF_COMPUTERS: [&str; 10] = [
    "displayName",
    "dNSHostName",
    "msDS-AdditionalDnsHostName",
    "msDS-SupportedEncryptionTypes",
    "operatingSystem",
    "operatingSystemHotfix",
    "operatingSystemServicePack",
    "operatingSystemVersion",
    "servicePrincipalName",
    "userCertificate",
];

impl Directory {
    /// Fails unless the session may change entries other than its own.
    pub(crate) fn require_administrator(
        &self,
        session: &Session,
        state: &State,
    ) -> Result<(), LdapResult> {
        let who = self.require_bound(session)?;
        if self.is_administrator(state, who) {
            return Ok(());
        }
        Err(self.domain.diagnostics().no_rights())
    }

    /// Whether somebody who is no administrator may change that attribute of an entry: what AD's
    /// default descriptors grant an account on itself (`defaultSecurityDescriptor` of the classes
    /// `user` and `computer`, [MS-ADSC]).
    pub(crate) fn may_write(
        &self,
        state: &State,
        who: EntryId,
        entry: EntryId,
        attribute: &AttributeType,
    ) -> bool {
        if who != entry {
            return false;
        }
        let own = attribute.property_set.is_some_and(|set| OWN_PROPERTY_SETS.contains(&set));
        let is_computer = state.store.get(who).is_some_and(|entry| entry.is_a("computer"));
        own || (is_computer && OF_COMPUTERS.contains(&attribute.name))
    }

    /// The account of this domain that is bound: accounts of others may change nothing.
    pub(crate) fn require_bound(&self, session: &Session) -> Result<EntryId, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let refused = || match session.foreign {
            Some(_) => diagnostics.no_rights(),
            None => diagnostics.unauthenticated(),
        };
        session.bound.ok_or_else(refused)
    }

    /// Fails unless somebody is bound, of whatever domain; `None` if it is not of this one.
    pub(crate) fn require_reader(&self, session: &Session) -> Result<Option<EntryId>, LdapResult> {
        if session.foreign.is_some() { Ok(None) } else { self.require_bound(session).map(Some) }
    }

    pub(crate) fn is_administrator(&self, state: &State, who: EntryId) -> bool {
        let groups: BTreeSet<Sid> = computed::token_groups(state, who).into_iter().collect();
        groups.contains(&self.domain.sid.with_rid(DOMAIN_ADMINS))
            || BUILTIN_ADMINISTRATORS.parse().is_ok_and(|sid| groups.contains(&sid))
    }
}
