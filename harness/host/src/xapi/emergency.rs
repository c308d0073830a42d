//! What a host is that belongs to a pool without a record of it (xen-api, the emergency mode of
//! xapi.ml).
//!
//! Its files make it a member, and its coordinator says that it does not know it. Its xapi runs,
//! but does nothing by itself and ends every call with one error. The database of the pool that it
//! was the only host of stays on its disk: when `pool.conf` says `master` again, that pool goes on.

use std::sync::{Mutex, MutexGuard, PoisonError};

use ground::Trail;

use crate::{
    ApiError, HostError,
    facts::{HostRestarted, HostStranded},
    xapi::{Host, Pool},
};

/// The error that every call ends with, while there is one.
#[derive(Debug, Default)]
pub(super) struct Emergency(Mutex<Option<ApiError>>);

impl Emergency {
    fn lock(&self) -> MutexGuard<'_, Option<ApiError>> {
        // Consistent after every statement under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// What every call ends with while the only host of this pool belongs to another one that does
    /// not know it.
    pub fn emergency(&self) -> Option<ApiError> {
        self.emergency.lock().clone()
    }

    pub(super) fn refuse_in_emergency(&self) -> Result<(), ApiError> {
        self.emergency().map_or(Ok(()), Err)
    }

    /// xapi of the only host starts, and `asked`, to which its files send it, does not know it: the pool
    /// that it coordinates has no record of the host, or it is in another pool by now and does not take
    /// the secret of this one (`attempt_host_status_check_with_coordinator` of xapi.ml).
    pub(super) fn enter_emergency(
        &self,
        unaware: &Self,
        asked: &Host,
        trail: &Trail,
    ) -> Result<(), HostError> {
        let host = self.coordinator();
        let uuid = host.machine().uuid()?;
        host.restart_process()?;
        self.forget_sessions();
        self.tasks.forget();
        self.operations.forget();
        let error = ApiError::new("HOST_UNKNOWN_TO_MASTER", [uuid]);
        trail.record(HostRestarted { host: host.name().to_owned() });
        let home =
            "write `master` to its pool.conf so that its former pool goes on; then restart it";
        let remedy = if unaware.is_coordinator(asked) {
            format!("`host.create` there with the uuid {uuid}, or {home}")
        } else {
            home.to_owned()
        };
        trail.record(HostStranded {
            host: host.name().to_owned(),
            coordinator: asked.name().to_owned(),
            pool: unaware.name(),
            error: error.code.clone(),
            remedy,
        });
        *self.emergency.lock() = Some(error);
        Ok(())
    }

    /// The host is the coordinator of this pool again.
    pub(super) fn leave_emergency(&self) {
        *self.emergency.lock() = None;
    }
}
