//! The calls that move certificates from pool to pool (xapi-flows.md §5).

use ground::Secret;
use serde_json::{Value, json};

use crate::Reference;

/// A call that moves certificates from one pool to another. `pool: None` stands for the pool's own
/// reference.
///
/// Maps are lists of pairs: a certificate with two rows of disjoint purposes is twice a key of one
/// map, and nobody may lose either (quirk Q18).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeCall {
    /// `pool.download_trusted_certificate` (§5.1, D1).
    DownloadTrustedCertificate {
        /// The pool.
        pool: Option<Reference>,
        /// The certificate.
        certificate: Reference,
    },
    /// `pool.download_trusted_certificates` (§5.1, D2 and D3).
    DownloadTrustedCertificates {
        /// The pool.
        pool: Option<Reference>,
        /// Which ones.
        wanted: Wanted,
    },
    /// `pool.exchange_ca_certificates_on_join` (§5.4).
    ExchangeCaCertificatesOnJoin {
        /// Names of files and PEM texts of legacy CAs.
        import: Vec<(String, String)>,
        /// The legacy CAs that are asked for.
        export: Vec<Reference>,
    },
    /// `pool.exchange_certificates_on_join` (§5.4).
    ExchangeCertificatesOnJoin {
        /// Uuid of the host that joins.
        uuid: String,
        /// PEM text of its internal certificate.
        certificate: String,
    },
    /// `pool.exchange_crls_on_join` (§5.4).
    ExchangeCrlsOnJoin {
        /// The pool.
        pool: Option<Reference>,
        /// Names and texts of lists.
        import: Vec<(String, String)>,
        /// Names of the lists that are asked for.
        export: Vec<String>,
    },
    /// `pool.exchange_trusted_certificates_on_join` (§5.4).
    ExchangeTrustedCertificatesOnJoin {
        /// The pool.
        pool: Option<Reference>,
        /// Authorities, or servers' own certificates.
        ca: bool,
        /// PEM texts and what they are for, as words of the purpose enumeration.
        import: Vec<(String, Vec<String>)>,
        /// The trusted certificates that are asked for.
        export: Vec<Reference>,
    },
    /// `pool.sync_trusted_certificates_from` (§5.3).
    SyncTrustedCertificatesFrom {
        /// The pool that is to receive.
        pool: Option<Reference>,
        /// The pool that is asked.
        remote: RemotePool,
        /// Authorities, or servers' own certificates.
        ca: bool,
    },
}

/// Which certificates a download is to bring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// D2: these.
    Certificates(Vec<Reference>),
    /// D3: all with this purpose.
    Purpose(String),
}

/// The pool that a sync copies from. `Debug` hides the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemotePool {
    /// Host name or IP address of its coordinator.
    pub address: String,
    /// Reference of a session that the caller has opened there.
    pub session: Secret,
    /// PEM text of the certificate that the coordinator shows to clients.
    pub certificate: String,
}

impl ExchangeCall {
    /// The real name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::DownloadTrustedCertificate { .. } => "pool.download_trusted_certificate",
            Self::DownloadTrustedCertificates { .. } => "pool.download_trusted_certificates",
            Self::ExchangeCaCertificatesOnJoin { .. } => "pool.exchange_ca_certificates_on_join",
            Self::ExchangeCertificatesOnJoin { .. } => "pool.exchange_certificates_on_join",
            Self::ExchangeCrlsOnJoin { .. } => "pool.exchange_crls_on_join",
            Self::ExchangeTrustedCertificatesOnJoin { .. } => {
                "pool.exchange_trusted_certificates_on_join"
            }
            Self::SyncTrustedCertificatesFrom { .. } => "pool.sync_trusted_certificates_from",
        }
    }

    /// The `pool` parameter, if the call has one that was given.
    pub(crate) const fn pool(&self) -> Option<&Reference> {
        match self {
            Self::DownloadTrustedCertificate { pool, .. }
            | Self::DownloadTrustedCertificates { pool, .. }
            | Self::ExchangeCrlsOnJoin { pool, .. }
            | Self::ExchangeTrustedCertificatesOnJoin { pool, .. }
            | Self::SyncTrustedCertificatesFrom { pool, .. } => pool.as_ref(),
            Self::ExchangeCaCertificatesOnJoin { .. } | Self::ExchangeCertificatesOnJoin { .. } => {
                None
            }
        }
    }

    /// The parameters for the ledger: no session, no PEM text.
    pub(crate) fn parameters(&self) -> Value {
        let names = |named: &[(String, String)]| -> Vec<String> {
            named.iter().map(|(name, _)| name.clone()).collect()
        };
        match self {
            Self::DownloadTrustedCertificate { certificate, .. } => {
                json!({ "certificate": certificate })
            }
            Self::DownloadTrustedCertificates { wanted, .. } => match wanted {
                Wanted::Certificates(certificates) => json!({ "certificates": certificates }),
                Wanted::Purpose(purpose) => json!({ "purpose": purpose }),
            },
            Self::ExchangeCaCertificatesOnJoin { import, export } => {
                json!({ "import": names(import), "export": export })
            }
            Self::ExchangeCertificatesOnJoin { uuid, .. } => json!({ "uuid": uuid }),
            Self::ExchangeCrlsOnJoin { import, export, .. } => {
                json!({ "import": names(import), "export": export })
            }
            Self::ExchangeTrustedCertificatesOnJoin { ca, import, export, .. } => {
                let purposes: Vec<_> = import.iter().map(|(_, purposes)| purposes).collect();
                json!({ "ca": ca, "import": purposes, "export": export })
            }
            Self::SyncTrustedCertificatesFrom { remote, ca, .. } => {
                json!({ "remote_pool": remote.address, "ca": ca })
            }
        }
    }
}
