//! The calls of xapi, against programs that answer by script.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod certificates;
mod concurrency;
mod crash;
mod disable;
mod enable;
mod expiry;
mod locks;
mod operations;
mod set_ldaps;
mod smb_conf;
mod start;
mod stranded;
mod support;
mod winbind;
