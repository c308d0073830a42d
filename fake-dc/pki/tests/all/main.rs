//! Certificates from outside, in one executable: each file is a subject.

mod catalogue;
mod chains;
#[path = "../common/mod.rs"]
mod common;
mod evidence;
mod keys;
mod renewals;
mod stores;
