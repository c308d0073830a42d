//! Certificates from outside, in one executable: each file is a subject.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod catalogue;
mod chains;
#[path = "../common/mod.rs"]
mod common;
mod evidence;
mod keys;
mod renewals;
mod stores;
