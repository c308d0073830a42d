//! Which ports the DCs have: those of a real DC where they may be had, else the system's choice.

use std::io::{self, Write as _};

use clap::{Args, ValueEnum};
use fake_dc::{Builder, Domain, Error, Ports};

/// Whose choice the ports are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// Those of a real DC if they are permitted and free at the addresses of all DCs, else such as
    /// the system chooses.
    Auto,
    /// Those of a real DC: 53, 88, 389, 464, 636, 3268 and 3269.
    Standard,
    /// Such as the system chooses.
    System,
}

/// The ports of the DCs.
#[derive(Debug, Args)]
pub(crate) struct PortOptions {
    /// Whose choice the ports of the DCs are.
    #[arg(long, value_enum, default_value = "auto")]
    ports: Choice,
    /// Short for --ports standard.
    #[arg(long, conflicts_with = "ports")]
    standard_ports: bool,
    /// Port for DNS, whatever the others are; 0 lets the system choose.
    #[arg(long, value_name = "PORT")]
    dns_port: Option<u16>,
    /// Port for Kerberos.
    #[arg(long, value_name = "PORT")]
    kdc_port: Option<u16>,
    /// Port for changes of passwords with Kerberos.
    #[arg(long, value_name = "PORT")]
    kpasswd_port: Option<u16>,
    /// Port for LDAP and CLDAP.
    #[arg(long, value_name = "PORT")]
    ldap_port: Option<u16>,
    /// Port for LDAPS.
    #[arg(long, value_name = "PORT")]
    ldaps_port: Option<u16>,
    /// Port for the global catalogue.
    #[arg(long, value_name = "PORT")]
    gc_port: Option<u16>,
    /// Port for the global catalogue over TLS.
    #[arg(long, value_name = "PORT")]
    gcs_port: Option<u16>,
}

/// Which clients need which ports, for `fake-dc serve --help`.
pub(crate) const HELP: &str = "\
Ports:
  A client that is given a URL or a port works with any: ldapsearch, ldap3, python-ldap, Java,
  openssl, and kinit with `kdc = ADDRESS:PORT` in its krb5.conf.
  Samba's programs (net, winbind, smbclient), adcli and SSSD look for a DC at the standard ports
  alone: 53, 88, 389, 464, 636 and, for the global catalogue, 3268 and 3269. Those below 1024 are for
  root, for `unshare --map-root-user --net` (then `ip link set lo up`), for most containers, for a
  program with CAP_NET_BIND_SERVICE, and for everybody after
  `sysctl net.ipv4.ip_unprivileged_port_start=53`. Each DC has them at an address of its own.
  The ready line says whether they could be had: `\"standard_ports\":true`.";

impl PortOptions {
    /// Starts the domain at its ports, and says on standard error when they are not the standard
    /// ones although that was wanted.
    pub(crate) async fn start(&self, builder: Builder) -> Result<Domain, Error> {
        let choice = if self.standard_ports { Choice::Standard } else { self.ports };
        if choice == Choice::System {
            return builder.ports(self.over(Ports::SYSTEM)).start().await;
        }
        match builder.clone().ports(self.over(Ports::STANDARD)).start().await {
            Err(error) if choice == Choice::Auto && self.may_choose_again(&error) => {
                let domain = builder.ports(self.over(Ports::SYSTEM)).start().await?;
                explain(&error);
                Ok(domain)
            }
            started => started,
        }
    }

    /// The ports that were given, and the others as in `ports`.
    fn over(&self, ports: Ports) -> Ports {
        Ports {
            dns: self.dns_port.unwrap_or(ports.dns),
            kdc: self.kdc_port.unwrap_or(ports.kdc),
            kpasswd: self.kpasswd_port.unwrap_or(ports.kpasswd),
            ldap: self.ldap_port.unwrap_or(ports.ldap),
            ldaps: self.ldaps_port.unwrap_or(ports.ldaps),
            gc: self.gc_port.unwrap_or(ports.gc),
            gcs: self.gcs_port.unwrap_or(ports.gcs),
        }
    }

    /// Whether it is a standard port that cannot be had, and none that was asked for.
    fn may_choose_again(&self, error: &Error) -> bool {
        let Error::Bind { address, source, .. } = error else { return false };
        let given = [
            self.dns_port,
            self.kdc_port,
            self.kpasswd_port,
            self.ldap_port,
            self.ldaps_port,
            self.gc_port,
            self.gcs_port,
        ];
        let refused = [io::ErrorKind::AddrInUse, io::ErrorKind::PermissionDenied];
        refused.contains(&source.kind()) && !given.contains(&Some(address.port()))
    }
}

/// Says why the ports are not the standard ones, and who minds.
fn explain(error: &Error) {
    let mut out = io::stderr().lock();
    // Standard error is where a failure to write to it would be said.
    let _ = writeln!(
        out,
        "note: the system has chosen the ports: {error}\n  \
         clients that are given a URL or port do not mind (ldapsearch, ldap3, Java); Samba's \
         programs, adcli and SSSD need the standard ports"
    );
    if let Some(remedy) = error.remedy() {
        let _ = writeln!(out, "  help: {remedy}; `--ports system` is content with any");
    }
}
