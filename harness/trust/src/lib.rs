//! The neighbouring systems of the request, each an answer to "why does this end believe that
//! end?" (seed-systems.md). They run over real TLS sockets and write to the ledger of a run; this
//! crate knows neither scenarios nor DCs.
//!
//! [`pinned`]: trust is the peer's public key, and nothing else. [`ordered`]: a chain uploaded link by
//! link, served whole. [`directory`]: CA, revocation list and accepted servers, kept by the client.

pub mod directory;
pub mod ordered;
pub mod pinned;
mod wire;
