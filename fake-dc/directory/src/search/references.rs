//! Continuation references: where a search goes on in naming contexts below its base.

use ldap_wire::Scope;

use crate::{
    config::Flavour,
    directory::Directory,
    dn::Dn,
    session::{Protection, Session},
    state::State,
};

impl Directory {
    /// Where the search continues in naming contexts below ([MS-ADTS] 3.1.1.3.1.3.2).
    pub(crate) fn references(
        &self,
        state: &State,
        session: &Session,
        base: &Dn,
        scope: Scope,
    ) -> Vec<String> {
        if scope == Scope::BaseObject {
            return Vec::new();
        }
        let scheme = if session.protection == Protection::Tls { "ldaps" } else { "ldap" };
        let is_head = self.domain.naming_contexts.contains(base);
        let below = |head: &Dn| {
            // A naming context within another one below the base is that one's to report.
            is_head
                && self.domain.naming_context_above(head) == Some(base)
                && match scope {
                    Scope::BaseObject => false,
                    Scope::SingleLevel => head.depth() == base.depth() + 1,
                    Scope::WholeSubtree => true,
                }
        };
        let heads = self.domain.naming_contexts.iter().filter(|head| below(head));
        let domain = &self.domain.dns_name;
        // The children of the base are asked for, so each is to be asked for itself.
        let depth = if scope == Scope::SingleLevel { "??base" } else { "" };
        let url = |host: &[&str], head: &Dn| {
            [scheme, "://", &host.concat(), "/", head.as_str(), depth].concat()
        };
        let mut urls: Vec<String> = match self.domain.flavour {
            Flavour::Samba4_22 => heads.map(|head| url(&[domain], head)).collect(),
            // The documented order is the other way round, and DNS zones have names of their own.
            Flavour::WindowsServer2022 => {
                let mut urls: Vec<String> = heads
                    .map(|head| match head.first() {
                        Some(first) if first.attribute == "DC" => {
                            url(&[&first.value, ".", domain], head)
                        }
                        _ => url(&[domain], head),
                    })
                    .collect();
                urls.reverse();
                urls
            }
        };
        let in_scope = |head: &Dn| match scope {
            Scope::BaseObject => false,
            Scope::SingleLevel => head.depth() == base.depth() + 1 && head.is_at_or_below(base),
            Scope::WholeSubtree => head.is_at_or_below(base),
        };
        let others = self.other_domains(state).iter().filter(|(head, _)| in_scope(head));
        urls.extend(others.map(|(head, host)| url(&[host], head)));
        urls
    }
}
