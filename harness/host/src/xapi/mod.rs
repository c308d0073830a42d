//! xapi: the calls of a pool and of its hosts, in the order of steps that the real ones take.
//!
//! One file for each group of calls. A call of the pool runs on the coordinator ([`Pool`]); what
//! it does on one host runs in an [`on_host::OnHost`], which holds that host's files, programs and
//! place in the ledger. xapi never opens a socket to a DC: it writes files and runs programs.

mod account;
mod account_calls;
mod call;
mod certificates;
mod dc_warning;
mod emergency;
mod enable;
mod expiry;
mod extauth_hook;
mod external_auth;
mod founding;
mod hold;
mod host;
mod host_auth;
mod join;
mod locate;
mod lock;
mod login;
mod login_cache;
mod machine;
mod messages;
mod offered;
mod on_host;
mod operations;
mod password_rotation;
mod plugin;
mod pool;
mod remote;
mod revalidation;
mod rig;
mod schedule;
mod session;
mod set_ldaps;
mod start;
mod subject;
mod subject_attributes;
mod subject_refresh;
mod tasks;
mod timekeeper;
mod trusted_domains;
pub(crate) mod uid_info;
pub(crate) mod user_attributes;
pub(crate) mod wbinfo_failure;
mod winbind;

pub use call::{AuthConfig, Call, CallResult};
pub use certificates::{ExchangeCall, RemotePool, Wanted};
pub use founding::PoolConfig;
pub use host::{Host, Liveness};
pub use join::{HostCreation, JoinParameters};
pub(crate) use locate::probe_tag;
pub use lock::LockName;
pub use login::ExtAuthSetting;
pub use machine::HostConfig;
pub use offered::DownloadVariant;
pub use operations::PoolOperation;
pub(crate) use plugin::Tag;
pub use pool::Pool;
pub use rig::Rig;
pub use schedule::{Due, Duty};
pub use timekeeper::{Duties, Stuck, Timekeeper};
