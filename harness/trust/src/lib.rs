//! The neighbouring systems of the request, each an answer to "why does this end believe that
//! end?" (seed-systems.md). They run over real TLS sockets and write to the ledger of a run; this
//! crate knows neither scenarios nor DCs.
//!
//! [`pinned`]: trust is the peer's public key, and nothing else. [`ordered`]: a chain uploaded link by
//! link, served whole.

pub mod ordered;
pub mod pinned;
