//! `pool.download_trusted_certificate(s)`, which design-v1 has and the released toolstack does not
//! (xapi-flows.md §5.1).

use crate::{
    ApiError, Certificate, DownloadVariant, Reference,
    trust_store::StoreDirectory,
    xapi::{Pool, Wanted, certificates::trusted::trusted_kind},
};

impl Pool {
    /// D1: the content of one trusted certificate.
    pub(super) fn download_trusted_certificate(
        &self,
        certificate: &Reference,
    ) -> Result<String, ApiError> {
        let row = self.certificate_row(certificate)?;
        if !row.is_trusted() {
            return Err(not_trusted(certificate));
        }
        self.content_of(&row)
    }

    /// D2: the contents of these, in the same order and number. D3: of all that have the purpose.
    /// A pool has one of the two, whose parameter it cannot take for that of the other.
    pub(super) fn download_trusted_certificates(
        &self,
        wanted: &Wanted,
    ) -> Result<Vec<String>, ApiError> {
        match (self.download_variant(), wanted) {
            (DownloadVariant::D3, Wanted::Purpose(purpose)) => {
                let purpose = self.parse_purpose(purpose)?;
                let rows = self.certificates();
                let having = rows.iter().filter(|row| row.is_trusted());
                let having = having.filter(|row| row.purpose.contains(&purpose));
                having.map(|row| self.content_of(row)).collect()
            }
            (DownloadVariant::D3, Wanted::Certificates(_)) => {
                Err(ApiError::internal("parameter 2 after the session is no purpose"))
            }
            (_, Wanted::Certificates(certificates)) => {
                certificates.iter().map(|one| self.download_trusted_certificate(one)).collect()
            }
            (_, Wanted::Purpose(_)) => {
                Err(ApiError::internal("parameter 2 after the session is no set of references"))
            }
        }
    }

    /// A row of the class `Certificate`.
    pub(super) fn certificate_row(&self, reference: &Reference) -> Result<Certificate, ApiError> {
        self.database()
            .read(|records| {
                records.certificates.iter().find(|row| row.reference == *reference).cloned()
            })
            .ok_or_else(|| ApiError::handle_invalid("Certificate", reference))
    }

    /// What the coordinator's file of a trusted certificate holds. One with several purposes has a
    /// file for each, all alike.
    pub(super) fn content_of(&self, row: &Certificate) -> Result<String, ApiError> {
        let directories = trusted_kind(row.kind)
            .map(|kind| StoreDirectory::of_purposes(kind, &row.purpose))
            .unwrap_or_default();
        let directory = directories.first().ok_or_else(|| not_trusted(&row.reference))?;
        self.sent(*directory, &row.file_name())
    }
}

pub(super) fn not_trusted(certificate: &Reference) -> ApiError {
    ApiError::new("NOT_TRUSTED_CERTIFICATE", [certificate.as_str()])
}
