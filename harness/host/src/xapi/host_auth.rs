//! `host.enable_external_auth` and `host.disable_external_auth` (xapi-flows.md §§7.2, 8).

use crate::{
    ApiError, SambaCommand,
    xapi::{
        AuthConfig,
        on_host::OnHost,
        plugin::{PluginError, Tag},
    },
};

/// The one kind of external authentication.
pub(crate) const AD: &str = "AD";

const MAJOR: u8 = 2;

impl OnHost<'_> {
    pub(crate) async fn enable_external_auth(
        &self,
        config: &AuthConfig,
        service_name: &str,
        auth_type: &str,
    ) -> Result<(), ApiError> {
        let _host = self.lock_extauth("host.enable_external_auth").await;
        let record = self.record()?;
        if !record.external_auth_type.is_empty() {
            return Err(ApiError::new(
                "AUTH_ALREADY_ENABLED",
                [record.external_auth_type, record.external_auth_service_name],
            ));
        }
        if auth_type != AD {
            return Err(ApiError::new("AUTH_UNKNOWN_TYPE", [auth_type]));
        }
        let enabled = self.enable_steps(config, service_name).await;
        if enabled.is_err() {
            self.change_record(|host| {
                host.external_auth_type.clone_from(&record.external_auth_type);
                host.external_auth_service_name.clone_from(&record.external_auth_service_name);
            })?;
        }
        enabled
    }

    /// Steps 3–7. Whoever calls puts type and service name back if one fails.
    async fn enable_steps(&self, config: &AuthConfig, service_name: &str) -> Result<(), ApiError> {
        const FAILED: &str = "AUTH_ENABLE_FAILED";
        self.change_record(|host| host.external_auth_service_name = service_name.to_owned())?;
        let enabled = {
            let _plugin = self.lock_plugin("host.enable_external_auth").await;
            self.plugin_enable(config, service_name).await
        };
        enabled.map_err(|error| error.with_suffix(FAILED))?;
        self.change_record(|host| host.external_auth_type = AD.to_owned())?;
        self.process.note_auth_initialised();
        self.run_extauth_hook("after-extauth-enable")
            .map_err(|error| ApiError::new(FAILED, [ApiError::from(error).to_string()]))?;
        self.check_homogeneity()
    }

    pub(crate) async fn disable_external_auth(
        &self,
        config: &AuthConfig,
        force: bool,
    ) -> Result<(), ApiError> {
        let _host = self.lock_extauth("host.disable_external_auth").await;
        let record = self.record()?;
        let enabled = !record.external_auth_type.is_empty();
        if !enabled && !force {
            return Ok(());
        }
        // A failing hook does not keep a host in its domain.
        let _ = self.run_extauth_hook("before-extauth-disable");
        let left = if enabled {
            let _plugin = self.lock_plugin("host.disable_external_auth").await;
            self.plugin_disable(config, &record.external_auth_service_name).await
        } else {
            Ok(())
        };
        self.change_record(|host| {
            host.external_auth_type.clear();
            host.external_auth_service_name.clear();
        })?;
        // An initialisation that was still being tried ends with this.
        self.process.note_auth_initialised();
        self.check_homogeneity()?;
        self.run(SambaCommand::StopWinbind).await;
        left.map_err(|PluginError { message, .. }| {
            PluginError::new(Tag::Generic, message).with_suffix("AUTH_DISABLE_FAILED")
        })
    }

    /// Raises a message if this host and the coordinator differ in type or service name.
    pub(super) fn check_homogeneity(&self) -> Result<(), ApiError> {
        let own = self.record()?;
        let coordinator = self.pool.coordinator_record()?;
        let identity = |host: &crate::HostRecord| {
            (host.external_auth_type.clone(), host.external_auth_service_name.clone())
        };
        if identity(&own) == identity(&coordinator) {
            return Ok(());
        }
        let body = format!(
            "host_external_auth_type={}, host_external_auth_service_name={}, \
             master_external_auth_type={}, master_external_auth_service_name={}",
            own.external_auth_type,
            own.external_auth_service_name,
            coordinator.external_auth_type,
            coordinator.external_auth_service_name
        );
        self.create_host_message("EXTAUTH_IN_POOL_IS_NON_HOMOGENEOUS", MAJOR, body)
    }

    /// Creates a message about this host.
    pub(crate) fn create_host_message(
        &self,
        name: &str,
        priority: u8,
        body: String,
    ) -> Result<(), ApiError> {
        let obj_uuid = self.record()?.uuid;
        let timestamp = self.host.clock().now();
        self.pool.database().change(&self.trail, |draft| {
            let (reference, uuid) = draft.identity();
            draft.records.messages.push(crate::Message {
                reference,
                uuid,
                name: name.to_owned(),
                priority: priority.into(),
                class: crate::MessageClass::Host,
                obj_uuid,
                timestamp,
                body,
            });
        })?;
        Ok(())
    }
}
