//! What a xapi process has learnt of domains other than the joined one (xapi-flows.md §6.4).

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// DNS names of domains by their NetBIOS names, for as long as the process lives.
#[derive(Debug, Default)]
pub(crate) struct TrustedDomains(Mutex<BTreeMap<String, String>>);

impl TrustedDomains {
    pub(crate) fn find(&self, netbios: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(netbios).cloned()
    }

    pub(crate) fn note(&self, netbios: &str, name: &str) {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(netbios.to_owned(), name.to_owned());
    }
}
