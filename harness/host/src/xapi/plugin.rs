//! Failures of the AD plugin: a tag and a text (xapi-flows.md §6.6).

use std::fmt;

use crate::{ApiError, HostError};

/// What kind of failure it is.
///
/// `Denied`, `InvalidOu` and `Unavailable` are of an older backend. winbind's plugin knows them,
/// and so do the published errors, but nothing that a program prints is classified so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Credentials,
    Denied,
    DomainLookup,
    Generic,
    InvalidAccount,
    InvalidOu,
    InvalidTrustedCerts,
    NoEncryptionType,
    NoTrustedCerts,
    TlsSetup,
    Unavailable,
}

/// A failure of the plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PluginError {
    pub(crate) tag: Tag,
    pub(crate) message: String,
}

/// The code of set_ldaps for everything that has none of its own.
pub(crate) const SET_LDAPS_FAILED: &str = "AUTH_SET_LDAPS_FAILED";

/// Fragments of stderr in the order of the search.
const FRAGMENTS: [(&str, Tag); 5] = [
    ("not a properly formed account name", Tag::InvalidAccount),
    ("bad username or authentication", Tag::Credentials),
    ("Windows cannot verify the digital signature for this file", Tag::InvalidTrustedCerts),
    ("tstream_tls_sync_setup: GNUTLS ERROR", Tag::TlsSetup),
    ("KDC has no support for encryption type", Tag::NoEncryptionType),
];

impl Tag {
    /// All tags, in the order of the table.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 11] = [
        Self::Generic,
        Self::DomainLookup,
        Self::Denied,
        Self::Credentials,
        Self::Unavailable,
        Self::InvalidOu,
        Self::InvalidAccount,
        Self::InvalidTrustedCerts,
        Self::NoTrustedCerts,
        Self::TlsSetup,
        Self::NoEncryptionType,
    ];

    /// Classifies what a program printed: the first fragment of the table that is present.
    pub(crate) fn of_stderr(stderr: &str) -> Self {
        FRAGMENTS
            .into_iter()
            .find(|(fragment, _)| stderr.contains(fragment))
            .map_or(Self::Generic, |(_, tag)| tag)
    }

    /// Suffix in the codes of enable and disable.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Credentials => "_WRONG_CREDENTIALS",
            Self::Denied => "_PERMISSION_DENIED",
            Self::DomainLookup => "_DOMAIN_LOOKUP_FAILED",
            Self::Generic => "",
            Self::InvalidAccount => "_INVALID_ACCOUNT",
            Self::InvalidOu => "_INVALID_OU",
            Self::InvalidTrustedCerts => "_INVALID_TRUSTED_CERTS",
            Self::NoEncryptionType => "_NO_SUPPORT_ENCRYPT_TYPE",
            Self::NoTrustedCerts => "_NO_TRUSTED_CERTS",
            Self::TlsSetup => "_SETUP_TLS_CONNECTION",
            Self::Unavailable => "_UNAVAILABLE",
        }
    }

    /// The code outside enable and disable, for the tags that have one of their own.
    pub(crate) const fn direct_code(self) -> Option<&'static str> {
        match self {
            Self::InvalidTrustedCerts => Some("AUTH_INVALID_TRUSTED_CERTS"),
            Self::NoTrustedCerts => Some("AUTH_NO_TRUSTED_CERTS"),
            Self::TlsSetup => Some("AUTH_SETUP_TLS_CONNECTION"),
            Self::Credentials
            | Self::Denied
            | Self::DomainLookup
            | Self::Generic
            | Self::InvalidAccount
            | Self::InvalidOu
            | Self::NoEncryptionType
            | Self::Unavailable => None,
        }
    }

    /// The code of set_ldaps: every tag without a code of its own is `AUTH_SET_LDAPS_FAILED`
    /// (quirk Q6).
    pub(crate) const fn set_ldaps_code(self) -> &'static str {
        match self.direct_code() {
            Some(code) => code,
            None => SET_LDAPS_FAILED,
        }
    }

    /// Word in the ledger.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Denied => "denied",
            Self::DomainLookup => "lookup",
            Self::Generic => "generic",
            Self::InvalidAccount => "invalid-account",
            Self::InvalidOu => "invalid-ou",
            Self::InvalidTrustedCerts => "invalid-trusted-certs",
            Self::NoEncryptionType => "no-supported-encryption-type",
            Self::NoTrustedCerts => "no-trusted-certs",
            Self::TlsSetup => "tls-setup-failed",
            Self::Unavailable => "unavailable",
        }
    }

    /// How much a failure of one DC says about what is wrong; more is larger.
    pub(crate) const fn telling(self) -> u8 {
        match self {
            Self::InvalidTrustedCerts => 3,
            Self::TlsSetup => 2,
            Self::Credentials
            | Self::Denied
            | Self::InvalidAccount
            | Self::InvalidOu
            | Self::NoEncryptionType
            | Self::Unavailable => 1,
            Self::DomainLookup | Self::Generic | Self::NoTrustedCerts => 0,
        }
    }
}

impl PluginError {
    pub(crate) fn new(tag: Tag, message: impl Into<String>) -> Self {
        Self { tag, message: message.into() }
    }

    pub(crate) fn generic(message: impl fmt::Display) -> Self {
        Self::new(Tag::Generic, message.to_string())
    }

    /// `PREFIX<suffix> [message]`.
    pub(crate) fn with_suffix(self, prefix: &str) -> ApiError {
        ApiError::new(format!("{prefix}{}", self.tag.suffix()), [self.message])
    }
}

/// A file that cannot be used is a generic failure of the plugin.
impl From<HostError> for PluginError {
    fn from(error: HostError) -> Self {
        Self::generic(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fragment_of_the_table_decides() {
        let both = "bad username or authentication\n... not a properly formed account name";
        assert_eq!(Tag::of_stderr(both), Tag::InvalidAccount);
        for (fragment, tag) in FRAGMENTS {
            assert_eq!(Tag::of_stderr(&format!("ads_connect: {fragment} (9)")), tag);
        }
        assert_eq!(Tag::of_stderr("connection refused"), Tag::Generic);
        assert_eq!(Tag::of_stderr(""), Tag::Generic);
    }

    #[test]
    fn suffixes_and_direct_codes_are_those_of_the_table() {
        let rows: Vec<String> = Tag::ALL
            .iter()
            .map(|tag| {
                let (suffix, code) =
                    (tag.suffix(), tag.direct_code().unwrap_or("AUTH_SERVICE_ERROR"));
                format!("{}: {suffix:?} {code} {}", tag.name(), tag.set_ldaps_code())
            })
            .collect();
        insta::assert_snapshot!(rows.join("\n"));
    }
}
