//! Who may change what.
//!
//! A rule in place of security descriptors: administrators may change everything, and an account
//! may change itself. AD's default descriptors grant a little more and a little less.

use std::collections::BTreeSet;

use ldap_wire::LdapResult;

use crate::{
    computed, directory::Directory, session::Session, sid::Sid, state::State, store::EntryId,
};

/// RIDs of the groups that may change everything.
const BUILTIN_ADMINISTRATORS: &str = "S-1-5-32-544";
const DOMAIN_ADMINS: u32 = 512;

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

    /// Fails unless the session may change this entry.
    pub(crate) fn require_writer(
        &self,
        session: &Session,
        state: &State,
        entry: EntryId,
    ) -> Result<(), LdapResult> {
        if self.require_bound(session)? == entry {
            return Ok(());
        }
        self.require_administrator(session, state)
    }

    pub(crate) fn require_bound(&self, session: &Session) -> Result<EntryId, LdapResult> {
        session.bound.ok_or_else(|| self.domain.diagnostics().unauthenticated())
    }

    pub(crate) fn is_administrator(&self, state: &State, who: EntryId) -> bool {
        let groups: BTreeSet<Sid> = computed::token_groups(state, who).into_iter().collect();
        groups.contains(&self.domain.sid.with_rid(DOMAIN_ADMINS))
            || BUILTIN_ADMINISTRATORS.parse().is_ok_and(|sid| groups.contains(&sid))
    }
}
