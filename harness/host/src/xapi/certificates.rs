//! Calls that change the trusted certificates (xapi-flows.md §§2.3, 2.5, 3.2, 4.1, 4.2, 4.5).

use std::collections::BTreeSet;

use ground::{Timestamp, Trail};

use crate::{
    ApiError, Certificate, CertificateType, HostError, Purpose, Quirk, Reference,
    certificate::TrustedCertificate,
    trust_store::{StoreDirectory, TrustedKind},
    xapi::{Pool, host_auth::AD, on_host::OnHost},
};

impl Pool {
    pub(super) async fn install_trusted_certificate(
        &self,
        ca: bool,
        text: &str,
        purpose: &[String],
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let mut purposes = purpose
            .iter()
            .map(|word| word.parse::<Purpose>())
            .collect::<Result<Vec<_>, _>>()
            .map_err(ApiError::internal)?;
        let _operation = self.lock_certificates().await;
        let certificate = self.check_certificate(text)?;
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
            let _ = self.remove_row_and_files(&record, &coordinator).map(|()| {
                let _ = self.copy_to_all(trail);
            });
        }
        installed?;
        self.certificates_changed(trail).await
    }

    pub(super) async fn uninstall_trusted_certificate(
        &self,
        reference: &Reference,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let _operation = self.lock_certificates().await;
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
        self.copy_to_all(trail)?;
        self.certificates_changed(trail).await
    }

    /// `pool.certificate_sync`.
    pub(super) async fn certificate_sync(&self, trail: &Trail) -> Result<(), ApiError> {
        self.copy_to_all(trail)?;
        for host in self.hosts_in_order() {
            self.take_turn(host, "sync-certificates", trail)?.certificate_sync()?;
        }
        Ok(())
    }

    /// Copies every directory of the coordinator to all members (§2.3). Every member is tried;
    /// the first failure is raised at the end.
    fn copy_to_all(&self, trail: &Trail) -> Result<(), ApiError> {
        let members = self.hosts_in_order().into_iter().skip(1);
        let outcomes: Vec<_> = members
            .map(|member| self.take_turn(member, "copy-certificates", trail)?.receive_copy())
            .collect();
        outcomes.into_iter().collect()
    }

    /// §3.1.
    fn check_certificate(&self, text: &str) -> Result<TrustedCertificate, ApiError> {
        let keep_all = self.quirks().has(Quirk::PemExtraBlocksKept);
        let certificate = TrustedCertificate::from_pem(text, keep_all)
            .ok_or_else(|| ApiError::bare("TRUSTED_CERTIFICATE_INVALID"))?;
        let now = self.coordinator().clock().now();
        let out_of_time = |code: &str, limit: Timestamp| {
            let whole = |time: Timestamp| Timestamp::from_unix(time.unix()).to_string();
            Err(ApiError::new(code, [whole(now), whole(limit)]))
        };
        if now < certificate.not_before {
            return out_of_time("TRUSTED_CERTIFICATE_NOT_VALID_YET", certificate.not_before);
        }
        if now > certificate.not_after {
            return out_of_time("TRUSTED_CERTIFICATE_EXPIRED", certificate.not_after);
        }
        Ok(certificate)
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
        certificate: &TrustedCertificate,
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
            let (reference, uuid) = draft.identity();
            let record = Certificate {
                reference,
                uuid,
                name: String::new(),
                kind,
                host: Reference::null(),
                not_before: certificate.not_before,
                not_after: certificate.not_after,
                fingerprint_sha256: fingerprint.clone(),
                fingerprint_sha1: certificate.fingerprint_sha1.clone(),
                purpose,
            };
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
    async fn certificates_changed(&self, trail: &Trail) -> Result<(), ApiError> {
        if self.quirks().has(Quirk::SmbConfNotRefreshed) {
            return Ok(());
        }
        for host in self.hosts_in_order() {
            let record = self.host_record(host.reference())?;
            if record.external_auth_type == AD {
                let host = self.take_turn(host, "refresh-smb-conf", trail)?;
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

    /// Takes a copy of all the coordinator's directories.
    pub(super) fn receive_copy(&self) -> Result<(), ApiError> {
        let source = self.pool.coordinator().trust_store();
        let store = self.host.trust_store();
        for directory in StoreDirectory::ALL {
            let mut files = source.files(directory)?;
            if self.has(Quirk::MemberCopyDropsNewline) {
                for content in files.values_mut() {
                    if content.last() == Some(&b'\n') {
                        content.pop();
                    }
                }
            }
            store.replace(directory, &files, &self.trail)?;
        }
        self.certificate_sync()?;
        Ok(())
    }

    /// `host.certificate_sync`, which clients cannot call: missing directories are created,
    /// bundles renewed, empty ones dropped.
    fn certificate_sync(&self) -> Result<(), HostError> {
        let store = self.host.trust_store();
        store.create_directories()?;
        store.renew_bundles(&self.trail)
    }

    /// Whether the host lacks a certificate that the database names (§2.5). The pool-internal
    /// certificates are not part of the question until hosts have them.
    pub(super) fn misses_certificates(&self) -> Result<bool, ApiError> {
        let rows = self.pool.database().read(|records| records.certificates.clone());
        let store = self.host.trust_store();
        for row in rows {
            let Some(kind) = trusted_kind(row.kind) else { continue };
            let legacy = kind == TrustedKind::Ca
                && (!row.is_trusted() || self.has(Quirk::MissingCertsAlways));
            if legacy && (row.name.is_empty() || !store.has(StoreDirectory::LegacyCa, &row.name)?) {
                return Ok(true);
            }
            let directories = StoreDirectory::of_purposes(kind, &row.purpose);
            for directory in directories.into_iter().filter(|_| row.is_trusted()) {
                if !store.has(directory, &row.file_name())? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

fn trusted_kind(kind: CertificateType) -> Option<TrustedKind> {
    match kind {
        CertificateType::Ca => Some(TrustedKind::Ca),
        CertificateType::Pinned => Some(TrustedKind::Pinned),
        CertificateType::Host | CertificateType::HostInternal => None,
    }
}
