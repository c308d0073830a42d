//! Names of directories and bundles.

use crate::Purpose;

/// Bundle that LDAPS prefers.
pub const LDAPS_BUNDLE: &str = "/etc/trusted-certs/ca-bundle-ldaps.pem";
/// Bundle that LDAPS uses in its absence.
pub const GENERAL_BUNDLE: &str = "/etc/trusted-certs/ca-bundle-general.pem";
/// Directory of the legacy CAs.
pub(crate) const LEGACY_CA_DIRECTORY: &str = "/etc/stunnel/certs";

/// The two kinds of trusted certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TrustedKind {
    Ca,
    Pinned,
}

/// A directory of the trust store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreDirectory {
    Crl,
    LegacyCa,
    PoolInternal,
    /// No purpose is the general one.
    Trusted(TrustedKind, Option<Purpose>),
}

impl StoreDirectory {
    /// All directories in the order in which a distribution replaces them.
    pub(crate) const ALL: [Self; 9] = [
        Self::PoolInternal,
        Self::LegacyCa,
        Self::Crl,
        Self::Trusted(TrustedKind::Ca, None),
        Self::Trusted(TrustedKind::Pinned, None),
        Self::Trusted(TrustedKind::Ca, Some(Purpose::Licensing)),
        Self::Trusted(TrustedKind::Pinned, Some(Purpose::Licensing)),
        Self::Trusted(TrustedKind::Ca, Some(Purpose::Ldaps)),
        Self::Trusted(TrustedKind::Pinned, Some(Purpose::Ldaps)),
    ];

    /// Those of trusted certificates, in the same order.
    pub(crate) const TRUSTED: [Self; 6] = {
        let [_, _, _, trusted @ ..] = Self::ALL;
        trusted
    };

    /// Path of the directory.
    pub(crate) fn path(self) -> String {
        match self {
            Self::Crl => "/etc/stunnel/crls".to_owned(),
            Self::LegacyCa => LEGACY_CA_DIRECTORY.to_owned(),
            Self::PoolInternal => "/etc/stunnel/certs-pool".to_owned(),
            Self::Trusted(kind, purpose) => {
                format!("/etc/trusted-certs/{}-{}", word(kind), purpose_word(purpose))
            }
        }
    }

    /// Path of one of its files.
    pub(crate) fn file(self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }

    /// Path of the bundle; a directory of CRLs has none.
    pub(crate) fn bundle(self) -> Option<String> {
        match self {
            Self::Crl => None,
            Self::LegacyCa => Some("/etc/stunnel/xapi-stunnel-ca-bundle.pem".to_owned()),
            Self::PoolInternal => Some("/etc/stunnel/xapi-pool-ca-bundle.pem".to_owned()),
            Self::Trusted(kind, purpose) => Some(format!(
                "/etc/trusted-certs/{}-bundle-{}.pem",
                word(kind),
                purpose_word(purpose)
            )),
        }
    }

    /// The directories of a trusted certificate: one for each purpose, or the general one.
    pub(crate) fn of_purposes<'a>(
        kind: TrustedKind,
        purposes: impl IntoIterator<Item = &'a Purpose>,
    ) -> Vec<Self> {
        let directories: Vec<_> =
            purposes.into_iter().map(|purpose| Self::Trusted(kind, Some(*purpose))).collect();
        if directories.is_empty() { vec![Self::Trusted(kind, None)] } else { directories }
    }
}

const fn word(kind: TrustedKind) -> &'static str {
    match kind {
        TrustedKind::Ca => "ca",
        TrustedKind::Pinned => "pinned",
    }
}

fn purpose_word(purpose: Option<Purpose>) -> &'static str {
    purpose.map_or("general", Purpose::name)
}
