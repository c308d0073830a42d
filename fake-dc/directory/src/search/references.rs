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
        let scheme = if session.protection == Protection::Tls { "ldaps" } else { "ldap" };
        let below = |head: &Dn| {
            let outside = head != base && head.is_at_or_below(base);
            // A naming context within another one below the base is that one's to report.
            let direct = head
                .parent()
                .is_some_and(|parent| self.domain.naming_context_of(&parent) == Some(base));
            outside
                && direct
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
        let mut urls: Vec<String> = match self.domain.flavour {
            Flavour::Samba4_22 => {
                heads.map(|head| format!("{scheme}://{domain}/{head}{depth}")).collect()
            }
            // The documented order is the other way round, and DNS zones have names of their own.
            Flavour::WindowsServer2022 => {
                let mut urls: Vec<String> = heads
                    .map(|head| {
                        let host = match head.first() {
                            Some(first) if first.attribute == "DC" => {
                                format!("{}.{domain}", first.value)
                            }
                            _ => domain.clone(),
                        };
                        format!("{scheme}://{host}/{head}{depth}")
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
        let others = self.other_domains(state).into_iter().filter(|(head, _)| in_scope(head));
        urls.extend(others.map(|(head, host)| format!("{scheme}://{host}/{head}{depth}")));
        urls
    }
}
