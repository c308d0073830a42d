//! What a directory answers, in one executable: each file is a subject.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod bind;
mod change;
mod changes;
mod descriptor;
mod export;
mod forest;
mod ldif;
mod logon;
mod netlogon;
mod replay;
mod search;
#[path = "../support/mod.rs"]
mod support;
mod windows;
