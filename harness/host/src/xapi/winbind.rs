//! winbind as xapi handles it: the service, its configuration, and the waits for both
//! (xapi-flows.md §§7.4, 9.3, 14, 18).
//!
//! All waits are virtual ([`ground::Clock::sleep`]), so a timeline shows them in full and no test
//! waits for them. A world stands still while a program sleeps in virtual time: a DC that was
//! silent before stays so. What needs a DC is therefore asked at the two ends of a long wait only,
//! and what winbind alone decides is asked every time.

use std::time::Duration;

use crate::{
    HostRecord, Quirk, SambaCommand, Wbinfo,
    facts::WinbindAwaited,
    xapi::{on_host::OnHost, plugin::PluginError},
};

/// Limit of the waits for winbind to answer, and the first wait; each is half as long again as the
/// last.
const READY_LIMIT: Duration = Duration::from_secs(300);
const READY_FIRST_WAIT: Duration = Duration::from_millis(100);

/// systemctl returns before a restarted service is active: first look, and the longest wait.
const FIRST_LOOK: Duration = Duration::from_millis(100);
const START_LIMIT: Duration = Duration::from_secs(5);

/// The account that every domain has.
pub(crate) const KRBTGT: &str = "KRBTGT";

/// The service could not be started or restarted (`Systemctl_fail` of xapi).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ServiceFailed;

impl From<ServiceFailed> for PluginError {
    fn from(_: ServiceFailed) -> Self {
        Self::generic("the service winbind could not be started")
    }
}

impl OnHost<'_> {
    /// Writes smb.conf from the record, but with this `ldaps` value, restarts winbind without
    /// waiting for the service, and waits until it answers.
    ///
    /// Older releases did not store the two names that the file needs. They are repaired first, in
    /// the database as well; a failure of that leaves the file alone.
    pub(crate) async fn configure_winbind(
        &self,
        record: &HostRecord,
        ldaps: bool,
    ) -> Result<(), PluginError> {
        let (workgroup, netbios_name) = self.repaired_names(record).await?;
        self.write_joined(&record.external_auth_service_name, &workgroup, &netbios_name, ldaps)?;
        if !self.run(SambaCommand::RestartWinbind).await.succeeded() {
            return Err(ServiceFailed.into());
        }
        self.wait_for_winbind().await
    }

    /// Restarts the service and waits until it is active.
    ///
    /// The released toolstack looks once, 0.1 s after the restart, and then waits 5 s for what it
    /// has seen to change (quirk Q28).
    pub(crate) async fn restart_winbind(&self) -> Result<(), ServiceFailed> {
        if !self.run(SambaCommand::RestartWinbind).await.succeeded() {
            return Err(ServiceFailed);
        }
        self.host.clock().sleep(FIRST_LOOK).await;
        self.wait_until_active().await
    }

    /// Starts the service unless it is active, and waits until it is.
    pub(crate) async fn start_winbind(&self) -> Result<(), ServiceFailed> {
        if self.run(SambaCommand::WinbindIsActive).await.succeeded() {
            return Ok(());
        }
        if !self.run(SambaCommand::StartWinbind).await.succeeded() {
            return Err(ServiceFailed);
        }
        self.wait_until_active().await
    }

    /// Waits until `wbinfo -n KRBTGT` works, at most 300 s in growing waits.
    pub(crate) async fn wait_for_winbind(&self) -> Result<(), PluginError> {
        let question = || SambaCommand::Wbinfo(Wbinfo::NameToSid { name: KRBTGT.to_owned() });
        let clock = self.host.clock();
        let mut waits = growing_waits(READY_LIMIT);
        let ready = loop {
            let output = self.run(question()).await;
            if output.succeeded() {
                break true;
            }
            let Some(wait) = waits.next() else { break false };
            clock.sleep(wait).await;
            if !clock.is_system() && !output.stderr.contains("WINBIND_NOT_AVAILABLE") {
                clock.sleep(waits.by_ref().sum()).await;
            }
        };
        self.trail.record(WinbindAwaited { ready });
        if ready { Ok(()) } else { Err(PluginError::generic("winbind is not ready after 300 s")) }
    }

    /// Where only the first look counts (Q28), the rest of the 5 s passes in vain.
    async fn wait_until_active(&self) -> Result<(), ServiceFailed> {
        let mut waits = growing_waits(START_LIMIT);
        loop {
            if self.run(SambaCommand::WinbindIsActive).await.succeeded() {
                return Ok(());
            }
            let wait = if self.has(Quirk::SystemctlStateSampledOnce) {
                self.host.clock().sleep(waits.sum()).await;
                return Err(ServiceFailed);
            } else {
                waits.next().ok_or(ServiceFailed)?
            };
            self.host.clock().sleep(wait).await;
        }
    }

    /// Workgroup and NetBIOS name, put into the database if they were missing.
    async fn repaired_names(&self, record: &HostRecord) -> Result<(String, String), PluginError> {
        let stored = |key| record.external_auth_configuration.get(key).cloned();
        let netbios_name = match stored("netbios_name") {
            Some(name) => name,
            None => {
                let name = record.hostname.to_uppercase();
                self.store_name("netbios_name", &name)?;
                name
            }
        };
        let workgroup = match stored("workgroup") {
            Some(name) => name,
            None => {
                let name = self.workgroup(&record.external_auth_service_name).await?;
                self.store_name("workgroup", &name)?;
                name
            }
        };
        Ok((workgroup, netbios_name))
    }

    fn store_name(&self, key: &str, name: &str) -> Result<(), PluginError> {
        let (key, name) = (key.to_owned(), name.to_owned());
        Ok(self.change_record(|host| {
            host.external_auth_configuration.insert(key, name);
        })?)
    }
}

/// The waits of xapi's retries: until what has been waited passes the limit.
fn growing_waits(limit: Duration) -> impl Iterator<Item = Duration> {
    let mut wait = READY_FIRST_WAIT;
    let mut waited = Duration::ZERO;
    std::iter::from_fn(move || {
        (waited <= limit).then(|| {
            let this = wait;
            waited += this;
            wait += this / 2;
            this
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_by_half_until_the_limit_is_passed() {
        let waits: Vec<_> = growing_waits(READY_LIMIT).collect();
        assert_eq!(waits[..3], [100, 150, 225].map(Duration::from_millis));
        let total: Duration = waits.iter().sum();
        assert!(total > READY_LIMIT && total - waits[waits.len() - 1] <= READY_LIMIT);
        assert_eq!(waits.len(), 19);
    }
}
