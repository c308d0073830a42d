//! A fake Active Directory domain on loopback, with any number of DCs, each wrong in its own way.
//!
//! A [`Domain`] is one directory, one certification authority and some DCs. Each DC has an address
//! of its own and speaks DNS, CLDAP (netlogon pings), LDAP with StartTLS, and LDAPS. [Faults]
//! are set at the start or while it runs; they are real on the wire. Everything that reaches a DC
//! is recorded in a [`Ledger`](ground::Ledger), see [`facts`].
//!
//! This crate owns the sockets. What the directory answers is in `fake-dc-directory`, what is in
//! certificates in `fake-dc-pki`. It knows nothing of hosts or scenarios.
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let domain = fake_dc::Domain::builder("corp.example").dcs(2).start().await?;
//! let (ldaps, ca) = (domain.dc("dc1")?.ldaps(), domain.ca_pem());
//! assert_eq!(ldaps.ip().to_string(), "127.0.0.10");
//! assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"));
//!
//! domain.set_faults("dc2", ["time.leaf-expired", "ldap.busy"])?;
//! domain.clear_faults("dc2")?;
//! domain.stop().await;
//! # Ok::<(), Box<dyn std::error::Error>>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [Faults]: faults::catalogue

mod authority;
mod behind;
mod builder;
mod cldap;
mod client_certificate;
mod crowd;
mod datagram_gate;
mod datagrams;
mod dc;
mod dns;
mod domain;
mod doors;
mod enrolment;
mod error;
mod exchange;
mod face;
pub mod facts;
mod fault;
pub mod faults;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod gate;
mod kdc;
mod kpasswd;
mod ldap;
mod ldap_policy;
pub mod limits;
mod line;
mod live;
mod memory;
mod memory_door;
mod records;
mod route;
mod sasl;
mod sockets;
mod stream;
mod summary;
mod tasks;
mod tls;

pub use behind::{PassedPort, RealDc, RealDcError, Trust, TrustError};
pub use builder::{Builder, DcSpec};
pub use client_certificate::ClientCertificates;
pub use dc::{Dc, Ports};
pub use domain::Domain;
pub use error::Error;
pub use fault::{Fault, FaultError, UnknownFault, UnknownListener};
pub use faults::FaultInfo;

pub use ldap_policy::LdapPolicy;
pub use live::{FaultGuard, Place};
pub use memory::MemoryStream;
pub use memory_door::{Caller, MemoryDoor};
pub use route::{Route, RouteSpec};
pub use sockets::SocketSource;
