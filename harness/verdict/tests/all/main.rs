//! Judgements of chains, in one executable: each file is a subject.

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
