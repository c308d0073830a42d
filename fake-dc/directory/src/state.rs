//! What changes about a domain while it is served.

use std::{collections::BTreeMap, sync::OnceLock};

use ldap_wire::Attribute;

use crate::{config::DcView, dn::Dn, publication::Unread, store::Store};

/// Entries and counters.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) store: Store,
    /// The last update sequence number given.
    pub(crate) usn: i64,
    /// The next relative identifier to give.
    pub(crate) next_rid: u32,
    /// Attributes of the rootDSE that the LDIF gave.
    pub(crate) root_dse: Vec<Attribute>,
    /// The revocation lists in the directory, by the machine that their CA runs on.
    pub(crate) published: BTreeMap<String, Vec<Dn>>,
    /// Those of them that nobody has looked at.
    pub(crate) unread: Unread,
    /// Heads and DNS names of the other domains of the forest, while nothing changes.
    pub(crate) other_domains: OnceLock<Vec<(Dn, String)>>,
    /// The DCs that have accounts; the first holds the PDC role.
    pub(crate) dcs: Vec<DcView>,
    /// Whether the entries of the schema have been made.
    pub(crate) schema_made: bool,
}

impl State {
    /// Where relative identifiers of new objects begin.
    pub(crate) const FIRST_RID: u32 = 1_200;

    pub(crate) fn next_usn(&mut self) -> i64 {
        self.usn += 1;
        self.usn
    }

    pub(crate) fn take_rid(&mut self) -> u32 {
        let rid = self.next_rid;
        self.next_rid += 1;
        rid
    }

    /// True for the DC that holds the PDC role.
    pub(crate) fn is_pdc(&self, dc: &DcView) -> bool {
        self.dcs.first().is_none_or(|first| first.name.eq_ignore_ascii_case(&dc.name))
    }
}
