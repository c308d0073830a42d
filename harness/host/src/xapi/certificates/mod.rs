//! Certificates of a pool and of its hosts (xapi-flows.md §§2–4).
//!
//! Rows are in the pool's database, files in the trust store of each host. A call changes the
//! coordinator first and then copies its directories to every member.

mod distribution;
mod identity;
mod legacy;
mod trusted;
mod validation;

pub(super) use distribution::drop_newline;
pub(super) use legacy::NamedStore;
use validation::Checked;
