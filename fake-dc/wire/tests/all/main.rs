//! LDAP messages and bytes, in one executable: each file is a subject.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod captures;
mod differential;
#[path = "../generate/mod.rs"]
mod generate;
mod limits;
mod properties;
