//! Calls that move certificates between pools (xapi-flows.md §5).

use std::collections::BTreeMap;

use super::{
    Account, CertificateSource, FileContent, HostRef, InstalledCertificate, Pattern, True,
};
use crate::grammar::Spanned;

words! {
    /// The call by which design-v1 gets certificates out of a pool (xapi-flows.md §5.1).
    pub enum DownloadVariant: "variant of the download" {
        /// `pool.download_trusted_certificate`, one certificate at a time.
        D1 = "d1",
        /// `pool.download_trusted_certificates` with a list of certificates.
        D2 = "d2",
        /// `pool.download_trusted_certificates` with one purpose.
        D3 = "d3",
    }
}

table! {
    /// Parameters of `pool.download_trusted_certificate`.
    pub struct DownloadTrustedCertificate {
        /// The certificate.
        pub certificate: Spanned<InstalledCertificate>,
    }
}

table! {
    /// Parameters of `pool.download_trusted_certificates`.
    pub struct DownloadTrustedCertificates {
        one_of {
            /// Which ones.
            pub wanted: WantedCertificates
        }
    }
}

choice! {
    /// Which certificates are downloaded.
    pub enum WantedCertificates: "choice of certificates" {
        /// These, in this order.
        certificates => Certificates(Vec<Spanned<InstalledCertificate>>),
        /// All with this purpose.
        purpose => Purpose(String),
    }
}

table! {
    /// Parameters of `pool.exchange_certificates_on_join`.
    pub struct ExchangeCertificates {
        /// Uuid of the host that joins, or any other text.
        pub uuid: String,
        /// Its internal certificate.
        pub cert: Spanned<CertificateSource>,
    }
}

table! {
    /// Parameters of `pool.exchange_ca_certificates_on_join`.
    pub struct ExchangeCaCertificates {
        /// Certificates by the names of their files.
        pub import: BTreeMap<String, CertificateSource>,
        /// Certificates that are asked for.
        pub export: Vec<Spanned<InstalledCertificate>>,
    }
}

table! {
    /// Parameters of `pool.exchange_trusted_certificates_on_join`.
    pub struct ExchangeTrustedCertificates {
        /// CAs, or pinned certificates.
        pub ca: bool,
        /// What is sent. A certificate may recur, with other purposes.
        pub import: Vec<Spanned<PurposedCertificate>>,
        /// Certificates that are asked for.
        pub export: Vec<Spanned<InstalledCertificate>>,
    }
}

table! {
    /// A certificate and what it is trusted for.
    pub struct PurposedCertificate {
        /// The certificate.
        pub cert: Spanned<CertificateSource>,
        /// What it is trusted for, in any words. Empty: general.
        pub purpose: Vec<String>,
    }
}

table! {
    /// Parameters of `pool.exchange_crls_on_join`.
    pub struct ExchangeCrls {
        /// Lists by their names.
        pub import: BTreeMap<String, FileContent>,
        /// Names of the lists that are asked for.
        pub export: Vec<String>,
    }
}

table! {
    /// Parameters of `pool.sync_trusted_certificates_from`.
    pub struct SyncTrustedCertificates {
        /// What is sent as the certificate of the remote coordinator. Default: the one that the host
        /// shows to clients; with an address, nothing.
        pub remote_certificate: Option<Spanned<CertificateSource>>,
        /// The session at the remote pool. Default: one of `root`.
        pub remote_session: RemoteSession = RemoteSession::Root(True),
        /// CAs, or pinned certificates.
        pub ca: bool = true,
        one_of {
            /// Whom to ask.
            pub remote_pool: RemotePool
        }
    }
}

choice! {
    /// The pool that is asked for its certificates.
    pub enum RemotePool: "remote pool" {
        /// This address or name.
        remote_address => Address(String),
        /// The address of this host.
        remote_host => Host(Spanned<HostRef>),
    }
}

choice! {
    /// A session at the remote pool.
    pub enum RemoteSession: "session" {
        /// One of somebody with this name and password.
        account => Account(Account),
        /// One of `root`.
        root => Root(True),
        /// This text.
        text => Text(String),
    }
}

table! {
    /// An entry of a map from certificates to purposes that a call returned.
    pub struct ReturnedCertificate {
        /// The certificate.
        pub cert: CertificateSource,
        /// Its purposes, in any order.
        pub purpose: Vec<Pattern>,
    }
}
