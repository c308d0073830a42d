//! Pinned keys over loopback TLS.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod deployment;
mod foreign;
mod killed;
mod lab;
mod ledger;
mod rotation;
mod second_layer;
mod secrets;
mod solution_two;
mod trust;
mod unsettled;
mod world;
