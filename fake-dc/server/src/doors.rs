//! The ports of one way to a DC: Kerberos, its password service, LDAP with CLDAP, LDAPS, and the global catalogue.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use crate::{
    datagram_gate::DatagramGate,
    dc::Ports,
    error::Error,
    facts::Listener,
    gate::{Gate, Passage},
    sockets::SocketSource,
};

/// The ports themselves. DNS is not among them: a route leads to services of a DC, and its name
/// server is asked directly where that is possible.
#[derive(Debug)]
pub(crate) struct Doors {
    kdc: Gate,
    kdc_datagrams: DatagramGate,
    kpasswd: Gate,
    kpasswd_datagrams: DatagramGate,
    ldap: Gate,
    cldap: DatagramGate,
    ldaps: Gate,
    gc: Gate,
    gcs: Gate,
}

impl Doors {
    /// Opens the ports of the DC `dc` at `ip`. Must be called within a tokio runtime.
    pub(crate) fn open(
        dc: &str,
        ip: Ipv4Addr,
        ports: Ports,
        sockets: &SocketSource,
    ) -> Result<Self, Error> {
        let failed = |listener, port| {
            let address = SocketAddr::from((ip, port));
            move |source| Error::Bind { dc: dc.to_owned(), listener, address, source }
        };
        let (kdc, kdc_datagrams) = sockets
            .pair(ip, ports.kdc, DatagramGate::open)
            .map_err(failed(Listener::Kdc, ports.kdc))?;
        let (kpasswd, kpasswd_datagrams) = sockets
            .pair(ip, ports.kpasswd, DatagramGate::open)
            .map_err(failed(Listener::Kpasswd, ports.kpasswd))?;
        let (ldap, cldap) = sockets
            .pair(ip, ports.ldap, DatagramGate::open)
            .map_err(failed(Listener::Ldap, ports.ldap))?;
        let open =
            |listener, port| Gate::open((ip, port).into(), sockets).map_err(failed(listener, port));
        let ldaps = open(Listener::Ldaps, ports.ldaps)?;
        let gc = open(Listener::Gc, ports.gc)?;
        let gcs = open(Listener::Gcs, ports.gcs)?;
        Ok(Self { kdc, kdc_datagrams, kpasswd, kpasswd_datagrams, ldap, cldap, ldaps, gc, gcs })
    }

    /// Ports without sockets, for a domain in memory. Must be called within a tokio runtime.
    pub(crate) fn none(ip: Ipv4Addr, ports: Ports) -> Self {
        let gate = |port| Gate::none((ip, port).into());
        let datagrams = |port| DatagramGate::none((ip, port).into());
        Self {
            kdc: gate(ports.kdc),
            kdc_datagrams: datagrams(ports.kdc),
            kpasswd: gate(ports.kpasswd),
            kpasswd_datagrams: datagrams(ports.kpasswd),
            ldap: gate(ports.ldap),
            cldap: datagrams(ports.ldap),
            ldaps: gate(ports.ldaps),
            gc: gate(ports.gc),
            gcs: gate(ports.gcs),
        }
    }

    /// Where Kerberos is, over UDP and TCP.
    pub(crate) fn kdc(&self) -> SocketAddr {
        self.kdc.address()
    }

    /// Where the password service is, over UDP and TCP.
    pub(crate) fn kpasswd(&self) -> SocketAddr {
        self.kpasswd.address()
    }

    /// Where LDAP is, and CLDAP over UDP.
    pub(crate) fn ldap(&self) -> SocketAddr {
        self.ldap.address()
    }

    /// Where LDAPS is.
    pub(crate) fn ldaps(&self) -> SocketAddr {
        self.ldaps.address()
    }

    /// Where the global catalogue is.
    pub(crate) fn gc(&self) -> SocketAddr {
        self.gc.address()
    }

    /// Where the global catalogue is over TLS.
    pub(crate) fn gcs(&self) -> SocketAddr {
        self.gcs.address()
    }

    /// The TCP port of `listener`; none for DNS.
    pub(crate) fn gate(&self, listener: Listener) -> Option<&Gate> {
        match listener {
            Listener::Gc => Some(&self.gc),
            Listener::Gcs => Some(&self.gcs),
            Listener::Kdc => Some(&self.kdc),
            Listener::Kpasswd => Some(&self.kpasswd),
            Listener::Ldap => Some(&self.ldap),
            Listener::Ldaps => Some(&self.ldaps),
            Listener::Cldap | Listener::Dns | Listener::Rpc => None,
        }
    }

    /// The port for netlogon pings.
    pub(crate) fn cldap_datagrams(&self) -> &DatagramGate {
        &self.cldap
    }

    /// The port for Kerberos over UDP.
    pub(crate) fn kdc_datagrams(&self) -> &DatagramGate {
        &self.kdc_datagrams
    }

    /// The port for the password service over UDP.
    pub(crate) fn kpasswd_datagrams(&self) -> &DatagramGate {
        &self.kpasswd_datagrams
    }

    /// Lets every TCP port do what `stream` says, and every UDP port what `datagram` says.
    pub(crate) fn apply(
        &self,
        stream: impl Fn(Listener) -> Passage,
        datagram: impl Fn(Listener) -> Passage,
    ) -> io::Result<()> {
        let refuses = |listener| datagram(listener) == Passage::Refuse;
        self.kdc.set(stream(Listener::Kdc))?;
        self.kpasswd.set(stream(Listener::Kpasswd))?;
        self.ldap.set(stream(Listener::Ldap))?;
        self.ldaps.set(stream(Listener::Ldaps))?;
        self.gc.set(stream(Listener::Gc))?;
        self.gcs.set(stream(Listener::Gcs))?;
        self.kdc_datagrams.set_refusing(refuses(Listener::Kdc))?;
        self.kpasswd_datagrams.set_refusing(refuses(Listener::Kpasswd))?;
        self.cldap.set_refusing(refuses(Listener::Cldap))
    }

    /// Gives the ports back.
    pub(crate) fn close(&self) {
        self.kdc.close();
        self.kdc_datagrams.close();
        self.kpasswd.close();
        self.kpasswd_datagrams.close();
        self.ldap.close();
        self.cldap.close();
        self.ldaps.close();
        self.gc.close();
        self.gcs.close();
    }
}
