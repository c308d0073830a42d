//! What pool.join looks at on either side (xapi-flows.md §12.2).

use std::collections::BTreeSet;

use crate::{
    Certificate, CertificateType, Circumstance, Estate, HostRecord, PoolOperation, Records,
    Reference,
};

/// One side: the joiner's own pool, as its database has it, or the pool to join, as it answers over
/// the wire.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) pool: PoolSide,
    /// The coordinator first.
    pub(crate) hosts: Vec<HostSide>,
    /// Legacy CAs and trusted certificates, in database order.
    pub(crate) certificates: Vec<CertificateSide>,
    pub(crate) estate: Estate,
    /// What only the joiner looks at on itself.
    pub(crate) circumstances: BTreeSet<Circumstance>,
}

#[derive(Clone, Debug)]
pub(crate) struct PoolSide {
    pub(crate) reference: Reference,
    pub(crate) ha_enabled: bool,
    pub(crate) is_applying_updates: bool,
    pub(crate) tls_verification_enabled: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct HostSide {
    pub(crate) reference: Reference,
    pub(crate) uuid: String,
    pub(crate) name_label: String,
    pub(crate) edition: String,
    pub(crate) external_auth_type: String,
    pub(crate) external_auth_service_name: String,
    pub(crate) external_auth_ldaps: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct CertificateSide {
    pub(crate) reference: Reference,
    /// Empty: it is a trusted certificate, not a legacy CA.
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) fingerprint_sha256: String,
    /// In words: a pool may know purposes that the joiner does not.
    pub(crate) purpose: BTreeSet<String>,
}

impl Side {
    /// The joiner's.
    pub(crate) fn of_records(records: &Records) -> Self {
        let Records { pool, hosts, certificates, .. } = records;
        let is_installed =
            |row: &&Certificate| matches!(row.kind, CertificateType::Ca | CertificateType::Pinned);
        let (coordinator, members): (Vec<_>, Vec<_>) =
            hosts.iter().partition(|host| host.reference == pool.master);
        Self {
            pool: PoolSide {
                reference: pool.reference.clone(),
                ha_enabled: pool.ha_enabled,
                is_applying_updates: pool
                    .current_operations
                    .values()
                    .any(|operation| *operation == PoolOperation::ApplyUpdates),
                tls_verification_enabled: pool.tls_verification_enabled,
            },
            hosts: coordinator.into_iter().chain(members).map(HostSide::of_record).collect(),
            certificates: certificates
                .iter()
                .filter(is_installed)
                .map(CertificateSide::of_record)
                .collect(),
            estate: records.estate(),
            circumstances: pool.circumstances.clone(),
        }
    }

    pub(crate) fn has(&self, circumstance: Circumstance) -> bool {
        self.circumstances.contains(&circumstance)
    }
}

impl HostSide {
    fn of_record(record: &HostRecord) -> Self {
        Self {
            reference: record.reference.clone(),
            uuid: record.uuid.to_string(),
            name_label: record.name_label.clone(),
            edition: record.edition.clone(),
            external_auth_type: record.external_auth_type.clone(),
            external_auth_service_name: record.external_auth_service_name.clone(),
            external_auth_ldaps: record.ldaps(),
        }
    }
}

impl CertificateSide {
    fn of_record(row: &Certificate) -> Self {
        Self {
            reference: row.reference.clone(),
            name: row.name.clone(),
            kind: row.kind.name().to_owned(),
            fingerprint_sha256: row.fingerprint_sha256.clone(),
            purpose: row.purpose.iter().map(ToString::to_string).collect(),
        }
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.name.is_empty()
    }
}
