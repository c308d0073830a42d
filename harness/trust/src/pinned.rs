//! Pinned keys, as in oVirt's "PKI Reduce" (seed-systems.md §1).
//!
//! Two parties, each with a certificate that is only the envelope of a public key, and each with a
//! set of keys per peer. In a mutual TLS handshake each compares the key that the other shows with
//! its set, and has the other prove that it owns it. Names, dates, key usage, issuers and
//! revocation are not looked at: no code here reads them.
//!
//! Keys come and go while parties run, and count from the next handshake on. So a key is rotated
//! without an outage by adding the new key at the peer, [`Party::switch_to`] it, and dropping the
//! old.
//!
//! ```
//! # use ground::Trail;
//! # use tokio::net::TcpListener;
//! use trust_models::pinned::{Identity, Party};
//!
//! # async fn example(
//! #     manager: Identity, agent: Identity, trail: Trail, listener: TcpListener,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! let (manager_key, agent_key) = (manager.public_key().clone(), agent.public_key().clone());
//! let manager = Party::new(manager, trail.clone());
//! let agent = Party::new(agent, trail);
//! manager.known_keys().add("agent1".into(), agent_key);
//! agent.known_keys().add("manager1".into(), manager_key);
//!
//! let address = listener.local_addr()?;
//! let agent1 = "agent1".into();
//! let (dialled, tcp) = (manager.dial(&agent1, address), listener.accept());
//! let accepted = async { agent.accept(tcp.await?.0).await.map_err(std::io::Error::other) };
//! let (dialled, accepted) = tokio::join!(dialled, accepted);
//! assert_eq!(dialled?.verdict.trusted(), Some(&agent1));
//! assert_eq!(accepted?.verdict.trusted(), Some(&"manager1".into()));
//! # Ok(())
//! # }
//! ```

mod agent;
mod deployment;
mod encoding;
mod error;
pub mod facts;
mod frames;
mod https;
mod identity;
pub mod impostor;
mod kept;
mod key;
mod known_keys;
mod manager;
mod orders;
mod pake;
mod party;
mod proxy;
mod seal;
mod serving;
mod setting;
mod store;
mod verdict;
mod witness;

pub use agent::{AGENT_STORE, Agent};
pub use deployment::Deployment;
pub use error::{IdentityError, PinnedError, REASONS};
pub use frames::{Frames, MESSAGE_LIMIT};
pub use https::{Home, PATH, PROTOCOL, Reception, Reported, WAITING_MAX, visit};
pub use identity::Identity;
pub use kept::KeptIdentity;
pub use key::{Fingerprint, NoPublicKey, PublicKey, subject_of};
pub use known_keys::{KeySets, KnownKeys, PeerName};
pub use manager::{Link, MANAGER_STORE, MIGRATION_LEASE_SECONDS, Manager};
pub use orders::{Answer, Order, SecondLayer};
pub use party::{Connection, HANDSHAKE_LIMIT, Party, Transport};
pub use proxy::{Dials, Heard, Meddling, Proxy};
pub use serving::Serving;
pub use setting::Setting;
pub use store::{StoreError, secrets_in};
pub use verdict::{Conclusion, Reason, Verdict};
pub use witness::Witness;
