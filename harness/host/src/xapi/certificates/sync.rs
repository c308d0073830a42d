//! `pool.sync_trusted_certificates_from`: a pool that is to receive asks another for its trusted
//! certificates (xapi-flows.md §5.3).

use std::collections::BTreeSet;

use ground::Trail;
use xenapi_client::{Session, Trust, Value};

use crate::{
    ApiError, CertificateType, Quirk, Reference,
    xapi::{Pool, PoolOperation, RemotePool, on_host::OnHost, remote::from_there},
};

impl Pool {
    /// Copies the trusted certificates of this type. The references are those of the new ones. The
    /// session stays open: it is the caller's.
    pub(super) async fn sync_trusted_certificates_from(
        &self,
        remote: &RemotePool,
        ca: bool,
        trail: &Trail,
    ) -> Result<Vec<Reference>, ApiError> {
        let coordinator = self.coordinator_at_work(trail);
        let remote = RemoteSide::new(&coordinator, remote)?;
        if !self.quirks().has(Quirk::SyncFromSelfWaits)
            && remote.pool().await? == self.reference().as_str()
        {
            return Err(ApiError::new("INVALID_VALUE", ["remote_pool", &remote.address]));
        }
        let _operation = self.register(PoolOperation::CopyPrimaryHostCerts, trail).await?;
        let certificates = remote.trusted_certificates(ca).await?;
        let before = self.trusted_references();
        let mut created = Vec::new();
        let installed = self.install_all(ca, &certificates, &mut created, trail);
        if let Err(failure) = &installed {
            let undo = if !self.quirks().has(Quirk::SyncIncompleteRollback) {
                self.trusted_references().difference(&before).cloned().collect()
            } else if failure.purpose_is_unknown {
                Vec::new()
            } else {
                created.clone()
            };
            for reference in &undo {
                // Best effort: the first failure is the one to report.
                let _ = self.uninstall_trusted(reference, trail);
            }
        }
        let changed = self.certificates_changed(trail).await;
        installed.map_err(|failure| failure.error)?;
        changed?;
        Ok(created)
    }

    /// Up to the first that fails. Those that are there already are passed over.
    fn install_all(
        &self,
        ca: bool,
        certificates: &[(String, Vec<String>)],
        created: &mut Vec<Reference>,
        trail: &Trail,
    ) -> Result<(), Failure> {
        for (pem, purposes) in certificates {
            self.parse_purposes(purposes)
                .map_err(|error| Failure { error, purpose_is_unknown: true })?;
            let installed = self.import_trusted(ca, pem, purposes, trail);
            let failed = |error| Failure { error, purpose_is_unknown: false };
            created.extend(installed.map_err(failed)?);
        }
        Ok(())
    }

    fn trusted_references(&self) -> BTreeSet<Reference> {
        let rows = self.certificates().into_iter().filter(|row| row.is_trusted());
        rows.map(|row| row.reference).collect()
    }
}

/// Why an installation has failed.
struct Failure {
    error: ApiError,
    purpose_is_unknown: bool,
}

/// The pool that is asked, through the caller's session there.
struct RemoteSide<'a> {
    address: String,
    session: Session,
    trail: &'a Trail,
}

impl<'a> RemoteSide<'a> {
    /// Quirk Q20: who does not verify its own pool verifies nobody. The name never counts.
    fn new(here: &'a OnHost<'_>, remote: &RemotePool) -> Result<Self, ApiError> {
        let verifies =
            here.record()?.tls_verification_enabled || !here.has(Quirk::SyncUnverifiedWhenTlsOff);
        let trust = if verifies {
            let no_certificate = || ApiError::internal("remote_certificate is no certificate");
            Trust::leaf_of_pem(&remote.certificate).ok_or_else(no_certificate)?
        } else {
            Trust::Nothing
        };
        let client = here.client_of(&remote.address, trust)?;
        let session = client.session(remote.session.clone());
        Ok(Self { address: remote.address.clone(), session, trail: &here.trail })
    }

    /// Its reference.
    async fn pool(&self) -> Result<String, ApiError> {
        let pools = self.call("pool.get_all", &[]).await?;
        let first = pools.as_texts().and_then(|pools| pools.first().map(|pool| (*pool).to_owned()));
        first.ok_or_else(|| malformed("pool.get_all"))
    }

    /// All its trusted certificates of this type, with what they are for.
    async fn trusted_certificates(&self, ca: bool) -> Result<Vec<(String, Vec<String>)>, ApiError> {
        const LIST: &str = "Certificate.get_all_records_where";
        const EXCHANGE: &str = "pool.exchange_trusted_certificates_on_join";
        let kind = if ca { CertificateType::Ca } else { CertificateType::Pinned };
        let wanted = format!("field \"type\" = \"{}\" and field \"name\" = \"\"", kind.name());
        let records = self.call(LIST, &[Value::Text(wanted)]).await?;
        let records = records.members().ok_or_else(|| malformed(LIST))?;
        let export = Value::texts(records.iter().map(|(reference, _)| reference));
        let (pool, import) = (Value::Text(self.pool().await?), Value::Struct(Vec::new()));
        let sent = self.call(EXCHANGE, &[pool, Value::Bool(ca), import, export]).await?;
        sent.as_sets_by_key().ok_or_else(|| malformed(EXCHANGE))
    }

    async fn call(&self, method: &str, params: &[Value]) -> Result<Value, ApiError> {
        self.session.call(method, params, self.trail).await.map_err(from_there)
    }
}

/// What another pool answers is none of the answers that the method has.
pub(in crate::xapi) fn malformed(method: &str) -> ApiError {
    ApiError::internal(format!("the other pool's answer to {method} has another form"))
}
