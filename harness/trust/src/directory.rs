//! A client-side PKI directory and a validator, as libvirt's "Certificate management APIs"
//! (seed-systems.md §3).
//!
//! An application brings five kinds of data, each from memory or from a file ([`CertData`]), or all
//! at once from the recommended directory ([`PkiDirectory`]). A [`Client`] judges servers by them:
//! the chain to the CA, dates, revocation, the name. Then the application's [`Validator`] has its
//! say: reject, accept once, accept permanently. Whoever sets none gets the strict behaviour. The
//! client shows its certificate to servers that ask for one; a [`Server`] is one that does.
//!
//! ```
//! # use ground::{Clock, Trail};
//! # use std::net::SocketAddr;
//! use trust_models::directory::{Answer, CertData, Client, DataKind, Known, PkiDirectory, Question};
//!
//! # async fn example(
//! #     ca: &str, clock: Clock, trail: Trail, address: SocketAddr,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! // From memory …
//! let mut data = CertData::new();
//! data.add(DataKind::CaCertificate, ca)?;
//! data.add_file(DataKind::TrustedServers, "/etc/pki/example/server/trusted.pem")?;
//! // … or all that is in a directory.
//! # let _ =
//! PkiDirectory::at("/etc/pki/example").load()?;
//!
//! let client = Client::new(data, clock, trail)?.asking(|question: &Question<'_>| {
//!     match question.known {
//!         Known::New => Answer::AcceptPermanently,
//!         Known::Trusted => Answer::AcceptOnce,
//!         _ => Answer::Reject,
//!     }
//! });
//! match client.connect("hypervisor1.corp.example", address).await {
//!     Ok(connection) => println!("{}", connection.judgement),
//!     Err(error) => println!("{}: {error}", error.id()),
//! }
//! # Ok(())
//! # }
//! ```

mod client;
mod data;
mod error;
pub mod facts;
mod judgement;
mod pem;
mod pki_directory;
mod server;
mod trusted;
mod validator;
mod witness;

pub use client::{Client, Connection, HANDSHAKE_LIMIT};
pub use data::{CertData, DATA_BYTES_MAX, DataKind, Origin, Place};
pub use error::{ConnectError, DataCause, DataError, OwnFault, REASONS, SetupError, StoreError};
pub use judgement::{Judgement, Notice};
pub use pki_directory::PkiDirectory;
pub use server::{ClientPolicy, ClientTrust, ServeError, Served, Server};
pub use trusted::{Known, TrustedServers};
pub use validator::{Answer, Question, Validator};
