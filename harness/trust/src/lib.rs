//! The neighbouring systems of the request, each an answer to "why does this end believe that
//! end?" (seed-systems.md). They run over real TLS sockets and write to the ledger of a run; this
//! crate knows neither scenarios nor DCs.
//!
//! [`pinned`] is the first: trust is the peer's public key, and nothing else.

pub mod pinned;
