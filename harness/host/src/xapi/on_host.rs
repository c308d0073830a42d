//! What the steps of every call on one host have in common.

use std::sync::Arc;

use ground::Trail;

use crate::{
    ApiError, HostError, HostRecord, Output, Profile, Quirk, SambaCommand,
    database::{Draft, Records},
    facts::SmbConfWritten,
    hosts_file::{self, HostsEditor},
    smb_conf::{self, Joined, SmbConf, TrustLine},
    trust_store::LDAPS_BUNDLE,
    xapi::{
        Host, Pool,
        host::Process,
        lock::LockGuard,
        plugin::{PluginError, Tag},
    },
};

/// xapi at work on one host.
#[derive(Debug)]
pub(crate) struct OnHost<'a> {
    pub(crate) pool: &'a Pool,
    pub(crate) host: Arc<Host>,
    pub(crate) process: Arc<Process>,
    /// Place in the ledger, with the host as actor.
    pub(crate) trail: Trail,
}

impl OnHost<'_> {
    pub(crate) fn has(&self, quirk: Quirk) -> bool {
        self.pool.quirks().has(quirk)
    }

    pub(crate) fn profile(&self) -> Profile {
        self.pool.profile()
    }

    /// The host extauth lock of xapi-flows.md §17.
    pub(crate) async fn lock_extauth(&self, task: &'static str) -> LockGuard {
        self.process.extauth_lock.take(task, &self.trail).await
    }

    /// The plugin lock (§17): the released toolstack has it, unless `serialize_auth_service` is
    /// false; in design-v1 there is one if logins are to wait for it (quirk Q30).
    pub(crate) async fn lock_plugin(&self, task: &'static str) -> Option<LockGuard> {
        let has_lock = match self.profile() {
            Profile::DesignV1 => self.has(Quirk::LoginBlocksDuringSetLdaps),
            Profile::Landed => self.process.conf.serialize_auth_service,
        };
        if !has_lock {
            return None;
        }
        Some(self.process.plugin_lock.take(task, &self.trail).await)
    }

    /// The host's own record.
    pub(crate) fn record(&self) -> Result<HostRecord, ApiError> {
        self.pool.host_record(self.host.reference())
    }

    /// Changes the host's own record.
    pub(crate) fn change_record(
        &self,
        change: impl FnOnce(&mut HostRecord),
    ) -> Result<(), HostError> {
        let reference = self.host.reference();
        self.pool.database().change(
            &self.trail,
            |Draft { records: Records { hosts, .. }, .. }| {
                if let Some(host) = hosts.iter_mut().find(|host| host.reference == *reference) {
                    change(host);
                }
            },
        )
    }

    pub(crate) async fn run(&self, command: SambaCommand) -> Output {
        let debug_level = self.process.conf.winbind_debug_level;
        self.host.holds().pass(&command, &self.trail).await;
        self.host.programs().run(command, debug_level, &self.trail).await
    }

    /// Writes the joined form with these values and a fresh choice of the bundle.
    pub(crate) fn write_joined(
        &self,
        service_name: &str,
        workgroup: &str,
        netbios_name: &str,
        ldaps: bool,
    ) -> Result<(), HostError> {
        let legacy = self.has(Quirk::LegacyCaDirectory);
        let trust = self.host.trust_store().ldaps_trust(legacy)?;
        self.write_smb_conf(&SmbConf::Joined(Joined {
            service_name: service_name.to_owned(),
            workgroup: workgroup.to_owned(),
            netbios_name: netbios_name.to_owned(),
            ldaps,
            trust: trust.unwrap_or_else(|| TrustLine::File(LDAPS_BUNDLE.to_owned())),
        }))
    }

    pub(crate) fn write_smb_conf(&self, content: &SmbConf) -> Result<(), HostError> {
        let text = content.render(self.profile(), &self.process.conf);
        self.host.root().write(smb_conf::PATH, text.as_bytes(), 0o644)?;
        let joined = match content {
            SmbConf::Joined(joined) => Some(joined),
            SmbConf::NotJoined => None,
        };
        self.trail.record(SmbConfWritten {
            joined: joined.is_some(),
            ldaps: joined.map(|joined| joined.ldaps),
            trust: joined.map(|joined| match &joined.trust {
                TrustLine::Directory(path) | TrustLine::File(path) => path.clone(),
            }),
        });
        Ok(())
    }

    /// Fails unless there is something that LDAPS can trust (§2.4).
    pub(crate) fn require_ldaps_trust(&self) -> Result<(), PluginError> {
        let legacy = self.has(Quirk::LegacyCaDirectory);
        let found = self.host.trust_store().ldaps_trust(legacy)?;
        if found.is_some() || !self.has(Quirk::BundleRequiredEvenWithPublicCa) {
            return Ok(());
        }
        Err(PluginError::new(Tag::NoTrustedCerts, "no trusted certificates for LDAPS"))
    }

    /// Puts the host's NetBIOS name into `/etc/hosts`.
    pub(crate) fn add_to_hosts_file(&self, name: &str, domain: &str) -> Result<(), PluginError> {
        let editor = HostsEditor::new(name, domain, self.pool.quirks());
        let text = self.host.root().read_text_if_present(hosts_file::PATH)?.unwrap_or_default();
        let text = editor.add(&text).map_err(PluginError::generic)?;
        Ok(self.host.root().write(hosts_file::PATH, text.as_bytes(), 0o644)?)
    }

    /// Takes the host's NetBIOS name out of `/etc/hosts`.
    pub(crate) fn remove_from_hosts_file(
        &self,
        name: &str,
        domain: &str,
    ) -> Result<(), PluginError> {
        let editor = HostsEditor::new(name, domain, self.pool.quirks());
        let root = self.host.root();
        if let Some(text) = root.read_text_if_present(hosts_file::PATH)? {
            root.write(hosts_file::PATH, editor.remove(&text).as_bytes(), 0o644)?;
        }
        Ok(())
    }
}
