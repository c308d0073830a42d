//! What xapi does when it starts (xapi-flows.md §14).

use std::collections::BTreeSet;

use ground::{Actor, Trail};

use crate::{
    Circumstance, Estate, HostError, Records, SambaCommand,
    facts::{HostRestarted, XapiConfIgnored},
    xapi::{Call, Host, Pool, host_auth::AD, on_host::OnHost, plugin::PluginError},
    xapi_conf::IgnoredItem,
};

const MAJOR: u8 = 2;

impl Pool {
    /// Restarts xapi of one host: what it held in memory is gone, and it reads configuration and,
    /// on the coordinator, the database again.
    pub async fn restart(&self, name: &str, trail: &Trail) -> Result<(), HostError> {
        let host =
            self.host(name).ok_or_else(|| HostError::UnknownHost { name: name.to_owned() })?;
        let trail = trail.begin(HostRestarted { host: name.to_owned() });
        let trail = trail.of(Actor::Host(name.to_owned()));
        host.restart_process()?;
        host.trust_store().recover()?;
        if self.is_coordinator(&host) {
            self.database().reload()?;
            self.forget_sessions();
            self.tasks().forget();
            self.operations().forget();
        }
        record_ignored_items(&host, &trail);
        self.on_host(&host, &trail).start().await;
        Ok(())
    }

    /// Turns off that the hosts check each other's certificates, on all of them. Members then do not
    /// look for missing certificates when they start (§2.5).
    ///
    /// # Errors
    ///
    /// If the database cannot be written.
    pub fn disable_tls_verification(&self, trail: &Trail) -> Result<(), HostError> {
        self.database().change(trail, |draft| {
            draft.records.pool.tls_verification_enabled = false;
            for host in &mut draft.records.hosts {
                host.tls_verification_enabled = false;
            }
        })
    }

    /// Puts the pool into these circumstances, and only these, as if it had been in them for long.
    ///
    /// # Errors
    ///
    /// If the database cannot be written.
    pub fn set_circumstances(
        &self,
        circumstances: BTreeSet<Circumstance>,
        trail: &Trail,
    ) -> Result<(), HostError> {
        self.database().change(trail, |draft| {
            let Records { pool, hosts, .. } = &mut draft.records;
            pool.ha_enabled = circumstances.contains(&Circumstance::HaEnabled);
            for host in hosts {
                host.edition = Estate::edition(&circumstances).to_owned();
            }
            pool.circumstances = circumstances;
        })
    }
}

/// What the log says of the configuration that a process has just read.
pub(super) fn record_ignored_items(host: &Host, trail: &Trail) {
    for IgnoredItem { item, value } in &host.process().ignored_items {
        trail.record(XapiConfIgnored { item, value: value.clone() });
    }
}

impl OnHost<'_> {
    /// Failures of every step are ignored, as xapi does; the last step goes on by itself.
    async fn start(&self) {
        let _ = self.report_in();
        let is_member = !self.pool.is_coordinator(&self.host);
        let verified = self.pool.database().read(|records| records.pool.tls_verification_enabled);
        if is_member && verified && self.misses_certificates().unwrap_or(true) {
            // What the coordinator does for it is a call of its own.
            let host = self.host.reference().clone();
            let call = Call::HostCopyPrimaryHostCerts { host };
            let _ = self.pool.call(call, &self.trail).await;
        }
        self.begin_schedule();
        let _ = self.run_extauth_hook("xapi-start");
        let Ok(record) = self.record() else { return };
        if record.external_auth_type != AD {
            return;
        }
        {
            let _plugin = self.lock_plugin("xapi start").await;
            let _ = self.configure_winbind(&record, record.ldaps()).await;
        }
        self.schedule_ad();
    }

    /// Step 4, tried once. It comes back until it has succeeded or AD is disabled.
    pub(crate) async fn initialise_auth(&self) {
        let initialised = {
            let _plugin = self.lock_plugin("initialisation of AD").await;
            self.try_to_initialise_auth().await
        };
        match initialised {
            Ok(()) => {
                self.process.note_auth_initialised();
                let _ = self.run_extauth_hook("xapi-start");
            }
            Err(error) => self.process.note_auth_error(error.message),
        }
    }

    async fn try_to_initialise_auth(&self) -> Result<(), PluginError> {
        self.start_winbind().await?;
        self.schedule_rotation(false);
        self.wait_for_winbind().await?;
        self.run(SambaCommand::CacheFlush).await;
        let record = self.record().map_err(PluginError::generic)?;
        if let Some(name) = record.external_auth_configuration.get("netbios_name") {
            self.add_to_hosts_file(name, &record.external_auth_service_name)?;
        }
        Ok(())
    }

    /// Tells people that step 4 has not succeeded so far, and what its last error was, if there was
    /// one.
    pub(crate) fn warn_of_auth(&self) {
        let Ok(record) = self.record() else { return };
        let body = format!(
            "host_external_auth_type={}, host_external_auth_service_name={}, error={}",
            record.external_auth_type,
            record.external_auth_service_name,
            self.process.last_auth_error().as_deref().unwrap_or("timeout")
        );
        let _ = self.create_host_message("EXTAUTH_INIT_IN_HOST_FAILED", MAJOR, body);
    }
}
