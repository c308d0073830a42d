//! The options of a real DC behind ours, and what to know about it.

use std::{
    fs,
    io::{self, Write as _},
    path::PathBuf,
};

use clap::Args;
use fake_dc::{Dc, Domain, PassedPort, RealDc, RealDcError, Trust};
use serde::Serialize;
use tokio::net::lookup_host;

use crate::error::Failure;

/// Which real DC, if any.
#[derive(Debug, Args)]
pub(crate) struct BehindOptions {
    /// Name or address of a real DC that is to be behind ours, which ends TLS in front of it with
    /// the chain under test, and passes LDAP inside and all other ports. Name and domain are those
    /// of the real one.
    #[arg(
        long,
        value_name = "HOST",
        requires = "trust",
        conflicts_with_all = ["domain", "netbios", "dcs", "ldif", "default_password_file", "flavour"]
    )]
    behind: Option<String>,
    /// The CA of the certificate of the DC behind, or that certificate itself, in PEM.
    #[arg(long, value_name = "FILE", requires = "behind", group = "trust")]
    behind_ca: Option<PathBuf>,
    /// Believe whatever certificate the DC behind shows.
    #[arg(long, requires = "behind", group = "trust")]
    behind_any_certificate: bool,
}

impl BehindOptions {
    /// Asks the real DC who it is.
    pub(crate) async fn find(&self) -> Result<Option<RealDc>, Failure> {
        let Some(host) = &self.behind else { return Ok(None) };
        let trust = match &self.behind_ca {
            None => Trust::anything(),
            Some(path) => {
                let pem = fs::read(path)
                    .map_err(|source| Failure::Read { path: path.clone(), source })?;
                Trust::in_pem(&pem)
                    .map_err(|source| Failure::Trust { path: path.clone(), source })?
            }
        };
        let unknown = |source| Failure::UnknownHost { host: host.clone(), source };
        // The port is not used.
        let mut addresses = lookup_host((host.as_str(), 0)).await.map_err(unknown)?;
        let address = addresses.next().ok_or_else(|| unknown(io::ErrorKind::NotFound.into()))?;
        let found = RealDc::find(address.ip(), trust).await;
        Ok(Some(found.map_err(|error: RealDcError| fake_dc::Error::from(error))?))
    }
}

/// What the line of a DC says of the real one behind it.
#[derive(Serialize)]
pub(crate) struct BehindLine {
    /// Whether channel bindings that are made for our certificate hold at the real DC.
    channel_bindings_hold: bool,
    /// Ports that pass bytes. Those that the endpoint mapper names are opened when it does.
    passed: Vec<PassedPort>,
}

impl BehindLine {
    /// Asks the real DC for its certificate, which must be believed.
    pub(crate) async fn of(domain: &Domain) -> Result<Option<Self>, Failure> {
        let Some(dc) = domain.dcs().next() else { return Ok(None) };
        let holds = dc.channel_bindings_hold().await?;
        Ok(holds.map(|holds| Self { channel_bindings_hold: holds, passed: dc.passed_ports() }))
    }

    /// Says on standard error what clients need of the real DC.
    pub(crate) fn advise(&self, dc: &Dc) {
        let text = if self.channel_bindings_hold { HOLD } else { DIFFER };
        // Whoever does not read standard error does not miss a line of it.
        let _ = writeln!(io::stderr().lock(), "note: {}: {text}", dc.name());
    }
}

const HOLD: &str =
    "it shows the certificate of the real DC behind it, so that channel bindings hold";
const DIFFER: &str = "\
it shows another certificate than the real DC behind it. Clients bind Kerberos inside TLS to the
  certificate that they are shown, so such binds fail (80090346) unless both show the same one: let the
  real DC have that of --export-chain, or show its own with --chain and --key. Windows does not look at
  bindings with LdapEnforceChannelBinding 0; Samba always does when a client sends them";
