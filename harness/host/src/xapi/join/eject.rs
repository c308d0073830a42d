//! `pool.eject` (xapi-flows.md §13; xen-api, `eject` of xapi_pool.ml).

use ground::Trail;

use crate::{
    ApiError, Reference,
    trust_store::StoreDirectory,
    xapi::{AuthConfig, Pool, PoolOperation, machine::Membership, on_host::OnHost},
};

impl Pool {
    /// A member leaves. It ends as a pool of its own, without anything of this one.
    pub(in crate::xapi) async fn eject(
        &self,
        reference: &Reference,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let host = self
            .hosts()
            .into_iter()
            .find(|known| known.reference() == reference)
            .ok_or_else(|| ApiError::handle_invalid("host", reference))?;
        let _operation = self.register(PoolOperation::Eject, trail).await?;
        if self.database_view().pool.ha_enabled {
            return Err(ApiError::bare("HA_IS_ENABLED"));
        }
        if self.is_coordinator(&host) {
            return Err(ApiError::internal("Xapi_pool.Cannot_eject_master"));
        }
        let leaving = self.take_turn(&host, "leave", trail)?;
        let file = format!("{}.pem", self.host_record(reference)?.uuid);
        let rig = self.rig().ok_or_else(|| ApiError::internal("the host stands alone"))?;
        leaving.leave().await?;
        for member in self.hosts().into_iter().skip(1) {
            if member.reference() != reference {
                // A member that is away keeps the file until its next copy.
                let _ = self
                    .take_turn(&member, "forget-host", trail)
                    .and_then(|member| member.remove_pool_internal(&file));
            }
        }
        self.coordinator_at_work(trail).remove_pool_internal(&file)?;
        self.forget_records_of(reference, trail)?;
        Ok(rig.restart(host.name(), &leaving.trail).await?)
    }

    /// The host's record and its identity certificates go. Trusted certificates are the pool's.
    fn forget_records_of(&self, host: &Reference, trail: &Trail) -> Result<(), ApiError> {
        let trail = self.coordinator_at_work(trail).trail;
        self.database().change(&trail, |draft| {
            draft.records.certificates.retain(|row| row.host != *host);
            draft.records.hosts.retain(|record| record.reference != *host);
        })?;
        Ok(())
    }
}

impl OnHost<'_> {
    /// What the ejected host does before it restarts.
    async fn leave(&self) -> Result<(), ApiError> {
        // Without credentials the machine account stays. Failures do not keep the host.
        let _ = self.disable_external_auth(&AuthConfig::default(), false).await;
        let machine = self.host.machine();
        machine.set_membership(Membership::Coordinator)?;
        machine.forget_pool_secret()?;
        let store = self.host.trust_store();
        for directory in StoreDirectory::ALL {
            if directory != StoreDirectory::PoolInternal {
                for name in store.names(directory)? {
                    store.remove(directory, &name, &self.trail)?;
                }
            }
        }
        Ok(())
    }

    fn remove_pool_internal(&self, file: &str) -> Result<(), ApiError> {
        Ok(self.host.trust_store().remove(StoreDirectory::PoolInternal, file, &self.trail)?)
    }
}
