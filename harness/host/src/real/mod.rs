//! The real Samba programs, run with the files of a simulated host.
//!
//! The second implementation of [`Programs`](crate::Programs): [`Client`] runs `net` of Samba 4.22
//! with the host's root directory as its `/`. So smb.conf, bundles, `krb5.conf`, `/etc/hosts` and
//! `secrets.tdb` are the host's own, under the paths that xapi writes, and nothing is translated.
//! Where it runs is a [`Namespace`]; what the machine must have is asked with [`unavailable()`].
//!
//! A join, a departure and winbind speak SMB and RPC with the DC. The model stands in for them: it
//! changes the directory over real LDAP and keeps the secrets, which are given to `net` as the
//! `secrets.tdb` that a join writes.

mod client;
mod command;
mod machine;
mod namespace;
mod secrets;

pub use client::{Client, Unfinished};
pub use machine::{Unavailable, inside, unavailable};
pub use namespace::{Namespace, NamespaceError};
