//! Certificates of a pool and of its hosts (xapi-flows.md §§2–5).
//!
//! Rows are in the pool's database, files in the trust store of each host. A call changes the
//! coordinator first and then copies its directories to every member.

mod distribution;
mod download;
mod exchange;
mod exchange_call;
mod identity;
mod legacy;
mod sync;
mod trusted;
mod validation;

pub(super) use distribution::drop_newline;
pub use exchange_call::{ExchangeCall, RemotePool, Wanted};
pub(super) use legacy::NamedStore;
pub(super) use sync::malformed;
use validation::Checked;
