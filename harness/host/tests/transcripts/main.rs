//! The captured command lines of xapi, run again: Samba's own `net` and other programs that look
//! for a DC, with the fake DC at the captured address, with the captured directory, in the captured
//! second. What they print must be what they printed of a real DC.
//!
//! Needs what the tests beside the real `net` need (`harness/host/tests/real`), and `adcli`, `dig`
//! and `host`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod discovery;
mod faults;
#[path = "../real/namespace.rs"]
mod namespace;
mod replay;
mod world;
