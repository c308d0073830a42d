//! Calls about legacy CAs, revocation lists and hosts' own certificates, and what goes on in a pool
//! meanwhile (xapi-flows.md §§4.3–4.6, 17).

use super::{Advance, CertificateSource, FileContent, HostPath, HostRef};
use crate::grammar::Spanned;

table! {
    /// Parameters of `pool.install_ca_certificate` and `pool.certificate_install`.
    pub struct InstallCaCertificate {
        /// Name of the file.
        pub name: String,
        /// The certificate.
        pub cert: Spanned<CertificateSource>,
    }
}

table! {
    /// Parameters of `pool.uninstall_ca_certificate`.
    pub struct UninstallCaCertificate {
        /// Name of the file.
        pub name: String,
        /// Whether to go on if there is no such file.
        pub force: bool = false,
    }
}

table! {
    /// Parameters of a call that takes the name of a file alone.
    pub struct NamedFile {
        /// Name of the file.
        pub name: String,
    }
}

table! {
    /// Parameters of `pool.crl_install`.
    pub struct InstallCrl {
        /// Name of the file.
        pub name: String,
        one_of {
            /// What it holds.
            pub content: FileContent
        }
    }
}

table! {
    /// Parameters of a call of one host that takes no others.
    pub struct HostOnly {
        /// The host.
        pub host: Spanned<HostRef>,
    }
}

table! {
    /// Parameters of `xapi.begin_operation`.
    pub struct BeginOperation {
        /// What somebody begins.
        pub operation: PoolOperation,
        /// How long it takes. Absent: until `xapi.end_operation`.
        pub lasting: Option<Advance>,
    }
}

table! {
    /// Parameters of `xapi.end_operation`.
    pub struct EndOperation {
        /// What has ended.
        pub operation: PoolOperation,
    }
}

table! {
    /// Parameters of `xapi.rotate_pool_secret`.
    pub struct RotatePoolSecret {
        /// Whether the rotation has begun and not ended.
        pub pending: bool,
    }
}

table! {
    /// Parameters of `file.make_directory`.
    pub struct MakeDirectory {
        /// The host.
        pub host: Spanned<HostRef>,
        /// Absolute path on the host.
        pub path: Spanned<HostPath>,
    }
}

words! {
    /// An operation of the pool (xapi-flows.md §17).
    pub enum PoolOperation: "operation of the pool" {
        /// Updates are being applied.
        ApplyUpdates = "apply_updates",
        /// Pool-internal certificates are being renewed.
        CertRefresh = "cert_refresh",
        /// A cluster is being made.
        ClusterCreate = "cluster_create",
        /// Repositories are being configured.
        ConfigureRepositories = "configure_repositories",
        /// The coordinator sends its certificates to others.
        CopyPrimaryHostCerts = "copy_primary_host_certs",
        /// Another host becomes the coordinator.
        DesignateNewMaster = "designate_new_master",
        /// A host leaves.
        Eject = "eject",
        /// Legacy CAs are exchanged with a joiner.
        ExchangeCaCertificatesOnJoin = "exchange_ca_certificates_on_join",
        /// Pool-internal certificates are exchanged with a joiner.
        ExchangeCertificatesOnJoin = "exchange_certificates_on_join",
        /// Revocation lists are exchanged with a joiner.
        ExchangeCrlsOnJoin = "exchange_crls_on_join",
        /// Updates are being looked for.
        GetUpdates = "get_updates",
        /// HA is being switched off.
        HaDisable = "ha_disable",
        /// HA is being switched on.
        HaEnable = "ha_enable",
        /// Updates are being taken from a bundle.
        SyncBundle = "sync_bundle",
        /// Updates are being taken from repositories.
        SyncUpdates = "sync_updates",
        /// Hosts begin to verify each other.
        TlsVerificationEnable = "tls_verification_enable",
    }
}
