//! A KDC and its clients, in one executable: each file is a subject.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "../common/mod.rs"]
mod common;
mod garbage;
mod gss;
mod kdc;
mod keytab;
