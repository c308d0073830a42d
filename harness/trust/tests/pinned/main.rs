//! Pinned keys over loopback TLS.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod foreign;
mod ledger;
mod rotation;
mod trust;
mod world;
