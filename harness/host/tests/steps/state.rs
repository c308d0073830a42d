//! What has become of a host.

use std::fmt;

use fake_dc_directory::AccountName;
use sim_host::{Entry, smb_conf};

use crate::estate::{DOMAIN, Estate, Rig};

/// Everything of a host that the calls of §§7–9 change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostState {
    /// `external_auth_type`.
    pub(crate) auth_type: &'static str,
    /// Whether `external_auth_service_name` is the domain; else it is empty.
    pub(crate) named: bool,
    pub(crate) configuration: Configuration,
    pub(crate) conf: Conf,
    /// Whether `/etc/hosts` has the host's name in the domain.
    pub(crate) in_hosts_file: bool,
    pub(crate) winbind: bool,
    pub(crate) secrets: bool,
    /// Whether the directory has the machine account.
    pub(crate) account: bool,
}

/// `external_auth_configuration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Configuration {
    Empty,
    /// The keys of §1.3, with `ldaps` as it reads.
    Written {
        ldaps: bool,
    },
    /// The two names alone, which the start of xapi adds (§14, step 3).
    Repaired,
}

/// `/etc/samba/smb.conf`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conf {
    Absent,
    /// A directory that somebody made in its place.
    Broken,
    NotJoined,
    Joined {
        ldaps: bool,
    },
}

impl HostState {
    /// Of a host that was never in a domain.
    pub(crate) const OUTSIDE: Self = Self {
        auth_type: "",
        named: false,
        configuration: Configuration::Empty,
        conf: Conf::Absent,
        in_hosts_file: false,
        winbind: false,
        secrets: false,
        account: false,
    };

    /// Of a host in the domain.
    pub(crate) const fn inside(ldaps: bool) -> Self {
        Self {
            auth_type: "AD",
            named: true,
            configuration: Configuration::Written { ldaps },
            conf: Conf::Joined { ldaps },
            in_hosts_file: true,
            winbind: true,
            secrets: true,
            account: true,
        }
    }

    /// Of the host `index` at this moment.
    pub(crate) fn of(estate: &Estate, rig: &Rig, index: usize) -> Self {
        let host = rig.host(index);
        let record = rig.pool.database_view().host(host.reference()).unwrap().clone();
        let root = host.root();
        let name = rig.host_name(index);
        let hosts = root.read_text_if_present("/etc/hosts").unwrap_or_default();
        let key = |key: &str| record.external_auth_configuration.contains_key(key);
        Self {
            auth_type: match record.external_auth_type.as_str() {
                "" => "",
                "AD" => "AD",
                _ => "neither",
            },
            named: match record.external_auth_service_name.as_str() {
                "" => false,
                DOMAIN => true,
                other => panic!("service name {other}"),
            },
            configuration: if record.external_auth_configuration.is_empty() {
                Configuration::Empty
            } else if !key("domain") {
                assert!(key("workgroup") && key("netbios_name"), "{record:?}");
                Configuration::Repaired
            } else {
                let all = ["domain", "user", "workgroup", "netbios_name"];
                assert!(all.into_iter().all(key), "{record:?}");
                Configuration::Written { ldaps: record.ldaps() }
            },
            conf: conf(rig, index),
            in_hosts_file: hosts
                .unwrap_or_default()
                .to_lowercase()
                .contains(&format!("{name}.{DOMAIN}")),
            winbind: root.exists("/run/samba/winbindd.pid").unwrap(),
            secrets: !root.list("/var/lib/samba/private").unwrap().is_empty(),
            account: estate
                .domain
                .directory()
                .account_dn(AccountName::Account(&format!("{name}$")))
                .is_some(),
        }
    }
}

fn conf(rig: &Rig, index: usize) -> Conf {
    let host = rig.host(index);
    let root = host.root();
    if root.entry(smb_conf::PATH).unwrap() == Entry::Directory {
        return Conf::Broken;
    }
    let Some(text) = root.read_text_if_present(smb_conf::PATH).unwrap() else {
        return Conf::Absent;
    };
    let value =
        |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    match (value("realm"), value("client ldap sasl wrapping")) {
        (None, None) => Conf::NotJoined,
        (Some(DOMAIN), Some("ldaps")) => Conf::Joined { ldaps: true },
        (Some(DOMAIN), Some("seal")) => Conf::Joined { ldaps: false },
        _ => panic!("{text}"),
    }
}

impl fmt::Display for HostState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { auth_type, named, configuration, conf, .. } = self;
        write!(f, "type `{auth_type}`, named {named}, {configuration:?}, {conf:?}")?;
        for (word, is) in [
            ("hosts file", self.in_hosts_file),
            ("winbind", self.winbind),
            ("secrets", self.secrets),
            ("account", self.account),
        ] {
            write!(f, ", {}{word}", if is { "" } else { "no " })?;
        }
        Ok(())
    }
}
