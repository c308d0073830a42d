//! What CAs publish in the directory, below `CN=Public Key Services,CN=Services` of the
//! configuration ([MS-WCCE] 2.2.2.11; AD CS of Windows Server 2022).
//!
//! ```text
//! CN=Public Key Services
//! ├── CN=AIA                          certificates of all CAs
//! ├── CN=CDP
//! │   └── CN=DC1                      the machine that a CA runs on
//! │       └── CN=… Issuing CA         its revocation list
//! ├── CN=Certification Authorities    roots to be trusted
//! └── CN=NTAuthCertificates           CAs that may issue for logon
//! ```

use std::{collections::BTreeMap, fmt};

use crate::{
    defaults,
    directory::Directory,
    dn::Dn,
    entry::Entry,
    state::State,
    store::{EntryId, Store},
};

/// Makes a revocation list that is published. It is called when somebody can see the list for the
/// first time.
pub type ListSource = Box<dyn FnOnce() -> Vec<u8> + Send + Sync>;

/// The attribute that a list is in.
const LIST: &str = "certificateRevocationList";

/// Lists that nobody has looked at since they were published. Their entries are there, but for what
/// the lists say.
#[derive(Default)]
pub(crate) struct Unread(BTreeMap<EntryId, ListSource>);

impl Unread {
    /// Puts every list where it belongs.
    fn read(&mut self, store: &mut Store) {
        for (id, list) in std::mem::take(&mut self.0) {
            store.update(id, |entry| entry.set(LIST, [list()]));
        }
    }
}

impl fmt::Debug for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What a CA certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// It issues certificates to machines and people.
    Issuing,
    /// It is where trust begins.
    Root,
}

impl Directory {
    /// Publishes a certificate of the CA called `name`, behind those that it has published before.
    pub fn publish_ca(&self, name: &str, authority: Authority, certificate: &[u8]) {
        let services = self.public_key_services();
        let mut places = vec![services.child("CN", "AIA").child("CN", name)];
        places.push(match authority {
            Authority::Issuing => services.child("CN", "NTAuthCertificates"),
            Authority::Root => services.child("CN", "Certification Authorities").child("CN", name),
        });
        let state = &mut self.write();
        for place in places {
            let attribute = "cACertificate";
            let entry = state.store.find(&place).and_then(|id| state.store.get(id));
            let known = entry.map_or(&[][..], |entry| entry.values(attribute));
            let mut values = known.to_vec();
            if !values.iter().any(|value| value == certificate) {
                values.push(certificate.to_vec());
            }
            self.put(state, place, "certificationAuthority", attribute, values);
        }
    }

    /// Publishes revocation lists, each by the name of its CA, in place of all that the CAs on the
    /// machine `host` have published.
    pub fn publish_crls<'a>(
        &self,
        host: &str,
        lists: impl IntoIterator<Item = (&'a str, ListSource)>,
    ) {
        let cdp = self.public_key_services().child("CN", "CDP");
        let container = cdp.child("CN", &host.to_ascii_uppercase());
        let lists: Vec<(Dn, ListSource)> =
            lists.into_iter().map(|(ca, list)| (container.child("CN", ca), list)).collect();
        let state = &mut *self.write();
        let now = lists.iter().map(|(dn, _)| dn.clone()).collect();
        let before = state.published.insert(host.to_owned(), now).unwrap_or_default();
        if !before.is_empty() {
            // What there was is compared with what there is.
            state.unread.read(&mut state.store);
        }
        for before in before {
            let withdrawn = !lists.iter().any(|(dn, _)| *dn == before);
            if let Some(id) = state.store.find(&before).filter(|_| withdrawn) {
                state.store.remove(id);
            }
        }
        for (dn, list) in lists {
            let class = "cRLDistributionPoint";
            if state.store.find(&dn).is_some() {
                self.put(state, dn, class, LIST, vec![list()]);
            } else {
                let id = self.put(state, dn, class, LIST, vec![Vec::new()]);
                state.unread.0.insert(id, list);
            }
        }
    }

    /// Makes the revocation lists that are only promised, before somebody looks at everything.
    pub(crate) fn read_lists(&self) {
        if !self.read().unread.0.is_empty() {
            let state = &mut *self.write();
            state.unread.read(&mut state.store);
        }
    }

    fn public_key_services(&self) -> Dn {
        let services = self.domain.configuration().child("CN", "Services");
        services.child("CN", "Public Key Services")
    }

    /// Gives an entry those values, and makes the entry and the containers above where needed.
    ///
    /// Update sequence numbers are not used up: what is published by itself must not change what
    /// a client's own objects are called.
    fn put(
        &self,
        state: &mut State,
        dn: Dn,
        class: &str,
        attribute: &str,
        values: Vec<Vec<u8>>,
    ) -> EntryId {
        if let Some(id) = state.store.find(&dn) {
            let usn = state.usn;
            state.store.update(id, |entry| {
                if entry.values(attribute) != values {
                    entry.set(attribute, values);
                    self.touch(entry, usn);
                }
            });
            return id;
        }
        if let Some(parent) = dn.parent().filter(|parent| state.store.find(parent).is_none()) {
            self.put(state, parent, "container", "showInAdvancedViewOnly", vec![b"TRUE".to_vec()]);
        }
        let mut entry = Entry::new(dn);
        entry.set("objectClass", [class]);
        entry.set(attribute, values);
        defaults::complete(&self.domain, &mut entry, state.usn);
        state.store.insert(entry)
    }
}
