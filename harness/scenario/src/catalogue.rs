//! Words that the XenAPI defines: error codes and names of messages.

use std::sync::LazyLock;

/// Error codes (xapi-flows.md §§12, 16).
pub(crate) fn error_codes() -> &'static [String] {
    static CODES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let plain = CODES_PLAIN.iter().map(|code| (*code).to_owned());
        let suffixed = CODES_SUFFIXED
            .iter()
            .flat_map(|code| SUFFIXES.iter().map(move |suffix| format!("{code}{suffix}")));
        let distinct = CODES_OF_QUIRK_6.iter().map(|code| (*code).to_owned());
        let of_roles = CODES_OF_ROLES.iter().map(|code| (*code).to_owned());
        let of_joins = CODES_OF_JOINS.iter().map(|code| (*code).to_owned());
        plain.chain(suffixed).chain(distinct).chain(of_roles).chain(of_joins).collect()
    });
    &CODES
}

/// Names of messages (xapi-flows.md §§7.2, 11.6, 14, 15).
pub(crate) fn message_names() -> &'static [String] {
    static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
        let plain = [
            "AD_DC_LDAP_CHECK",
            "EXTAUTH_INIT_IN_HOST_FAILED",
            "EXTAUTH_IN_POOL_IS_NON_HOMOGENEOUS",
        ];
        let families = [
            "HOST_INTERNAL_CERTIFICATE",
            "HOST_SERVER_CERTIFICATE",
            "POOL_CA_CERTIFICATE",
            "POOL_PINNED_CERTIFICATE",
        ];
        let states = ["EXPIRED", "EXPIRING_07", "EXPIRING_14", "EXPIRING_30"];
        let expiring = families
            .iter()
            .flat_map(|family| states.iter().map(move |state| format!("{family}_{state}")));
        plain.iter().map(|name| (*name).to_owned()).chain(expiring).collect()
    });
    &NAMES
}

/// Codes of a set_ldaps that tells its tags apart (§19, Q6). No xapi publishes them.
const CODES_OF_QUIRK_6: &[&str] = &[
    "AUTH_SET_LDAPS_FAILED_INVALID_ACCOUNT",
    "AUTH_SET_LDAPS_FAILED_NO_SUPPORT_ENCRYPT_TYPE",
    "AUTH_SET_LDAPS_FAILED_WRONG_CREDENTIALS",
];

/// Codes of the calls that change the roles of subjects (xen-api, `xapi_subject.ml`); §16 is silent
/// about them.
const CODES_OF_ROLES: &[&str] = &["ROLE_ALREADY_EXISTS", "ROLE_NOT_FOUND"];

/// Codes of `pool.join` and `pool.eject` (§12).
const CODES_OF_JOINS: &[&str] = &[
    "CLUSTERING_ENABLED",
    "HA_IS_ENABLED",
    "HOSTS_NOT_COMPATIBLE",
    "HOSTS_NOT_HOMOGENEOUS",
    "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY",
    "HOST_STILL_BOOTING",
    "HOST_UNKNOWN_TO_MASTER",
    "JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS",
    "JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS",
    "JOINING_HOST_CANNOT_HAVE_RUNNING_VMS",
    "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS",
    "JOINING_HOST_CONNECTION_FAILED",
    "JOINING_HOST_SERVICE_FAILED",
    "LICENSE_HOST_POOL_MISMATCH",
    "NOT_SUPPORTED_DURING_UPGRADE",
    "OPERATION_NOT_ALLOWED",
    "POOL_JOINING_EXTERNAL_AUTH_MISMATCH",
    "POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT",
    "POOL_JOINING_HOST_HAS_BONDS",
    "POOL_JOINING_HOST_HAS_NETWORK_SRIOVS",
    "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS",
    "POOL_JOINING_HOST_HAS_TUNNELS",
    "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH",
    "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK",
    "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION",
    "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA",
    "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH",
    "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT",
    "POOL_JOINING_MASTER_CERTIFICATE_NOT_IN_POOL_BUNDLE",
    "POOL_JOINING_POOL_BUNDLE_EMPTY_AFTER_IMPORT",
    "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK",
    "POOL_JOINING_SM_FEATURES_INCOMPATIBLE",
    "V6D_FAILURE",
];

/// Codes that carry one of [`SUFFIXES`] (§16.1).
const CODES_SUFFIXED: &[&str] = &[
    "AUTH_DISABLE_FAILED",
    "AUTH_ENABLE_FAILED",
    "POOL_AUTH_DISABLE_FAILED",
    "POOL_AUTH_ENABLE_FAILED",
];

const SUFFIXES: &[&str] = &[
    "",
    "_DOMAIN_LOOKUP_FAILED",
    "_INVALID_ACCOUNT",
    "_INVALID_OU",
    "_INVALID_TRUSTED_CERTS",
    "_NO_SUPPORT_ENCRYPT_TYPE",
    "_NO_TRUSTED_CERTS",
    "_PERMISSION_DENIED",
    "_SETUP_TLS_CONNECTION",
    "_UNAVAILABLE",
    "_WRONG_CREDENTIALS",
];

const CODES_PLAIN: &[&str] = &[
    "AUTH_ALREADY_ENABLED",
    "AUTH_INVALID_TRUSTED_CERTS",
    "AUTH_IS_DISABLED",
    "AUTH_NO_TRUSTED_CERTS",
    "AUTH_SERVICE_ERROR",
    "AUTH_SETUP_TLS_CONNECTION",
    "AUTH_SET_LDAPS_FAILED",
    "AUTH_UNKNOWN_TYPE",
    "CANNOT_CONTACT_HOST",
    "CA_CERTIFICATE_EXPIRED",
    "CA_CERTIFICATE_INVALID",
    "CA_CERTIFICATE_NOT_VALID_YET",
    "CERTIFICATE_ALREADY_EXISTS",
    "CERTIFICATE_CORRUPT",
    "CERTIFICATE_DOES_NOT_EXIST",
    "CERTIFICATE_LACKS_PURPOSE",
    "CERTIFICATE_LIBRARY_CORRUPT",
    "CERTIFICATE_NAME_INVALID",
    "CRL_ALREADY_EXISTS",
    "CRL_CORRUPT",
    "CRL_DOES_NOT_EXIST",
    "CRL_NAME_INVALID",
    "Fault",
    "HANDLE_INVALID",
    "HOST_IS_SLAVE",
    "HOST_OFFLINE",
    "INTERNAL_ERROR",
    "INVALID_VALUE",
    "LICENCE_RESTRICTION",
    "MESSAGE_METHOD_UNKNOWN",
    "MESSAGE_PARAMETER_COUNT_MISMATCH",
    "NOT_TRUSTED_CERTIFICATE",
    "OTHER_OPERATION_IN_PROGRESS",
    "POOL_AUTH_ALREADY_ENABLED",
    "POOL_AUTH_ENABLE_FAILED_DUPLICATE_HOSTNAME",
    "POOL_SECRET_ROTATION_PENDING",
    "RBAC_PERMISSION_DENIED",
    "SESSION_AUTHENTICATION_FAILED",
    "SESSION_AUTHORIZATION_FAILED",
    "SESSION_INVALID",
    "SUBJECT_ALREADY_EXISTS",
    "SUBJECT_CANNOT_BE_RESOLVED",
    "TRUSTED_CERTIFICATE_ALREADY_EXISTS",
    "TRUSTED_CERTIFICATE_EXPIRED",
    "TRUSTED_CERTIFICATE_INVALID",
    "TRUSTED_CERTIFICATE_NOT_VALID_YET",
    "UUID_INVALID",
];
