//! `pool.enable_external_auth` and `pool.disable_external_auth` (xapi-flows.md §§7.1, 7.3, 8).

use std::collections::BTreeSet;

use ground::Trail;

use crate::{
    ApiError, Quirk, Reference,
    xapi::{AuthConfig, Call, Pool, on_host::OnHost},
};

const ENABLE_FAILED: &str = "AUTH_ENABLE_FAILED";
const DISABLE_FAILED: &str = "AUTH_DISABLE_FAILED";

impl Pool {
    /// Enables every host, coordinator first; if one fails, disables those done so far.
    pub(super) async fn enable_external_auth(
        &self,
        config: &AuthConfig,
        service_name: &str,
        auth_type: &str,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let _pool = self.lock_extauth("pool.enable_external_auth", trail).await;
        self.check_before_enable(config)?;
        let mut visited = Vec::new();
        for host in self.hosts() {
            let host = host.reference().clone();
            visited.push(host.clone());
            let call = Call::HostEnableExternalAuth {
                host: host.clone(),
                config: config.clone(),
                service_name: service_name.to_owned(),
                auth_type: auth_type.to_owned(),
            };
            if let Err(error) = self.call_host(call, trail).await {
                for host in visited {
                    let call = Call::HostDisableExternalAuth {
                        host,
                        config: config.clone(),
                        force: false,
                    };
                    // Ignored by xapi; the result is in the ledger.
                    let _ = self.call_host(call, trail).await;
                }
                return Err(self.pool_enable_error(&host, error));
            }
        }
        self.revalidate_subjects(trail).await
    }

    /// Disables every host, whatever the others say, and reports the first failure.
    pub(super) async fn disable_external_auth(
        &self,
        config: &AuthConfig,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let _pool = self.lock_extauth("pool.disable_external_auth", trail).await;
        let mut first = Ok(());
        for host in self.hosts() {
            let call = Call::HostDisableExternalAuth {
                host: host.reference().clone(),
                config: config.clone(),
                force: false,
            };
            let disabled = self.call_host(call, trail).await.map(drop);
            first = first.and(disabled.map_err(|error| {
                let name = host.name();
                let (code, message) = if error.code.starts_with(DISABLE_FAILED) {
                    (format!("POOL_{}", error.code), error.params.join("; "))
                } else {
                    (format!("POOL_{DISABLE_FAILED}"), error.to_string())
                };
                ApiError::new(code, [host.reference().to_string(), format!("{name}: {message}")])
            }));
        }
        if first.is_ok() || !self.quirks().has(Quirk::PartialDisableKeepsSessions) {
            self.login_cache().clear();
            self.revalidate_sessions(trail).await;
        }
        first
    }

    /// Compares every member with the coordinator; each that differs gets a message. Nobody is
    /// called: the coordinator reads its database.
    pub(super) async fn detect_nonhomogeneous_external_auth(
        &self,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let _pool = self.lock_extauth("pool.detect_nonhomogeneous_external_auth", trail).await;
        for host in self.hosts() {
            let (process, trail) = (host.process(), trail.clone());
            OnHost { pool: self, host, process, trail }.check_homogeneity()?;
        }
        Ok(())
    }

    /// Steps 1 and 2, and the names that cannot be shared (quirk Q39).
    fn check_before_enable(&self, config: &AuthConfig) -> Result<(), ApiError> {
        let coordinator = self.coordinator().reference().to_string();
        let mut names = BTreeSet::new();
        let mut duplicate = None;
        for host in self.hosts() {
            let record = self.host_record(host.reference())?;
            if !record.external_auth_type.is_empty() {
                let host = record.reference.to_string();
                return Err(ApiError::new("POOL_AUTH_ALREADY_ENABLED", [host]));
            }
            if !names.insert(record.hostname.clone()) {
                duplicate.get_or_insert(record.hostname);
            }
        }
        if let Some(name) = duplicate {
            return Err(ApiError::new(
                "POOL_AUTH_ENABLE_FAILED_DUPLICATE_HOSTNAME",
                [coordinator, format!("two hosts are called `{name}`")],
            ));
        }
        let own_name = ["netbios-name", "dns-hostname"].into_iter().find(|key| {
            names.len() > 1
                && config.value(key).is_some()
                && !self.quirks().has(Quirk::PerHostNamesShared)
        });
        own_name.map_or(Ok(()), |key| {
            let message = format!("`{key}` would give every host of the pool the same name");
            Err(ApiError::new("POOL_AUTH_ENABLE_FAILED", [coordinator, message]))
        })
    }

    /// §7.3.
    fn pool_enable_error(&self, host: &Reference, error: ApiError) -> ApiError {
        let host = host.to_string();
        if error.code == "AUTH_UNKNOWN_TYPE" {
            return error;
        }
        let single = self.quirks().has(Quirk::PoolEnableSingleParamOnly);
        match error.params.as_slice() {
            [message] if error.code.starts_with(ENABLE_FAILED) => {
                ApiError::new(format!("POOL_{}", error.code), [host, message.clone()])
            }
            _ if error.code == "AUTH_ALREADY_ENABLED" && !single => {
                ApiError::new("POOL_AUTH_ALREADY_ENABLED", [host])
            }
            _ => ApiError::new(format!("POOL_{ENABLE_FAILED}"), [host, error.to_string()]),
        }
    }
}
