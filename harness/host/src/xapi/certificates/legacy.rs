//! Legacy CAs and revocation lists: files whose names the caller chooses (xapi-flows.md §§4.3,
//! 4.4).

use ground::Trail;

use super::Checked;
use crate::{
    ApiError, Certificate, CertificateType, Quirk, certificate::ParsedCertificate,
    trust_store::StoreDirectory, xapi::Pool,
};

/// A store of files with chosen names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::xapi) enum NamedStore {
    Crl,
    LegacyCa,
}

impl NamedStore {
    /// What the codes of its failures begin with.
    const fn code(self) -> &'static str {
        match self {
            Self::Crl => "CRL",
            Self::LegacyCa => "CERTIFICATE",
        }
    }

    const fn directory(self) -> StoreDirectory {
        match self {
            Self::Crl => StoreDirectory::Crl,
            Self::LegacyCa => StoreDirectory::LegacyCa,
        }
    }

    fn error(self, trouble: &str, name: &str) -> ApiError {
        ApiError::new(format!("{}_{trouble}", self.code()), [name])
    }
}

impl Pool {
    /// `pool.install_ca_certificate`, and under its older name `pool.certificate_install`. The row
    /// comes last.
    pub(in crate::xapi) fn install_ca_certificate(
        &self,
        name: &str,
        text: &str,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let store = NamedStore::LegacyCa;
        if !self.quirks().has(Quirk::CaInstallChecksNameLate) {
            self.check_stored_name(store, name)?;
        }
        let certificate = self.check_certificate(text, Checked::LegacyCa)?;
        self.install_named(store, name, &certificate.pem, trail)?;
        self.add_legacy_row(name, &certificate, trail)
    }

    /// `pool.uninstall_ca_certificate`, and without force `pool.certificate_uninstall`.
    pub(in crate::xapi) fn uninstall_ca_certificate(
        &self,
        name: &str,
        force: bool,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        self.uninstall_named(NamedStore::LegacyCa, name, force, trail)?;
        let trail = self.coordinator_at_work(trail).trail;
        let removed = self.database().change(&trail, |draft| {
            let rows = &mut draft.records.certificates;
            let before = rows.len();
            rows.retain(|row| !is_legacy(row, name));
            before - rows.len()
        })?;
        if removed == 0 {
            return Err(ApiError::new("INVALID_VALUE", ["certificate:name", name]));
        }
        Ok(())
    }

    /// `pool.crl_install`. What the list says is not looked at.
    pub(in crate::xapi) fn crl_install(
        &self,
        name: &str,
        text: &str,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        self.install_named(NamedStore::Crl, name, text, trail)
    }

    /// `pool.crl_uninstall`.
    pub(in crate::xapi) fn crl_uninstall(&self, name: &str, trail: &Trail) -> Result<(), ApiError> {
        self.uninstall_named(NamedStore::Crl, name, false, trail)
    }

    /// `pool.certificate_list` and `pool.crl_list`: the regular files of the directory.
    pub(in crate::xapi) fn list_named(&self, store: NamedStore) -> Result<Vec<String>, ApiError> {
        Ok(self.coordinator().trust_store().names(store.directory())?)
    }

    /// A row for a legacy CA; earlier ones of that name go.
    pub(in crate::xapi) fn add_legacy_row(
        &self,
        name: &str,
        certificate: &ParsedCertificate,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let trail = self.coordinator_at_work(trail).trail;
        self.database().change(&trail, |draft| {
            let identity = draft.identity();
            let row = certificate.row(CertificateType::Ca, identity);
            let rows = &mut draft.records.certificates;
            rows.retain(|row| !is_legacy(row, name));
            rows.push(Certificate { name: name.to_owned(), ..row });
        })?;
        Ok(())
    }

    /// Writes a file and copies it to all. If the copy fails, the coordinator's file goes again, as
    /// far as that can be done; members that have it keep it until the next copy.
    fn install_named(
        &self,
        store: NamedStore,
        name: &str,
        text: &str,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        self.check_stored_name(store, name)?;
        let coordinator = self.coordinator_at_work(trail);
        let (files, directory) = (coordinator.host.trust_store(), store.directory());
        match files.add(directory, name, text.as_bytes(), &coordinator.trail) {
            Ok(true) => {}
            Ok(false) => return Err(store.error("ALREADY_EXISTS", name)),
            Err(_) => return Err(ApiError::bare("CERTIFICATE_LIBRARY_CORRUPT")),
        }
        self.copy_to_all(trail).inspect_err(|_| {
            let _ = files.remove(directory, name, &coordinator.trail);
        })
    }

    fn uninstall_named(
        &self,
        store: NamedStore,
        name: &str,
        force: bool,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        self.check_stored_name(store, name)?;
        let coordinator = self.coordinator_at_work(trail);
        let (files, directory) = (coordinator.host.trust_store(), store.directory());
        let corrupt = |_| store.error("CORRUPT", name);
        if files.has(directory, name).map_err(corrupt)? {
            files.remove(directory, name, &coordinator.trail).map_err(corrupt)?;
        } else if !force {
            return Err(store.error("DOES_NOT_EXIST", name));
        }
        self.copy_to_all(trail)
    }

    fn check_stored_name(&self, store: NamedStore, name: &str) -> Result<(), ApiError> {
        self.check_name(name, &format!("{}_NAME_INVALID", store.code()))
    }
}

fn is_legacy(row: &Certificate, name: &str) -> bool {
    row.kind == CertificateType::Ca && row.name == name
}
