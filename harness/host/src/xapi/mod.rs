//! xapi: the calls of a pool and of its hosts, in the order of steps that the real ones take.
//!
//! One file for each group of calls. A call of the pool runs on the coordinator ([`Pool`]); what
//! it does on one host runs in an [`on_host::OnHost`], which holds that host's files, programs and
//! place in the ledger. xapi never opens a socket to a DC: it writes files and runs programs.

mod call;
mod certificates;
mod enable;
mod extauth_hook;
mod external_auth;
mod hold;
mod host;
mod host_auth;
mod locate;
mod lock;
mod login;
mod messages;
mod on_host;
mod password_rotation;
mod plugin;
mod pool;
mod session;
mod set_ldaps;
mod start;
mod tasks;
#[allow(dead_code, reason = "the queries of accounts are about to use it")]
pub(crate) mod uid_info;
#[allow(dead_code, reason = "the queries of accounts are about to use it")]
pub(crate) mod user_attributes;
mod waiting;
#[allow(dead_code, reason = "the queries of accounts are about to use it")]
pub(crate) mod wbinfo_failure;
mod winbind;

pub use call::{AuthConfig, Call, CallResult};
pub use host::{Host, HostConfig, Liveness};
pub(crate) use locate::probe_tag;
pub use lock::LockName;
pub(crate) use plugin::Tag;
pub use pool::{Pool, PoolConfig};
pub use waiting::WaitingRoom;
