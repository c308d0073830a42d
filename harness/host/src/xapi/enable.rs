//! The plugin's part of enabling and disabling AD on one host (xapi-flows.md §§6.1, 7.4, 8).

use std::net::IpAddr;

use ground::Secret;
use rand::Rng as _;

use crate::{
    Credentials, Profile, Quirk, SambaCommand,
    database::{AuthConfiguration, reads_as_true},
    smb_conf::SmbConf,
    xapi::{
        AuthConfig, Duty,
        machine::HOSTNAME,
        on_host::OnHost,
        password_rotation::float_text,
        plugin::{PluginError, Tag},
    },
};

const NETBIOS_NAME_MAX: usize = 15;
const NETBIOS_PREFIX: usize = 7;
const NETBIOS_SUFFIX: usize = 7;

/// What a caller asks for, checked.
#[derive(Clone, Debug)]
struct Wanted {
    service_name: String,
    user: String,
    password: Secret,
    netbios_name: String,
    dns_hostname: Option<String>,
    ou: Option<String>,
    /// `None` if not given.
    ldaps: Option<bool>,
}

impl OnHost<'_> {
    /// Joins the domain. What a failure leaves behind depends on the step (§7.4).
    pub(crate) async fn plugin_enable(
        &self,
        config: &AuthConfig,
        service_name: &str,
    ) -> Result<(), PluginError> {
        let wanted = self.wanted(config, service_name)?;
        let workgroup = self.workgroup(service_name).await?;
        let ldaps = wanted.ldaps.unwrap_or(false);
        if ldaps {
            self.require_ldaps_trust()?;
        }
        let configuration = self.configuration(&wanted, &workgroup);
        self.write_joined(service_name, &workgroup, &wanted.netbios_name, ldaps)?;
        let server = self.probe_before_join(&wanted).await?;
        let reset = !self.process.conf.winbind_keep_configuration;
        if let Err(error) = self.join(&wanted, server).await {
            self.clean_up_failed_join(&wanted, reset);
            return Err(error);
        }
        if let Err(error) = self.restart_winbind().await {
            self.clean_up_failed_join(&wanted, true);
            return Err(error.into());
        }
        let finished = self.finish_join(&wanted, configuration).await;
        if finished.is_err() {
            self.clean_up_failed_join(&wanted, reset);
        }
        finished.map_err(|error| {
            let Wanted { service_name, user, .. } = &wanted;
            let what = format!("AD could not be enabled for {service_name} as {user}");
            PluginError::generic(format!("{what}: {}", error.message))
        })
    }

    /// Leaves the domain. The first failure is returned, after everything has been tried.
    pub(crate) async fn plugin_disable(
        &self,
        config: &AuthConfig,
        service_name: &str,
    ) -> Result<(), PluginError> {
        let record = self.record().map_err(PluginError::generic)?;
        let mut first = match record.external_auth_configuration.get("netbios_name") {
            Some(name) => self.remove_from_hosts_file(name, service_name),
            None => Ok(()),
        };
        let cleared = self.change_record(|host| host.external_auth_configuration.clear());
        first = first.and(cleared.map_err(PluginError::from));
        self.process.schedule.cancel(Duty::RotatePassword);
        if let (Some(user), Some(password)) = (config.value("user"), config.value("pass")) {
            let output = self
                .run(SambaCommand::AdsLeave {
                    user: user.to_owned(),
                    password: Secret::new(password),
                })
                .await;
            if !output.succeeded() {
                let message = format!("the domain could not be left: {}", output.stdout.trim());
                first = first.and(Err(PluginError::generic(message)));
            }
        }
        if !self.process.conf.winbind_keep_configuration {
            let reset = self.write_smb_conf(&SmbConf::NotJoined);
            first = first.and(reset.map_err(PluginError::from));
        }
        self.run(SambaCommand::WipeSecrets).await;
        first
    }

    /// The NetBIOS name of the machine account if the caller gives none.
    fn default_netbios_name(&self) -> Result<String, PluginError> {
        let record = self.record().map_err(PluginError::generic)?;
        let name = record.hostname.split('.').next().unwrap_or_default().to_owned();
        if name.chars().count() <= NETBIOS_NAME_MAX {
            return Ok(name);
        }
        let prefix: String = name.chars().take(NETBIOS_PREFIX).collect();
        let now = self.host.clock().now();
        let mut random = self.host.seed().stream(&format!("NetBIOS name at {now}"));
        let suffix: String = (0..NETBIOS_SUFFIX)
            .map(|_| char::from(b'A' + u8::try_from(random.next_u32() % 26).unwrap_or(0)))
            .collect();
        Ok(format!("{prefix}-{suffix}"))
    }

    /// Steps 1–6.
    fn wanted(&self, config: &AuthConfig, service_name: &str) -> Result<Wanted, PluginError> {
        let required = |key| {
            let missing = || PluginError::generic(format!("the key `{key}` is missing in config"));
            config.value(key).ok_or_else(missing)
        };
        let user = required("user")?;
        let password = Secret::new(required("pass")?);
        if user.contains('\\') {
            return Err(PluginError::generic(
                "the user name has the form DOMAIN\\user; use the UPN form user@domain",
            ));
        }
        let netbios_name = match config.value("netbios-name") {
            Some(name) if name.chars().count() > NETBIOS_NAME_MAX => {
                return Err(PluginError::generic(format!(
                    "the NetBIOS name `{name}` has more than {NETBIOS_NAME_MAX} characters"
                )));
            }
            Some(name) => name.to_owned(),
            None => self.default_netbios_name()?,
        };
        if netbios_name.chars().all(|character| character.is_ascii_digit()) {
            return Err(PluginError::generic(format!(
                "the NetBIOS name `{netbios_name}` has digits only"
            )));
        }
        if let Some(domain) = config.value("domain").filter(|domain| *domain != service_name) {
            return Err(PluginError::generic(format!(
                "the domain `{domain}` in config is not the service name `{service_name}`"
            )));
        }
        Ok(Wanted {
            service_name: service_name.to_owned(),
            user: user.to_owned(),
            password,
            netbios_name,
            dns_hostname: config.value("dns-hostname").map(str::to_owned),
            ou: config.value("ou").map(str::to_owned),
            ldaps: config.value("ldaps").map(reads_as_true),
        })
    }

    /// Step 10: landed with LDAPS looks for a DC that passes, and pins the join to it.
    async fn probe_before_join(&self, wanted: &Wanted) -> Result<Option<IpAddr>, PluginError> {
        if self.profile() != Profile::Landed || wanted.ldaps != Some(true) {
            return Ok(None);
        }
        let credentials =
            Credentials::User { user: wanted.user.clone(), password: wanted.password.clone() };
        let probed = self.ping(&wanted.service_name, &credentials).await;
        if probed.is_err() && !self.has(Quirk::EnableProbeFailureKeepsConf) {
            self.write_smb_conf(&SmbConf::NotJoined)?;
        }
        probed.map(Some).map_err(super::locate::PingError::into_inner)
    }

    /// Step 11.
    async fn join(&self, wanted: &Wanted, server: Option<IpAddr>) -> Result<(), PluginError> {
        let output = self
            .run(SambaCommand::AdsJoin {
                domain: wanted.service_name.clone(),
                user: wanted.user.clone(),
                password: wanted.password.clone(),
                netbios_name: wanted.netbios_name.clone(),
                server,
                ou: wanted.ou.clone(),
                dns_hostname: wanted.dns_hostname.clone(),
            })
            .await;
        if output.succeeded() {
            return Ok(());
        }
        Err(PluginError::new(Tag::of_stderr(&output.stderr), output.stdout.trim()))
    }

    /// Steps 13–17.
    async fn finish_join(
        &self,
        wanted: &Wanted,
        configuration: AuthConfiguration,
    ) -> Result<(), PluginError> {
        self.wait_for_winbind().await?;
        self.change_record(|host| host.external_auth_configuration = configuration)?;
        self.schedule_rotation(true);
        self.add_to_hosts_file(&wanted.netbios_name, &wanted.service_name)?;
        self.apply_hostname()?;
        if self.process.conf.winbind_set_machine_account_kerberos_encryption_type {
            let account = format!("{}$", wanted.netbios_name);
            let types = self.process.conf.winbind_kerberos_encryption_type.bits();
            self.run(SambaCommand::AdsEnctypesSet { account, types }).await;
        }
        Ok(())
    }

    /// `net ads join` may have changed what the kernel calls the host: xapi sets it again.
    fn apply_hostname(&self) -> Result<(), PluginError> {
        let record = self.record().map_err(PluginError::generic)?;
        let line = format!("{}\n", record.hostname);
        Ok(self.host.root().write(HOSTNAME, line.as_bytes(), 0o644)?)
    }

    /// As far as it goes: the failure that led here is the one to report.
    fn clean_up_failed_join(&self, wanted: &Wanted, reset: bool) {
        if reset {
            let _ = self.write_smb_conf(&SmbConf::NotJoined);
        }
        let _ = self.remove_from_hosts_file(&wanted.netbios_name, &wanted.service_name);
    }

    /// The keys of §1.3.
    fn configuration(&self, wanted: &Wanted, workgroup: &str) -> AuthConfiguration {
        let ldaps = match self.profile() {
            Profile::DesignV1 => wanted.ldaps,
            Profile::Landed => Some(wanted.ldaps.unwrap_or(false)),
        };
        let changed = float_text(self.whole_second(), self.has(Quirk::FloatTrailingDot));
        let pairs = [
            ("domain", Some(wanted.service_name.clone())),
            ("user", Some(wanted.user.clone())),
            ("workgroup", Some(workgroup.to_owned())),
            ("netbios_name", Some(wanted.netbios_name.clone())),
            ("machine_pwd_last_change_time", Some(changed)),
            ("ldaps", ldaps.map(|ldaps| ldaps.to_string())),
            ("ou", wanted.ou.clone()),
        ];
        pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}
