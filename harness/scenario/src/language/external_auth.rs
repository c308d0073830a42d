//! The calls that make one host a member of a domain, or take it out (xapi-flows.md §§7.2, 8).

use super::{AuthConfig, HostRef};
use crate::grammar::Spanned;

table! {
    /// Parameters of `host.enable_external_auth`.
    pub struct HostEnableExternalAuth {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Name of the domain, as the caller types it.
        pub service_name: String,
        /// `AD`.
        pub auth_type: String,
        /// Join account and options (xapi-flows.md §6.1).
        pub config: AuthConfig,
    }
}

table! {
    /// Parameters of `host.disable_external_auth`.
    pub struct HostDisableExternalAuth {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Account that leaves; without one the machine account stays.
        pub config: AuthConfig = AuthConfig::default(),
        /// Whether to clean up though external authentication is off. Default: `false`.
        pub force: bool = false,
    }
}
