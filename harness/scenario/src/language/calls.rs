//! Calls of the classes `pool` and `host`, and what happens to hosts.

use super::{
    ClearHostFaults, DisableExternalAuth, DownloadTrustedCertificate, DownloadTrustedCertificates,
    EnableExternalAuth, ExchangeCaCertificates, ExchangeCertificates, ExchangeCrls,
    ExchangeTrustedCertificates, HostDisableExternalAuth, HostEnableExternalAuth, HostOnly,
    HostProgram, HostSetLdaps, InstallCaCertificate, InstallCrl, InstallTrustedCertificate,
    JoinPool, NamedFile, PoolSetLdaps, SetHostFaults, SetLiveness, SetNumber, SetSwitch,
    SyncTrustedCertificates, UninstallCaCertificate, UninstallTrustedCertificate,
};

choice! {
    /// A call of the class `pool` (xapi-flows.md §§4, 5, 7–9, 12, 13).
    pub enum PoolCall: "call of the class pool" {
        /// Installs a trusted certificate (§4.1).
        install_trusted_certificate => InstallTrustedCertificate(InstallTrustedCertificate),
        /// Removes a trusted certificate (§4.2).
        uninstall_trusted_certificate => UninstallTrustedCertificate(UninstallTrustedCertificate),
        /// Installs a legacy CA (§4.3).
        install_ca_certificate => InstallCaCertificate(InstallCaCertificate),
        /// Removes a legacy CA (§4.3).
        uninstall_ca_certificate => UninstallCaCertificate(UninstallCaCertificate),
        /// The older name of `install_ca_certificate`.
        certificate_install => CertificateInstall(InstallCaCertificate),
        /// The older name of `uninstall_ca_certificate`.
        certificate_uninstall => CertificateUninstall(NamedFile),
        /// Names of the legacy CAs (§4.3).
        certificate_list => CertificateList(NoParameters),
        /// Installs a list of revoked certificates (§4.4).
        crl_install => CrlInstall(InstallCrl),
        /// Removes one (§4.4).
        crl_uninstall => CrlUninstall(NamedFile),
        /// Names of those that are installed (§4.4).
        crl_list => CrlList(NoParameters),
        /// Copies certificates to all members again (§4.5).
        certificate_sync => CertificateSync(NoParameters),
        /// Reads one trusted certificate (§5.1).
        download_trusted_certificate => DownloadTrustedCertificate(DownloadTrustedCertificate),
        /// Reads several (§5.1).
        download_trusted_certificates => DownloadTrustedCertificates(DownloadTrustedCertificates),
        /// Exchanges legacy CAs with a host that joins (§5.4).
        exchange_ca_certificates_on_join => ExchangeCaCertificates(ExchangeCaCertificates),
        /// Exchanges the pool's internal certificates with it (§5.4).
        exchange_certificates_on_join => ExchangeCertificates(ExchangeCertificates),
        /// Exchanges revocation lists with it (§5.4).
        exchange_crls_on_join => ExchangeCrls(ExchangeCrls),
        /// Exchanges trusted certificates with it (§5.4).
        exchange_trusted_certificates_on_join => ExchangeTrustedCertificates(
            ExchangeTrustedCertificates
        ),
        /// Copies the trusted certificates of another pool (§5.3).
        sync_trusted_certificates_from => SyncTrustedCertificatesFrom(SyncTrustedCertificates),
        /// Compares every host with the coordinator (§7.2).
        detect_nonhomogeneous_external_auth => DetectNonhomogeneousExternalAuth(NoParameters),
        /// Makes the pool's only host a member of another pool (§12).
        join => Join(JoinPool),
        /// The same, whatever its software and processors are (§12).
        join_force => JoinForce(JoinPool),
        /// A member becomes a pool of its own (§13).
        eject => Eject(HostOnly),
        /// Joins all hosts to a domain (§7).
        enable_external_auth => EnableExternalAuth(EnableExternalAuth),
        /// Takes all hosts out of their domain (§8).
        disable_external_auth => DisableExternalAuth(DisableExternalAuth),
        /// Switches all hosts between LDAP and LDAPS (§9).
        external_auth_set_ldaps => ExternalAuthSetLdaps(PoolSetLdaps),
        /// Whether logins are remembered (§10.1).
        set_ext_auth_cache_enabled => SetExtAuthCacheEnabled(SetSwitch),
        /// For how many seconds.
        set_ext_auth_cache_expiry => SetExtAuthCacheExpiry(SetNumber),
        /// How many.
        set_ext_auth_cache_size => SetExtAuthCacheSize(SetNumber),
        /// How many logins are worked on at once.
        set_ext_auth_max_threads => SetExtAuthMaxThreads(SetNumber),
    }
}

choice! {
    /// A call of the class `host` (xapi-flows.md §§7–9), or something that happens to a host.
    pub enum HostAction: "call or change of a host" {
        /// Takes one host out of its domain (§8).
        disable_external_auth => DisableExternalAuth(HostDisableExternalAuth),
        /// Joins one host to a domain (§7.2).
        enable_external_auth => EnableExternalAuth(HostEnableExternalAuth),
        /// Switches one host between LDAP and LDAPS (§9.3).
        external_auth_set_ldaps => ExternalAuthSetLdaps(HostSetLdaps),
        /// The certificate that it shows to clients (§4.6).
        get_server_certificate => GetServerCertificate(HostOnly),
        /// Replaces what somebody has done to its files and its clock.
        set_faults => SetFaults(SetHostFaults),
        /// Undoes that.
        clear_faults => ClearFaults(ClearHostFaults),
        /// Lets no program of a name begin any more, until it is released.
        hold_program => HoldProgram(HostProgram),
        /// Lets held programs begin.
        release_program => ReleaseProgram(HostProgram),
        /// A member goes down, falls silent or comes back.
        set_liveness => SetLiveness(SetLiveness),
    }
}

impl HostAction {
    /// Whether it is a call, rather than something that happens to the host.
    pub fn is_call(&self) -> bool {
        matches!(
            self,
            Self::DisableExternalAuth(_)
                | Self::EnableExternalAuth(_)
                | Self::ExternalAuthSetLdaps(_)
                | Self::GetServerCertificate(_)
        )
    }
}

table! {
    /// A call without parameters: `{}`.
    pub struct NoParameters {}
}
