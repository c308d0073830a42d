//! Removing entries.

use ldap_wire::LdapResult;

use super::{Verb, rename::rewrite_links, subtree};
use crate::{directory::Directory, entry::Entry, session::Session};

/// `systemFlags` of what stays ([MS-ADTS] 2.2.10).
const DISALLOW_DELETE: i64 = 0x8000_0000;
/// Accounts and groups below this one come with the domain.
const FIRST_OWN_RID: u32 = 1_000;

impl Directory {
    pub(crate) fn delete(
        &self,
        session: &Session,
        name: &str,
        tree: bool,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let who = self.require_bound(session)?;
        let mut state = self.write();
        let id = self.target(&state, name, Verb::Delete)?;
        let Some(entry) = state.store.get(id) else {
            return Err(diagnostics.absent(Verb::Delete, &self.domain.dn));
        };
        self.check_deletion(entry)?;
        if !self.is_administrator(&state, who) {
            return Err(diagnostics.may_not_delete(&entry.dn.parent().unwrap_or_default()));
        }
        let doomed = subtree(&state, id);
        let depth = entry.dn.depth() + 1;
        if doomed.len() > 1 && !tree {
            let child = |entry: &&Entry| entry.dn.depth() == depth;
            let children =
                doomed.iter().filter_map(|id| state.store.get(*id)).filter(child).count();
            return Err(diagnostics.has_children(children));
        }
        for id in &doomed[1..] {
            state.store.get(*id).map_or(Ok(()), |entry| self.check_deletion(entry))?;
        }
        state.next_usn();
        for id in doomed {
            if let Some(entry) = state.store.remove(id) {
                rewrite_links(&mut state, &entry.dn, None);
            }
        }
        Ok(())
    }

    /// What a domain cannot do without stays.
    fn check_deletion(&self, entry: &Entry) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        if entry.dn == self.domain.dn {
            return Err(diagnostics.may_not_be_deleted(&entry.dn));
        }
        if self.domain.naming_contexts.contains(&entry.dn) {
            return Err(diagnostics.context_stays());
        }
        let of_domain = |(domain, rid)| domain == self.domain.sid && rid < FIRST_OWN_RID;
        if entry.has("sAMAccountName")
            && entry.sid().and_then(|sid| sid.split_rid()).is_some_and(of_domain)
        {
            return Err(diagnostics.account_stays());
        }
        let flags = entry.number("systemFlags").unwrap_or(0) & DISALLOW_DELETE != 0;
        let critical = entry.text("isCriticalSystemObject") == Some("TRUE");
        if flags || (critical && !entry.has("sAMAccountName")) {
            return Err(diagnostics.may_not_be_deleted(&entry.dn));
        }
        Ok(())
    }
}
