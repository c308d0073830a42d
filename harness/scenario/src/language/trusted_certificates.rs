//! Trusted certificates of a pool, and where a scenario gets a certificate from (xapi-flows.md §§4.1, 4.2).

use super::{DcRef, DomainRef, HostRef, ReadingRef, RelativePath, StepRef};
use crate::grammar::Spanned;

table! {
    /// Parameters of `pool.install_trusted_certificate`.
    pub struct InstallTrustedCertificate {
        /// Whether it is a CA; otherwise it is pinned.
        pub ca: bool,
        /// The certificate.
        pub cert: Spanned<CertificateSource>,
        /// What it is trusted for. Empty: general.
        pub purpose: Vec<Purpose>,
    }
}

words! {
    /// What a certificate is trusted for (xapi-flows.md §0.2).
    pub enum Purpose: "purpose" {
        /// Connections to domain controllers.
        Ldaps = "ldaps",
        /// Connections to the licence server.
        Licensing = "licensing",
    }
}

choice! {
    /// Where a certificate comes from.
    pub enum CertificateSource: "source of the certificate" {
        /// PEM text, sent as it is, whatever it holds.
        pem => Pem(String),
        /// A file relative to the scenario file, sent as it is.
        file => File(Spanned<RelativePath>),
        /// The root certificate of a domain, as it is at this moment.
        root => Root(Spanned<DomainRef>),
        /// The root certificate that the domain had before `domain.renew_ca`.
        former_root => FormerRoot(Spanned<DomainRef>),
        /// The intermediate certificate of a domain.
        intermediate => Intermediate(Spanned<DomainRef>),
        /// The leaf certificate that a domain controller serves at this moment.
        leaf => Leaf(Spanned<DcRef>),
        /// The CA at the top of the chain that a domain controller serves at this moment.
        ca_of => CaOf(Spanned<DcRef>),
        /// The certificate that the step of this name has read with `host.get_server_certificate`.
        read_by => ReadBy(Spanned<ReadingRef>),
        /// A root that has nothing to do with the domain.
        other_root => OtherRoot(Spanned<DomainRef>),
        /// A root with the subject of the domain's root but another key.
        twin_root => TwinRoot(Spanned<DomainRef>),
    }
}

table! {
    /// Parameters of `pool.uninstall_trusted_certificate`.
    pub struct UninstallTrustedCertificate {
        /// The certificate.
        pub certificate: Spanned<InstalledCertificate>,
    }
}

choice! {
    /// A certificate of the pool's database.
    pub enum InstalledCertificate: "certificate" {
        /// The one that the step of this name installed.
        installed_by => InstalledBy(Spanned<StepRef>),
        /// The one with the fingerprint of this certificate.
        cert => Cert(CertificateSource),
        /// The one that this host shows to clients.
        identity_of => IdentityOf(Spanned<HostRef>),
    }
}
