//! The catalogue of error codes (xapi-flows.md §16): what each says, with which parameters.

use serde::Serialize;

use crate::xapi::Tag;

/// An error code that the calls of xapi end with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorCode {
    /// The code, such as `AUTH_NO_TRUSTED_CERTS`.
    pub code: String,
    /// What follows it in `ErrorDescription`.
    pub parameters: &'static str,
    /// What has happened, as a fragment.
    pub meaning: &'static str,
    /// Which part of the catalogue it is in.
    pub group: CodeGroup,
}

/// The parts of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeGroup {
    /// LDAPS and AD (§16.1).
    ExternalAuth,
    /// Certificates (§16.2).
    Certificates,
    /// All else (§16.3).
    General,
    /// Joining a pool (§12).
    Joining,
}

impl CodeGroup {
    /// All parts, in the order of the catalogue.
    pub const ALL: [Self; 4] =
        [Self::ExternalAuth, Self::Certificates, Self::General, Self::Joining];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::ExternalAuth => "LDAPS and AD",
            Self::Certificates => "Certificates",
            Self::General => "General",
            Self::Joining => "Joining a pool",
        }
    }
}

/// What the suffixes of the codes of enable and disable say (§6.6).
const SUFFIXES: [(Tag, &str); 11] = [
    (Tag::Generic, "it failed for a reason that has no code of its own"),
    (Tag::Credentials, "the domain refuses the account or its password"),
    (Tag::Denied, "the account may not do it"),
    (Tag::DomainLookup, "no DC of the domain says its workgroup"),
    (Tag::Unavailable, "the domain cannot be reached"),
    (Tag::InvalidOu, "the organisational unit does not exist"),
    (Tag::InvalidAccount, "the account name is malformed"),
    (Tag::InvalidTrustedCerts, "the installed certificates do not validate the first DC"),
    (Tag::NoTrustedCerts, "LDAPS is asked for, and no certificate is installed"),
    (Tag::TlsSetup, "the TLS handshake with the first DC fails"),
    (Tag::NoEncryptionType, "the KDC supports none of the host's encryption types"),
];

/// The codes that take the suffixes, with their parameters.
const FAMILIES: [(&str, &str); 4] = [
    ("AUTH_ENABLE_FAILED", "message"),
    ("AUTH_DISABLE_FAILED", "message"),
    ("POOL_AUTH_ENABLE_FAILED", "host, message"),
    ("POOL_AUTH_DISABLE_FAILED", "host, message"),
];

/// The rest: code, parameters, meaning.
type Row = (&'static str, &'static str, &'static str);

const EXTERNAL_AUTH: [Row; 12] = [
    (
        "AUTH_ALREADY_ENABLED",
        "type, service name",
        "external authentication is enabled on the host",
    ),
    ("AUTH_UNKNOWN_TYPE", "type", "there is no such kind of external authentication"),
    ("AUTH_IS_DISABLED", "", "external authentication is not enabled"),
    ("AUTH_NO_TRUSTED_CERTS", "message", "LDAPS is asked for, and no certificate is installed"),
    (
        "AUTH_INVALID_TRUSTED_CERTS",
        "message",
        "the installed certificates do not validate the first DC",
    ),
    ("AUTH_SETUP_TLS_CONNECTION", "message", "the TLS handshake with the first DC fails"),
    ("AUTH_SET_LDAPS_FAILED", "host, message", "the switch between LDAP and LDAPS failed"),
    ("AUTH_SERVICE_ERROR", "message", "AD, or winbind, does not answer as it should"),
    ("POOL_AUTH_ALREADY_ENABLED", "host", "external authentication is enabled on this host"),
    (
        "POOL_AUTH_ENABLE_FAILED_DUPLICATE_HOSTNAME",
        "coordinator, message",
        "two hosts of the pool have the same name",
    ),
    ("SUBJECT_CANNOT_BE_RESOLVED", "", "AD knows no such account or group"),
    ("SUBJECT_ALREADY_EXISTS", "", "the account or group is a subject already"),
];

const CERTIFICATES: [Row; 19] = [
    ("TRUSTED_CERTIFICATE_INVALID", "", "the text does not hold exactly one certificate"),
    ("TRUSTED_CERTIFICATE_NOT_VALID_YET", "now, not_before", "the certificate is not valid yet"),
    ("TRUSTED_CERTIFICATE_EXPIRED", "now, not_after", "the certificate has expired"),
    (
        "TRUSTED_CERTIFICATE_ALREADY_EXISTS",
        "fingerprint",
        "the certificate is installed, for a purpose that is asked for again",
    ),
    ("CERTIFICATE_LACKS_PURPOSE", "", "a certificate that is no CA needs a purpose"),
    ("NOT_TRUSTED_CERTIFICATE", "ref", "the record is no trusted certificate"),
    ("CA_CERTIFICATE_INVALID", "", "the text does not hold exactly one certificate"),
    ("CA_CERTIFICATE_NOT_VALID_YET", "now, not_before", "the certificate is not valid yet"),
    ("CA_CERTIFICATE_EXPIRED", "now, not_after", "the certificate has expired"),
    ("CERTIFICATE_NAME_INVALID", "name", "this cannot be the name of a certificate"),
    ("CERTIFICATE_ALREADY_EXISTS", "name", "a certificate of this name is there already"),
    ("CERTIFICATE_DOES_NOT_EXIST", "name", "no certificate has this name"),
    ("CERTIFICATE_CORRUPT", "name", "the certificate's file cannot be removed"),
    ("CERTIFICATE_LIBRARY_CORRUPT", "", "the host's store of certificates cannot be written"),
    ("CRL_NAME_INVALID", "name", "this cannot be the name of a list"),
    ("CRL_ALREADY_EXISTS", "name", "a list of this name is there already"),
    ("CRL_DOES_NOT_EXIST", "name", "no list has this name"),
    ("CRL_CORRUPT", "name", "the list's file cannot be removed"),
    ("INVALID_VALUE", "field, value", "a parameter has a value that it cannot have"),
];

const GENERAL: [Row; 15] = [
    ("SESSION_INVALID", "handle", "no such session is open"),
    ("SESSION_AUTHENTICATION_FAILED", "uname, message", "the name or the password is wrong"),
    (
        "SESSION_AUTHORIZATION_FAILED",
        "uname, message",
        "the account may not log in, or AD cannot be asked",
    ),
    ("RBAC_PERMISSION_DENIED", "permission, message", "no role of the session allows the call"),
    ("HANDLE_INVALID", "class, ref", "no such object exists"),
    ("UUID_INVALID", "class, uuid", "no object has this uuid"),
    ("HOST_IS_SLAVE", "coordinator address", "the host is a member: ask its coordinator"),
    ("HOST_OFFLINE", "host ref", "the host is not live"),
    ("CANNOT_CONTACT_HOST", "host ref", "the host does not answer"),
    (
        "OTHER_OPERATION_IN_PROGRESS",
        "class, object, operation type, operation ref",
        "another operation of the pool did not end in time",
    ),
    ("POOL_SECRET_ROTATION_PENDING", "", "a rotation of the pool's secret has not ended"),
    ("LICENCE_RESTRICTION", "feature", "the licence does not have the feature"),
    ("MESSAGE_METHOD_UNKNOWN", "method", "there is no such call"),
    (
        "MESSAGE_PARAMETER_COUNT_MISMATCH",
        "method, expected, received",
        "the call has another number of parameters",
    ),
    ("INTERNAL_ERROR", "text", "something failed that has no code"),
];

const JOINING: [Row; 33] = [
    ("CLUSTERING_ENABLED", "cluster host ref", "the joiner has a cluster"),
    ("HA_IS_ENABLED", "", "high availability is on"),
    ("HOSTS_NOT_COMPATIBLE", "", "joiner and coordinator run different platforms"),
    ("HOSTS_NOT_HOMOGENEOUS", "reason", "software, processors or enforced updates differ"),
    (
        "HOST_PENDING_MANDATORY_GUIDANCE_NOT_EMPTY",
        "host ref",
        "the host has not done what an update demands",
    ),
    ("HOST_STILL_BOOTING", "", "the joiner has no management interface yet"),
    ("HOST_UNKNOWN_TO_MASTER", "host uuid", "the host belongs to a pool that has no record of it"),
    ("JOINING_HOST_CANNOT_BE_MASTER_OF_OTHER_HOSTS", "", "the joiner has members of its own"),
    ("JOINING_HOST_CANNOT_CONTAIN_SHARED_SRS", "", "the joiner has shared storage"),
    ("JOINING_HOST_CANNOT_HAVE_RUNNING_VMS", "", "virtual machines run on the joiner"),
    (
        "JOINING_HOST_CANNOT_HAVE_VMS_WITH_CURRENT_OPERATIONS",
        "",
        "something goes on with a virtual machine of the joiner",
    ),
    ("JOINING_HOST_CONNECTION_FAILED", "", "the coordinator has reset the connection"),
    ("JOINING_HOST_SERVICE_FAILED", "", "what answers at the address is no XenAPI"),
    ("LICENSE_HOST_POOL_MISMATCH", "editions", "the editions of host and pool differ"),
    ("NOT_SUPPORTED_DURING_UPGRADE", "", "updates are being applied"),
    ("OPERATION_NOT_ALLOWED", "reason", "host and pool do not fit, or are one"),
    ("POOL_JOINING_EXTERNAL_AUTH_MISMATCH", "", "joiner and pool are not in the same domain"),
    ("POOL_JOINING_HOST_CA_CERTIFICATES_CONFLICT", "name, ...", "legacy CAs of one name differ"),
    ("POOL_JOINING_HOST_HAS_BONDS", "", "the joiner has bonds"),
    ("POOL_JOINING_HOST_HAS_NETWORK_SRIOVS", "", "the joiner has SR-IOV networks"),
    (
        "POOL_JOINING_HOST_HAS_NON_MANAGEMENT_VLANS",
        "",
        "the joiner has VLANs besides that of its management",
    ),
    ("POOL_JOINING_HOST_HAS_TUNNELS", "", "the joiner has tunnels"),
    (
        "POOL_JOINING_HOST_MANAGEMENT_VLAN_DOES_NOT_MATCH",
        "local, remote",
        "the management interfaces are on different VLANs",
    ),
    (
        "POOL_JOINING_HOST_MUST_HAVE_ONLY_ONE_IP_ON_CLUSTERING_NETWORK",
        "",
        "the joiner would have two addresses on the cluster network",
    ),
    (
        "POOL_JOINING_HOST_MUST_HAVE_SAME_API_VERSION",
        "joiner, coordinator",
        "the versions of the API differ",
    ),
    (
        "POOL_JOINING_HOST_MUST_HAVE_SAME_DB_SCHEMA",
        "joiner, coordinator",
        "the schemas of the databases differ",
    ),
    (
        "POOL_JOINING_HOST_TLS_VERIFICATION_MISMATCH",
        "",
        "one side verifies certificates of hosts, the other does not",
    ),
    (
        "POOL_JOINING_HOST_TRUSTED_CERTIFICATES_CONFLICT",
        "ref in pool, ref on joiner",
        "a trusted certificate is on both sides for purposes that overlap and differ",
    ),
    (
        "POOL_JOINING_MASTER_CERTIFICATE_NOT_IN_POOL_BUNDLE",
        "coordinator uuid",
        "the coordinator's certificate is not among those of its pool",
    ),
    (
        "POOL_JOINING_POOL_BUNDLE_EMPTY_AFTER_IMPORT",
        "path",
        "no certificate of the pool has arrived",
    ),
    (
        "POOL_JOINING_POOL_CANNOT_ENABLE_CLUSTERING_ON_VLAN_NETWORK",
        "vlan",
        "the cluster of the pool is on a VLAN",
    ),
    (
        "POOL_JOINING_SM_FEATURES_INCOMPATIBLE",
        "pool ref, joiner ref or \"\"",
        "the joiner can do less with storage than the pool",
    ),
    ("V6D_FAILURE", "text", "the editions differ, and no licence daemon can compare them"),
];

/// Every code of the catalogue, in its order.
pub fn error_codes() -> Vec<ErrorCode> {
    let families = FAMILIES.into_iter().flat_map(|(prefix, parameters)| {
        SUFFIXES.into_iter().map(move |(tag, meaning)| ErrorCode {
            code: format!("{prefix}{}", tag.suffix()),
            parameters,
            meaning,
            group: CodeGroup::ExternalAuth,
        })
    });
    let rows = |group, rows: &'static [Row]| {
        rows.iter().map(move |(code, parameters, meaning)| ErrorCode {
            code: (*code).to_owned(),
            parameters,
            meaning,
            group,
        })
    };
    rows(CodeGroup::ExternalAuth, &EXTERNAL_AUTH)
        .chain(families)
        .chain(rows(CodeGroup::Certificates, &CERTIFICATES))
        .chain(rows(CodeGroup::General, &GENERAL))
        .chain(rows(CodeGroup::Joining, &JOINING))
        .collect()
}
