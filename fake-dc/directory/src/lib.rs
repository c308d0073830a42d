//! One domain of the Active Directory family as data: LDAP requests in, LDAP responses out.
//!
//! A [`Directory`] holds the entries of a domain and answers like a domain controller of Windows
//! Server 2022 or Samba 4.22 would. It is shared by all DCs of the domain; a [`DcView`] says which
//! of them answers, a [`Session`] what a connection has achieved. It knows no socket and no TLS:
//! the server tells it how a connection is protected. Time comes from a clock and identifiers
//! from a seed, so the same requests get the same answers in every run.
//!
//! ```
//! use fake_dc_directory::{DcView, Directory, DirectoryConfig, Protection};
//! use ground::{Seed, Timestamp, VirtualClock};
//! use ldap_wire::{LdapMessage, ProtocolOp, SearchRequest};
//!
//! let time = VirtualClock::starting_at(Timestamp::from_unix(1_780_000_000));
//! let config = DirectoryConfig::new("corp.example", Seed::new(1), time.clock());
//! let directory = Directory::build(config)?;
//!
//! let dc1 = DcView::new("dc1", "corp.example");
//! let mut session = directory.open_session(&dc1, Protection::None);
//! let search = SearchRequest { attributes: vec!["dnsHostName".into()], ..Default::default() };
//! let request = LdapMessage::new(1, ProtocolOp::SearchRequest(search));
//! let reply = directory.handle(&mut session, request);
//! let ProtocolOp::SearchResultEntry(root_dse) = &reply.messages[0].op else {
//!     panic!("the rootDSE is answered without a bind");
//! };
//! assert_eq!(root_dse.values("dnsHostName"), [b"dc1.corp.example"]);
//! # Ok::<(), fake_dc_directory::DirectoryError>(())
//! ```

mod access;
mod account;
mod bind;
mod build;
mod change;
mod computed;
mod config;
mod datagram;
mod defaults;
mod descriptor;
mod diagnostic;
mod directory;
mod dn;
mod domain;
mod entry;
mod entry_name;
mod error;
mod export;
mod extended;
mod external;
mod filter;
mod forest;
pub mod ldif;
mod logon;
mod netlogon;
mod operation;
mod overlay;
mod page;
mod password_change;
mod publication;
mod rootdse;
mod schema;
mod search;
mod session;
mod sid;
mod sites;
mod stamp;
mod state;
mod store;
mod trust;

pub use bind::{SaslLayer, TokenRefusal};
pub use config::{DcView, DirectoryConfig, Flavour, LdifSource, NetlogonClaims, Policy};
pub use directory::Directory;
pub use dn::{Dn, DnError};
pub use error::{DirectoryError, LdifErrors};
pub use export::Secrets;
pub use external::CertificateNames;
pub use logon::{AccountName, LogonAccount, LogonRestriction};
pub use netlogon::flag as netlogon_flag;
pub use password_change::{PasswordPolicy, PasswordRestriction};
pub use publication::{Authority, ListSource};
pub use session::{ForeignPrincipal, Protection, Reply, Session, Then};
pub use sid::{Sid, SidError};
pub use trust::{Trust, TrustDirection, TrustKind, TrustPartner};
