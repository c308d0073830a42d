//! `pool.external_auth_set_ldaps` and `host.external_auth_set_ldaps` (xapi-flows.md §9).

use ground::Trail;

use crate::{
    ApiError, Credentials, HostError, HostRecord, Profile, Quirk, Reference,
    xapi::{
        Call, Pool,
        locate::PingError,
        on_host::OnHost,
        plugin::{PluginError, SET_LDAPS_FAILED, Tag},
    },
};

/// The keys that xapi knows, but for `ldaps` itself: all that the write at the end keeps (Q32).
const KNOWN_KEYS: [&str; 6] =
    ["domain", "user", "workgroup", "netbios_name", "machine_pwd_last_change_time", "ou"];

impl Pool {
    /// Switches every host, coordinator first, or back if one fails.
    pub(super) async fn external_auth_set_ldaps(
        &self,
        ldaps: bool,
        force: Option<bool>,
        trail: &Trail,
    ) -> Result<(), ApiError> {
        let early = self.coordinator_record()?.ldaps();
        let _pool = self.lock_extauth("pool.external_auth_set_ldaps", trail).await;
        let former = |host: &Reference| {
            if self.quirks().has(Quirk::SetLdapsOldValueRace) {
                return Ok(early);
            }
            self.host_record(host).map(|record| record.ldaps())
        };
        let mut switched = Vec::new();
        for host in self.hosts() {
            let host = host.reference().clone();
            let old = former(&host)?;
            let call = Call::HostExternalAuthSetLdaps { host: host.clone(), ldaps, force };
            if let Err(error) = self.call_host(call, trail).await {
                self.revert(switched, ldaps, trail).await;
                return Err(error);
            }
            switched.push((host, old));
        }
        Ok(())
    }

    /// Gives every switched host its former value. Failures leave it as it is.
    async fn revert(&self, switched: Vec<(Reference, bool)>, ldaps: bool, trail: &Trail) {
        if self.quirks().has(Quirk::SetLdapsLeavesSwitchedHosts) {
            return;
        }
        let force = (self.profile() == Profile::Landed).then_some(true);
        for (host, old) in switched.into_iter().filter(|(_, old)| *old != ldaps) {
            let call = Call::HostExternalAuthSetLdaps { host, ldaps: old, force };
            // Logged and ignored by xapi; the result is in the ledger.
            let _ = self.call_host(call, trail).await;
        }
    }
}

impl OnHost<'_> {
    pub(super) async fn external_auth_set_ldaps(
        &self,
        ldaps: bool,
        force: bool,
    ) -> Result<(), ApiError> {
        let _host = self.lock_extauth("host.external_auth_set_ldaps").await;
        let _plugin = self.lock_plugin("host.external_auth_set_ldaps").await;
        let record = self.record()?;
        if record.external_auth_type.is_empty() {
            return Err(ApiError::bare("AUTH_IS_DISABLED"));
        }
        if self.profile() == Profile::Landed && record.ldaps() == ldaps && !force {
            return Err(self.set_ldaps_failed(format!("ldaps is already {ldaps}")));
        }
        if ldaps {
            self.require_ldaps_trust().map_err(|error| self.set_ldaps_error(error))?;
        }
        self.try_ldaps(&record, ldaps).await.map_err(|error| self.set_ldaps_error(error))
    }

    /// Steps 4–7.
    async fn try_ldaps(&self, record: &HostRecord, ldaps: bool) -> Result<(), PluginError> {
        let hard = match self.apply_and_ping(record, ldaps).await {
            Ok(()) => return Ok(self.write_ldaps(record, ldaps)?),
            Err(PingError::Ping(error)) => {
                self.restore(record).await;
                return Err(error);
            }
            Err(PingError::Lookup(error)) => error,
        };
        if !self.has(Quirk::SetLdapsNoRestoreOnHardFailure) {
            self.restore(record).await;
        }
        Err(hard)
    }

    /// Everything that fails before the ping itself counts as a failed lookup.
    async fn apply_and_ping(&self, record: &HostRecord, ldaps: bool) -> Result<(), PingError> {
        self.configure_winbind(record, ldaps).await.map_err(PingError::Lookup)?;
        self.ping(&record.external_auth_service_name, &Credentials::Machine).await.map(drop)
    }

    /// Puts the former configuration back. The failure that led here is reported, not its own.
    async fn restore(&self, record: &HostRecord) {
        let _ = self.configure_winbind(record, record.ldaps()).await;
    }

    /// Step 6. What is written is what was read before the trial: names that were repaired during
    /// it are lost again (quirk Q33), and so is what xapi does not know (quirk Q32).
    fn write_ldaps(&self, record: &HostRecord, ldaps: bool) -> Result<(), HostError> {
        let loses_names = self.has(Quirk::SetLdapsLosesMigratedNames);
        let drops_unknown = self.has(Quirk::SetLdapsDropsUnknownKeys);
        self.change_record(|host| {
            let configuration = &mut host.external_auth_configuration;
            if loses_names {
                configuration.clone_from(&record.external_auth_configuration);
            }
            if drops_unknown {
                configuration.retain(|key, _| KNOWN_KEYS.contains(&key.as_str()));
            }
            configuration.insert("ldaps".to_owned(), ldaps.to_string());
        })
    }

    /// Codes of their own pass; every other becomes `AUTH_SET_LDAPS_FAILED` (quirk Q6).
    fn set_ldaps_error(&self, error: PluginError) -> ApiError {
        let PluginError { tag, message } = error;
        if let Some(code) = tag.direct_code() {
            return ApiError::new(code, [message]);
        }
        let mut failed = self.set_ldaps_failed(message);
        if !self.has(Quirk::SetLdapsFlattensTags) && tag != Tag::DomainLookup {
            failed.code += tag.suffix();
        }
        failed
    }

    fn set_ldaps_failed(&self, message: String) -> ApiError {
        ApiError::new(SET_LDAPS_FAILED, [self.host.reference().to_string(), message])
    }
}
