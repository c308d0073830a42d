//! Judgements of chains, in one executable: each file is a subject.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod algorithms;
mod clone;
mod explain;
#[path = "../support/maker.rs"]
mod maker;
mod openssl;
mod oracle;
mod properties;
mod revocation;
mod rules;
#[path = "../support/mod.rs"]
mod support;
