//! The trust store of one host: directories of certificates and the bundles made of them
//! (xapi-flows.md §2).
//!
//! Knows paths and files. Which certificates belong in it is in the pool's database; copying from
//! host to host is in `xapi`.

mod consumer;
mod hash_links;
mod layout;
mod store;

pub use consumer::{ConsumerTrust, PeerCheck, consumer_trust};
pub use layout::{GENERAL_BUNDLE, LDAPS_BUNDLE};
pub(crate) use layout::{LEGACY_CA_DIRECTORY, StoreDirectory, TrustedKind};
pub(crate) use store::{Files, TrustStore};
