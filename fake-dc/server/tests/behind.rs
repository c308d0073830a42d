//! A front before a DC that is one of ours itself: what passes, what does not, and what faults do.
//! Real DCs are behind in `tests/behind_samba`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
