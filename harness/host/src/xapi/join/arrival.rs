//! What the coordinator, and then the host itself, does about a host that has come in.

use ground::Trail;
use uuid::Uuid;

use crate::{
    ApiError, AuthConfig, Certificate, HostRecord, Reference,
    identity::Identity,
    xapi::{Pool, on_host::OnHost},
};

/// Parameters of `host.create`, as far as they are modelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCreation {
    /// Uuid of the host.
    pub uuid: String,
    /// Name for people.
    pub name_label: String,
    /// Description for people.
    pub name_description: String,
    /// Host name.
    pub hostname: String,
    /// Management address.
    pub address: String,
    /// Empty, or `AD`.
    pub external_auth_type: String,
    /// The domain.
    pub external_auth_service_name: String,
    /// Keys of xapi-flows.md §1.3.
    pub external_auth_configuration: AuthConfig,
    /// Name of its licence.
    pub edition: String,
}

impl Pool {
    /// `host.create`: the record of a host that is about to come in (xen-api, `Xapi_host.create`).
    pub(in crate::xapi) fn create_host(
        &self,
        creation: &HostCreation,
        trail: &Trail,
    ) -> Result<Reference, ApiError> {
        let uuid: Uuid = creation
            .uuid
            .parse()
            .map_err(|_| ApiError::new("UUID_INVALID", ["host", creation.uuid.as_str()]))?;
        let trail = self.coordinator_at_work(trail).trail;
        let reference = self.database().change(&trail, |draft| {
            let known = draft.records.hosts.iter().find(|host| host.uuid == uuid);
            if let Some(host) = known {
                return host.reference.clone();
            }
            let (reference, _) = draft.identity();
            let (metrics, _) = draft.identity();
            let creation = creation.clone();
            draft.records.hosts.push(HostRecord {
                reference: reference.clone(),
                uuid,
                name_label: creation.name_label,
                hostname: creation.hostname,
                address: creation.address,
                name_description: creation.name_description,
                enabled: false,
                tls_verification_enabled: draft.records.pool.tls_verification_enabled,
                other_config: Default::default(),
                tags: Default::default(),
                edition: creation.edition,
                metrics,
                external_auth_type: creation.external_auth_type,
                external_auth_service_name: creation.external_auth_service_name,
                external_auth_configuration: creation.external_auth_configuration.0,
            });
            reference
        })?;
        Ok(reference)
    }
}

impl OnHost<'_> {
    /// The database knows the certificates that identify this host, and that it is up (xen-api,
    /// `Certificates_sync.update`).
    pub(in crate::xapi) fn report_in(&self) -> Result<(), ApiError> {
        let mut found = Vec::new();
        for own in Identity::ALL {
            if let Some(certificate) = own.read(self.host.root())? {
                found.push((own.kind(), certificate));
            }
        }
        let host = self.host.reference();
        self.pool.database().change(&self.trail, |draft| {
            for (kind, certificate) in found {
                let is_own = |row: &Certificate| row.kind == kind && row.host == *host;
                let rows = &mut draft.records.certificates;
                let fingerprint = &certificate.fingerprint_sha256;
                if rows.iter().any(|row| is_own(row) && row.fingerprint_sha256 == *fingerprint) {
                    continue;
                }
                rows.retain(|row| !is_own(row));
                let identity = draft.identity();
                let row = certificate.row(kind, identity);
                draft.records.certificates.push(Certificate { host: host.clone(), ..row });
            }
            if let Some(record) = draft.records.hosts.iter_mut().find(|h| h.reference == *host) {
                record.enabled = true;
            }
        })?;
        Ok(())
    }
}
