//! The exchange calls, by which a pool and a host that joins it get each other's certificates
//! (xapi-flows.md §5.4; xen-api, `ocaml/xapi/cert_distrib.ml`). They run on the pool that is asked.

use ground::Trail;

use super::{Checked, drop_newline};
use crate::{
    ApiError, CertificateType, Quirk, Reference,
    certificate::ParsedCertificate,
    trust_store::{Files, StoreDirectory},
    xapi::{
        CallResult, ExchangeCall, Pool, PoolOperation, certificates::download::not_trusted,
        on_host::OnHost,
    },
};

/// Names of files, or PEM texts, with what belongs to each. Keys may recur.
pub(in crate::xapi) type Pairs<T> = Vec<(String, T)>;

impl Pool {
    /// Carries out a call that moves certificates between pools.
    pub(in crate::xapi) async fn run_exchange(
        &self,
        call: &ExchangeCall,
        trail: &Trail,
    ) -> Result<CallResult, ApiError> {
        self.check_has_call(call.name())?;
        match call {
            ExchangeCall::DownloadTrustedCertificate { certificate, .. } => {
                self.download_trusted_certificate(certificate).map(CallResult::Text)
            }
            ExchangeCall::DownloadTrustedCertificates { wanted, .. } => {
                self.download_trusted_certificates(wanted).map(CallResult::Texts)
            }
            ExchangeCall::ExchangeCaCertificatesOnJoin { import, export } => {
                let sent = self.exchange_ca_certificates_on_join(import, export, trail).await;
                sent.map(|files| CallResult::Map(files.into_iter().collect()))
            }
            ExchangeCall::ExchangeCertificatesOnJoin { uuid, certificate } => {
                let sent = self.exchange_certificates_on_join(uuid, certificate, trail).await;
                sent.map(|files| CallResult::Map(files.into_iter().collect()))
            }
            ExchangeCall::ExchangeCrlsOnJoin { import, export, .. } => {
                let sent = self.exchange_crls_on_join(import, export, trail).await;
                sent.map(|files| CallResult::Map(files.into_iter().collect()))
            }
            ExchangeCall::ExchangeTrustedCertificatesOnJoin { ca, import, export, .. } => {
                let sent =
                    self.exchange_trusted_certificates_on_join(*ca, import, export, trail).await;
                sent.map(CallResult::SetsByKey)
            }
            ExchangeCall::SyncTrustedCertificatesFrom { remote, ca, .. } => {
                let created = self.sync_trusted_certificates_from(remote, *ca, trail).await?;
                Ok(CallResult::Texts(created.iter().map(Reference::to_string).collect()))
            }
        }
    }

    /// `pool.exchange_certificates_on_join`: the joiner's internal certificate becomes one of the
    /// pool's; members that cannot be told learn of it when they start.
    async fn exchange_certificates_on_join(
        &self,
        uuid: &str,
        certificate: &str,
        trail: &Trail,
    ) -> Result<Pairs<String>, ApiError> {
        let _operation = self.register(PoolOperation::ExchangeCertificatesOnJoin, trail).await?;
        let internal = [(format!("{uuid}.pem"), certificate.to_owned())];
        self.coordinator_at_work(trail).merge(StoreDirectory::PoolInternal, &internal)?;
        for member in self.hosts().iter().skip(1) {
            // Best effort.
            let _ = self
                .take_turn(member, "copy-certificates", trail)
                .and_then(|member| member.merge(StoreDirectory::PoolInternal, &internal));
        }
        let names = self.coordinator().trust_store().files(StoreDirectory::PoolInternal)?;
        names.into_keys().map(|name| self.sent_as(StoreDirectory::PoolInternal, name)).collect()
    }

    /// `pool.exchange_ca_certificates_on_join`. Members get the new files with the next copy.
    async fn exchange_ca_certificates_on_join(
        &self,
        import: &[(String, String)],
        export: &[Reference],
        trail: &Trail,
    ) -> Result<Pairs<String>, ApiError> {
        let names = export
            .iter()
            .map(|reference| self.certificate_row(reference).map(|row| row.name))
            .collect::<Result<Vec<_>, _>>()?;
        let _operation = self.register(PoolOperation::ExchangeCaCertificatesOnJoin, trail).await?;
        self.import_legacy(import, trail)?;
        names.into_iter().map(|name| self.sent_as(StoreDirectory::LegacyCa, name)).collect()
    }

    /// Installs legacy CAs that another pool has sent: all of them are looked at first.
    pub(in crate::xapi) fn import_legacy(
        &self,
        import: &[(String, String)],
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let certificates = import
            .iter()
            .map(|(name, text)| {
                self.check_name(name, "CERTIFICATE_NAME_INVALID")?;
                self.parse_certificate(text, Checked::LegacyCa)
            })
            .collect::<Result<Vec<ParsedCertificate>, _>>()?;
        let files: Vec<_> = import
            .iter()
            .zip(&certificates)
            .map(|((name, _), certificate)| (name.clone(), certificate.pem.clone()))
            .collect();
        self.coordinator_at_work(trail).merge(StoreDirectory::LegacyCa, &files)?;
        for ((name, _), certificate) in import.iter().zip(&certificates) {
            self.add_legacy_row(name, certificate, trail)?;
        }
        Ok(())
    }

    /// `pool.exchange_trusted_certificates_on_join`.
    async fn exchange_trusted_certificates_on_join(
        &self,
        ca: bool,
        import: &[(String, Vec<String>)],
        export: &[Reference],
        trail: &Trail,
    ) -> Result<Pairs<Vec<String>>, ApiError> {
        let _operation = self.register(PoolOperation::CopyPrimaryHostCerts, trail).await?;
        for (pem, purposes) in import {
            self.import_trusted(ca, pem, purposes, trail)?;
        }
        if !import.is_empty() {
            self.certificates_changed(trail).await?;
        }
        export.iter().map(|reference| self.export_trusted(ca, reference)).collect()
    }

    /// `pool.exchange_crls_on_join`.
    async fn exchange_crls_on_join(
        &self,
        import: &[(String, String)],
        export: &[String],
        trail: &Trail,
    ) -> Result<Pairs<String>, ApiError> {
        let _operation = self.register(PoolOperation::ExchangeCrlsOnJoin, trail).await?;
        for (name, text) in import {
            self.import_crl(name, text, trail)?;
        }
        export
            .iter()
            .map(|name| {
                if self.coordinator().trust_store().has(StoreDirectory::Crl, name)? {
                    return self.sent_as(StoreDirectory::Crl, name.clone());
                }
                Err(ApiError::new("CRL_DOES_NOT_EXIST", [name.as_str()]))
            })
            .collect()
    }

    /// Installs what another pool has sent, for whoever has registered the operation. `None` if it
    /// is there already.
    pub(in crate::xapi) fn import_trusted(
        &self,
        ca: bool,
        pem: &str,
        purposes: &[String],
        trail: &Trail,
    ) -> Result<Option<Reference>, ApiError> {
        match self.install_trusted(ca, pem, self.parse_purposes(purposes)?, trail) {
            Ok(reference) => Ok(Some(reference)),
            Err(error) if error.code == "TRUSTED_CERTIFICATE_ALREADY_EXISTS" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Content and purposes of a trusted certificate that must be of this type.
    pub(in crate::xapi) fn export_trusted(
        &self,
        ca: bool,
        reference: &Reference,
    ) -> Result<(String, Vec<String>), ApiError> {
        let row = self.certificate_row(reference)?;
        let wanted = if ca { CertificateType::Ca } else { CertificateType::Pinned };
        if row.kind != wanted || !row.is_trusted() {
            return Err(not_trusted(reference));
        }
        let purposes = row.purpose.iter().map(ToString::to_string).collect();
        Ok((self.content_of(&row)?, purposes))
    }

    /// Installs a list that another pool has sent. A list of that name is in the way, even if it is
    /// the same (quirk Q44).
    pub(in crate::xapi) fn import_crl(
        &self,
        name: &str,
        text: &str,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        if !self.quirks().has(Quirk::CrlExchangeNameClash) {
            let own = self.coordinator().trust_store().files(StoreDirectory::Crl)?;
            let is_same = |own: &Vec<u8>| own.trim_ascii_end() == text.as_bytes().trim_ascii_end();
            if own.get(name).is_some_and(is_same) {
                return Ok(());
            }
        }
        self.crl_install(name, text, trail)
    }

    /// A file of the coordinator's, under its name.
    fn sent_as(
        &self,
        directory: StoreDirectory,
        name: String,
    ) -> Result<(String, String), ApiError> {
        let content = self.sent(directory, &name)?;
        Ok((name, content))
    }

    /// A file of the coordinator's, as it goes to another pool: line by line (quirk Q16).
    pub(in crate::xapi) fn sent(
        &self,
        directory: StoreDirectory,
        name: &str,
    ) -> Result<String, ApiError> {
        let mut content = self.coordinator().root().read(&directory.file(name))?;
        if self.quirks().has(Quirk::MemberCopyDropsNewline) {
            drop_newline(&mut content);
        }
        Ok(String::from_utf8_lossy(&content).into_owned())
    }
}

impl OnHost<'_> {
    /// Adds files to a directory, in the place of those that have their names, and renews what is
    /// made of them.
    pub(in crate::xapi) fn merge(
        &self,
        directory: StoreDirectory,
        files: &[(String, String)],
    ) -> Result<(), ApiError> {
        let store = self.host.trust_store();
        let mut merged: Files = store.files(directory)?;
        for (name, text) in files {
            merged.insert(name.clone(), text.clone().into_bytes());
        }
        store
            .replace(directory, &merged, &self.trail)
            .map_err(|_| ApiError::internal("write_certs_fs: failed to write certs"))?;
        store.renew_bundles(&self.trail)?;
        store.rehash_all()?;
        Ok(())
    }
}
