//! Values of arguments and files that they name.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use fake_dc::{ClientCertificates, Domain, Fault, FaultError, LdapPolicy};
use fake_dc_directory::{Flavour, Policy, TrustDirection, TrustKind};
use fake_dc_kerberos::gss::BindingPolicy;

use crate::error::Failure;

/// `DC=FAULT`.
#[derive(Clone, Debug)]
pub(crate) struct DcFault {
    pub(crate) dc: String,
    pub(crate) fault: Fault,
}

impl FromStr for DcFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (dc, id) = text
            .split_once('=')
            .ok_or_else(|| "write it as DC=FAULT, such as dc2=time.leaf-expired".to_owned())?;
        let fault: Fault = id
            .parse()
            .map_err(|error: FaultError| format!("{error} (`fake-dc faults` lists all faults)"))?;
        Ok(Self { dc: dc.to_owned(), fault })
    }
}

/// `FILE` for the first DC, or `DC=FILE`.
#[derive(Clone, Debug)]
pub(crate) struct DcFile {
    pub(crate) dc: Option<String>,
    pub(crate) path: PathBuf,
}

impl FromStr for DcFile {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A path with an equals sign is told apart by its slash or by being there.
        Ok(match text.split_once('=') {
            Some((dc, path)) if !dc.contains('/') && !Path::new(text).exists() => {
                Self { dc: Some(dc.to_owned()), path: path.into() }
            }
            _ => Self { dc: None, path: text.into() },
        })
    }
}

/// Whether binds with Kerberos must be bound to TLS.
pub(crate) fn channel_binding(text: &str) -> Result<BindingPolicy, &'static str> {
    match text {
        "none" => Ok(BindingPolicy::Off),
        "if-sent" => Ok(BindingPolicy::IfSent),
        "always" => Ok(BindingPolicy::Always),
        _ => Err("write none, if-sent or always"),
    }
}

/// `ACCOUNT=FILE`, a keytab to be written.
#[derive(Clone, Debug)]
pub(crate) struct AccountFile {
    account: String,
    path: PathBuf,
}

impl AccountFile {
    /// Writes the keys of the account, for its owner alone to read.
    pub(crate) fn write(&self, domain: &Domain) -> Result<(), Failure> {
        let Self { account, path } = self;
        let keys = domain.keytab(account);
        let keys = keys.ok_or_else(|| Failure::UnknownAccount { account: account.clone() })?;
        let options =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
        let written = options.and_then(|mut file| file.write_all(&keys));
        written.map_err(|source| Failure::Write { path: path.clone(), source })
    }
}

impl FromStr for AccountFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (account, path) =
            text.split_once('=').ok_or("write it as ACCOUNT=FILE, such as DC1$=dc1.keytab")?;
        Ok(Self { account: account.to_owned(), path: path.into() })
    }
}

/// `DOMAIN[=KIND[:DIRECTION]]`, a trust.
#[derive(Clone, Debug)]
pub(crate) struct TrustArgument {
    pub(crate) partner: String,
    pub(crate) kind: TrustKind,
    pub(crate) direction: TrustDirection,
}

impl FromStr for TrustArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (partner, rest) = text.split_once('=').unwrap_or((text, "forest"));
        let (kind, direction) = rest.split_once(':').unwrap_or((rest, "both"));
        let kind = match kind {
            "external" => TrustKind::External,
            "forest" => TrustKind::Forest,
            "within-forest" => TrustKind::WithinForest,
            _ => return Err("the kinds are `external`, `forest` and `within-forest`".to_owned()),
        };
        let direction = match direction {
            "both" => TrustDirection::Both,
            "inbound" => TrustDirection::Inbound,
            "outbound" => TrustDirection::Outbound,
            _ => return Err("the directions are `both`, `inbound` and `outbound`".to_owned()),
        };
        if !partner.contains('.') {
            return Err("name the domain as DNS does, such as other.example".to_owned());
        }
        Ok(Self { partner: partner.to_owned(), kind, direction })
    }
}

/// `NAME=VALUE`, an LDAP policy of AD.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LdapSetting {
    name: &'static str,
    value: u32,
}

impl LdapSetting {
    const NAMES: [&str; 5] =
        ["MaxConnections", "MaxConnIdleTime", "InitRecvTimeout", "MaxReceiveBuffer", "MaxPageSize"];

    /// Puts the value where it belongs.
    pub(crate) fn apply(self, connections: &mut LdapPolicy, searches: &mut Policy) {
        let size = usize::try_from(self.value).unwrap_or(usize::MAX);
        let seconds = Duration::from_secs(self.value.into());
        match self.name {
            "MaxConnections" => connections.max_connections = size,
            "MaxConnIdleTime" => connections.max_conn_idle_time = seconds,
            "InitRecvTimeout" => connections.init_recv_timeout = seconds,
            "MaxReceiveBuffer" => connections.max_receive_buffer = size,
            _ => searches.max_page_size = self.value,
        }
    }
}

impl FromStr for LdapSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| "write it as NAME=VALUE, such as MaxConnections=5000".to_owned())?;
        let known = Self::NAMES.into_iter().find(|known| known.eq_ignore_ascii_case(name));
        let name =
            known.ok_or_else(|| format!("`{name}` is none of {}", Self::NAMES.join(", ")))?;
        match value.parse() {
            Ok(value) if value > 0 => Ok(Self { name, value }),
            _ => Err(format!("`{value}` is no number from 1 to {}", u32::MAX)),
        }
    }
}

pub(crate) fn client_certificates(text: &str) -> Result<ClientCertificates, String> {
    match text {
        "no" => Ok(ClientCertificates::default()),
        "requested" => Ok(ClientCertificates::requested()),
        "required" => Ok(ClientCertificates::required()),
        _ => Err("write `no`, `requested` or `required`".to_owned()),
    }
}

pub(crate) fn flavour(text: &str) -> Result<Flavour, String> {
    match text {
        "samba-4.22" => Ok(Flavour::Samba4_22),
        "windows-2022" => Ok(Flavour::WindowsServer2022),
        _ => Err("the flavours are `windows-2022` and `samba-4.22`".to_owned()),
    }
}

pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|source| Failure::Read { path: path.to_owned(), source })
}

/// The texts of an LDIF file, or of all `*.ldif` files of a folder in the order of their names.
pub(crate) fn read_ldif(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let mut files = vec![path.to_owned()];
    if path.is_dir() {
        let failed = |source| Failure::Read { path: path.to_owned(), source };
        files = fs::read_dir(path)
            .and_then(|entries| {
                entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()
            })
            .map_err(failed)?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "ldif"));
        files.sort();
    }
    files.into_iter().map(|file| Ok((file.display().to_string(), read(&file)?))).collect()
}
