//! The calls that make hosts members of a domain, take them out, and switch them between LDAP and LDAPS
//! (xapi-flows.md §§7–9).

use super::{AuthConfig, HostRef};
use crate::grammar::Spanned;

table! {
    /// Parameters of `pool.enable_external_auth`.
    pub struct EnableExternalAuth {
        /// Name of the domain, as the caller types it.
        pub service_name: String,
        /// `AD`.
        pub auth_type: String,
        /// Join account and options (xapi-flows.md §6.1).
        pub config: AuthConfig,
    }
}

table! {
    /// Parameters of `pool.disable_external_auth`.
    pub struct DisableExternalAuth {
        /// Account that leaves; without one the machine account stays.
        pub config: AuthConfig = AuthConfig::default(),
    }
}

table! {
    /// Parameters of `pool.external_auth_set_ldaps`.
    pub struct PoolSetLdaps {
        /// The wanted value.
        pub ldaps: bool,
        /// Whether to run the check though the value is set already. Absent: not sent.
        pub force: Option<bool>,
    }
}

table! {
    /// Parameters of `host.external_auth_set_ldaps`.
    pub struct HostSetLdaps {
        /// The host.
        pub host: Spanned<HostRef>,
        /// The wanted value.
        pub ldaps: bool,
        /// Whether to run the check though the value is set already. Absent: not sent.
        pub force: Option<bool>,
    }
}

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
