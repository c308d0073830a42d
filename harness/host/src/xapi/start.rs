//! What xapi does when it starts (xapi-flows.md §14).

use ground::{Actor, Trail};

use crate::{
    HostError, HostRecord, SambaCommand,
    facts::{HookRan, HostRestarted},
    xapi::{Pool, host_auth::AD, on_host::OnHost, plugin::PluginError},
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
        if host.reference() == self.coordinator().reference() {
            self.database().reload()?;
            self.sessions().close(|_| true);
        }
        let on_host = OnHost { pool: self, host: &host, process: host.process(), trail };
        on_host.start().await;
        Ok(())
    }
}

impl OnHost<'_> {
    /// Failures of every step are ignored, as xapi does; those of the last lead to a message.
    async fn start(&self) {
        let is_member = self.host.reference() != self.pool.coordinator().reference();
        let verified = self.pool.database().read(|records| records.pool.tls_verification_enabled);
        if is_member && verified && self.misses_certificates().unwrap_or(true) {
            let _ = self.receive_copy();
        }
        self.trail.record(HookRan { reason: "xapi-start" });
        let Ok(record) = self.record() else { return };
        if record.external_auth_type != AD {
            return;
        }
        let _plugin = self.lock_plugin("xapi start").await;
        let record = self.repair_names(record).await;
        if self.write_from_record(&record, record.ldaps()).is_ok() {
            let _ = self.restart_winbind_until_ready().await;
        }
        if let Err(error) = self.initialise_auth(&record).await {
            let body = format!(
                "host_external_auth_type={}, host_external_auth_service_name={}, error={}",
                record.external_auth_type, record.external_auth_service_name, error.message
            );
            let _ = self.create_host_message("EXTAUTH_INIT_IN_HOST_FAILED", MAJOR, body);
        }
    }

    /// Older releases did not store the two names.
    async fn repair_names(&self, mut record: HostRecord) -> HostRecord {
        let configuration = &mut record.external_auth_configuration;
        let mut repaired = false;
        if !configuration.contains_key("netbios_name")
            && let Ok(name) = self.default_netbios_name()
        {
            configuration.insert("netbios_name".to_owned(), name);
            repaired = true;
        }
        if !configuration.contains_key("workgroup")
            && let Ok(name) = self.workgroup(&record.external_auth_service_name).await
        {
            configuration.insert("workgroup".to_owned(), name);
            repaired = true;
        }
        if repaired {
            let configuration = record.external_auth_configuration.clone();
            let _ = self.change_record(|host| host.external_auth_configuration = configuration);
        }
        record
    }

    /// Step 4, tried once: it comes back every 300 s with the periodic tasks.
    async fn initialise_auth(&self, record: &HostRecord) -> Result<(), PluginError> {
        self.wait_for_winbind().await?;
        self.run(SambaCommand::CacheFlush).await;
        self.add_to_hosts_file(&record.external_auth_service_name)
    }
}
