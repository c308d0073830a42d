//! Trusted certificates (xapi-flows.md §§3.2, 4.1, 4.2).

use std::collections::BTreeSet;

use ground::Trail;

use super::Checked;
use crate::{
    ApiError, Certificate, CertificateType, Purpose, Quirk, Reference,
    certificate::ParsedCertificate,
    trust_store::{StoreDirectory, TrustedKind},
    xapi::{Pool, PoolOperation, host_auth::AD, on_host::OnHost},
};

impl Pool {
    /// `pool.install_trusted_certificate`.
    pub(in crate::xapi) async fn install_trusted_certificate(
        &self,
        ca: bool,
        text: &str,
        purpose: &[String],
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let purposes = self.parse_purposes(purpose)?;
        let _operation = self.register(PoolOperation::CopyPrimaryHostCerts, trail).await?;
        self.install_trusted(ca, text, purposes, trail)?;
        self.certificates_changed(trail).await
    }

    /// The steps of §4.1, for whoever has registered the operation.
    pub(in crate::xapi) fn install_trusted(
        &self,
        ca: bool,
        text: &str,
        mut purposes: Vec<Purpose>,
        trail: &Trail,
    ) -> Result<Reference, ApiError> {
        let certificate = self.check_certificate(text, Checked::Trusted)?;
        let kind = self.kind_of(ca, &purposes)?;
        if !self.quirks().has(Quirk::DuplicatePurposeSelfClash) {
            let set: BTreeSet<_> = purposes.into_iter().collect();
            purposes = set.into_iter().collect();
        }
        let record = self.create_row(kind, &certificate, &purposes, trail)?;
        let coordinator = self.coordinator_at_work(trail);
        let directories = StoreDirectory::of_purposes(kind, &purposes);
        let installed = coordinator
            .add_files(&directories, &record.file_name(), &certificate.pem)
            .and_then(|()| self.copy_to_all(trail));
        if installed.is_err() && !self.quirks().has(Quirk::InstallLeavesRow) {
            // As far as it goes: the first failure is the one to report.
            let _ = self.remove_row_and_files(&record, &coordinator);
            let _ = self.copy_to_all(trail);
        }
        installed.map(|()| record.reference)
    }

    /// `pool.uninstall_trusted_certificate`.
    pub(in crate::xapi) async fn uninstall_trusted_certificate(
        &self,
        reference: &Reference,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let _operation = self.register(PoolOperation::CopyPrimaryHostCerts, trail).await?;
        self.uninstall_trusted(reference, trail)?;
        self.certificates_changed(trail).await
    }

    /// The steps of §4.2, for whoever has registered the operation.
    pub(in crate::xapi) fn uninstall_trusted(
        &self,
        reference: &Reference,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let record = self
            .database()
            .read(|records| {
                records.certificates.iter().find(|row| row.reference == *reference).cloned()
            })
            .ok_or_else(|| ApiError::handle_invalid("certificate", reference))?;
        let legacy_passes = self.quirks().has(Quirk::UninstallAcceptsLegacy);
        let uninstallable = match record.kind {
            CertificateType::Ca => record.is_trusted() || legacy_passes,
            CertificateType::Pinned => true,
            CertificateType::Host | CertificateType::HostInternal => false,
        };
        if !uninstallable {
            return Err(ApiError::new("NOT_TRUSTED_CERTIFICATE", [reference.as_str()]));
        }
        self.remove_row_and_files(&record, &self.coordinator_at_work(trail))?;
        self.copy_to_all(trail)
    }

    /// Steps 2 and 2a of §4.1.
    fn kind_of(&self, ca: bool, purposes: &[Purpose]) -> Result<TrustedKind, ApiError> {
        if ca {
            return Ok(TrustedKind::Ca);
        }
        if purposes.is_empty() {
            return Err(ApiError::bare("CERTIFICATE_LACKS_PURPOSE"));
        }
        if purposes.contains(&Purpose::Ldaps) && !self.quirks().has(Quirk::PinnedLdapsAccepted) {
            return Err(ApiError::new("INVALID_VALUE", ["ca", "false"]));
        }
        Ok(TrustedKind::Pinned)
    }

    /// Steps 3 and 4 of §4.1: refuse a duplicate (§3.2), else create the row.
    fn create_row(
        &self,
        kind: TrustedKind,
        certificate: &ParsedCertificate,
        purposes: &[Purpose],
        trail: &Trail,
    ) -> Result<Certificate, ApiError> {
        let kind = match kind {
            TrustedKind::Ca => CertificateType::Ca,
            TrustedKind::Pinned => CertificateType::Pinned,
        };
        let purpose: BTreeSet<_> = purposes.iter().copied().collect();
        let fingerprint = &certificate.fingerprint_sha256;
        let trail = self.coordinator_at_work(trail).trail;
        self.database().change(&trail, |draft| {
            let duplicate = draft.records.certificates.iter().any(|row| {
                row.kind == kind
                    && row.fingerprint_sha256 == *fingerprint
                    && (row.purpose == purpose || !row.purpose.is_disjoint(&purpose))
            });
            if duplicate {
                return Err(ApiError::new(
                    "TRUSTED_CERTIFICATE_ALREADY_EXISTS",
                    [fingerprint.clone()],
                ));
            }
            let identity = draft.identity();
            let record = Certificate { purpose, ..certificate.row(kind, identity) };
            draft.records.certificates.push(record.clone());
            Ok(record)
        })?
    }

    fn remove_row_and_files(
        &self,
        record: &Certificate,
        coordinator: &OnHost<'_>,
    ) -> Result<(), ApiError> {
        self.database().change(&coordinator.trail, |draft| {
            draft.records.certificates.retain(|row| row.reference != record.reference);
        })?;
        let Some(kind) = trusted_kind(record.kind).filter(|_| record.is_trusted()) else {
            return Ok(());
        };
        let name = record.file_name();
        StoreDirectory::of_purposes(kind, &record.purpose)
            .into_iter()
            .try_for_each(|directory| {
                coordinator.host.trust_store().remove(directory, &name, &coordinator.trail)
            })
            .map_err(|_| ApiError::new("CERTIFICATE_CORRUPT", [name.as_str()]))
    }

    /// Without quirk Q21 every host with AD chooses its bundle anew.
    pub(super) async fn certificates_changed(&self, trail: &Trail) -> Result<(), ApiError> {
        if self.quirks().has(Quirk::SmbConfNotRefreshed) {
            return Ok(());
        }
        for host in self.hosts() {
            let record = self.host_record(host.reference())?;
            if record.external_auth_type == AD {
                let host = self.take_turn(&host, "refresh-smb-conf", trail)?;
                // A host whose winbind does not come back keeps the certificates all the same.
                let _ = host.configure_winbind(&record, record.ldaps()).await;
            }
        }
        Ok(())
    }
}

impl OnHost<'_> {
    /// Step 5 of §4.1.
    fn add_files(
        &self,
        directories: &[StoreDirectory],
        name: &str,
        pem: &str,
    ) -> Result<(), ApiError> {
        for directory in directories {
            match self.host.trust_store().add(*directory, name, pem.as_bytes(), &self.trail) {
                Ok(true) => {}
                Ok(false) => return Err(ApiError::new("CERTIFICATE_ALREADY_EXISTS", [name])),
                Err(_) => return Err(ApiError::bare("CERTIFICATE_LIBRARY_CORRUPT")),
            }
        }
        Ok(())
    }
}

/// The kind of a trusted certificate.
pub(super) fn trusted_kind(kind: CertificateType) -> Option<TrustedKind> {
    match kind {
        CertificateType::Ca => Some(TrustedKind::Ca),
        CertificateType::Pinned => Some(TrustedKind::Pinned),
        CertificateType::Host | CertificateType::HostInternal => None,
    }
}
