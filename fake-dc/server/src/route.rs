//! Routes: the way from one named client to one DC, with faults of its own.
//!
//! A route is another set of ports of the same DC. Whoever connects there is served by the DC as
//! any client is, through what is wrong with the DC and, on top of it, with the route. So one
//! client can be cut off from a DC that everybody else reaches.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::{
    datagram_gate::DatagramGate,
    dc::{Dc, Ports},
    doors::Doors,
    facts::Listener,
    fault::{Fault, Faults},
    gate::{Gate, Passage},
    line::Line,
    sockets::SocketSource,
};

/// A route before it is opened. Made by [`RouteSpec::new`].
#[derive(Clone, Debug)]
pub struct RouteSpec {
    pub(crate) host: String,
    pub(crate) dc: String,
    pub(crate) address: Option<Ipv4Addr>,
    pub(crate) ports: Ports,
    pub(crate) elsewhere: Option<SocketSource>,
}

impl RouteSpec {
    /// The way from the client called `host` to the DC called `dc`.
    pub fn new(host: impl Into<String>, dc: impl Into<String>) -> Self {
        let (host, dc) = (host.into(), dc.into());
        Self { host, dc, address: None, ports: Ports::SYSTEM, elsewhere: None }
    }

    /// At this address instead of the DC's own.
    #[must_use]
    pub fn address(mut self, address: Ipv4Addr) -> Self {
        self.address = Some(address);
        self
    }

    /// At these ports instead of those that the system chooses. That of DNS is used only where the
    /// route begins [elsewhere](Self::elsewhere).
    #[must_use]
    pub fn ports(mut self, ports: Ports) -> Self {
        self.ports = ports;
        self
    }

    /// Beginning where these sockets are, such as in a network namespace of the client. There the
    /// client does not see the DC's own name server: the route has one, too.
    #[must_use]
    pub fn elsewhere(mut self, sockets: SocketSource) -> Self {
        self.elsewhere = Some(sockets);
        self
    }
}

/// An open route, as it was when it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// The client that it is for.
    pub host: String,
    /// The DC that it leads to.
    pub dc: String,
    /// Where LDAP is, and CLDAP over UDP.
    pub ldap: SocketAddr,
    /// Where LDAPS is.
    pub ldaps: SocketAddr,
    /// Where the global catalogue is.
    pub gc: SocketAddr,
    /// Where the global catalogue is over TLS.
    pub gcs: SocketAddr,
    /// Where Kerberos is, over UDP and TCP.
    pub kdc: SocketAddr,
    /// Where the password service is, over UDP and TCP.
    pub kpasswd: SocketAddr,
    /// Its faults, in the order in which they were set.
    pub faults: Vec<Fault>,
}

/// A route while it is open.
#[derive(Debug)]
pub(crate) struct OpenRoute {
    host: String,
    pub(crate) doors: Doors,
    dns: Option<Gate>,
    faults: RwLock<Arc<Faults>>,
    /// Ends what serves it.
    pub(crate) stop: CancellationToken,
}

impl OpenRoute {
    pub(crate) fn new(
        host: &str,
        doors: Doors,
        dns: Option<Gate>,
        stop: CancellationToken,
    ) -> Self {
        Self { host: host.to_owned(), doors, dns, faults: RwLock::default(), stop }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.faults.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        *self.faults.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(faults);
    }

    /// What it looks like now.
    pub(crate) fn describe(&self, dc: &Dc) -> Route {
        Route {
            host: self.host.clone(),
            dc: dc.name().to_owned(),
            ldap: self.doors.ldap(),
            ldaps: self.doors.ldaps(),
            gc: self.doors.gc(),
            gcs: self.doors.gcs(),
            kdc: self.doors.kdc(),
            kpasswd: self.doors.kpasswd(),
            faults: self.faults().all().to_vec(),
        }
    }

    /// Gives its ports back and ends its connections.
    pub(crate) fn close(&self) {
        self.stop.cancel();
        self.doors.close();
        self.dns.iter().for_each(Gate::close);
    }
}

/// How a client comes to a DC: directly, or along a route.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) dc: Arc<Dc>,
    route: Option<Arc<OpenRoute>>,
}

impl Way {
    pub(crate) fn direct(dc: &Arc<Dc>) -> Self {
        Self { dc: Arc::clone(dc), route: None }
    }

    pub(crate) fn along(route: &Arc<OpenRoute>, dc: &Arc<Dc>) -> Self {
        Self { dc: Arc::clone(dc), route: Some(Arc::clone(route)) }
    }

    /// The client that the route is for, if this is a route.
    pub(crate) fn host(&self) -> Option<String> {
        self.route.as_ref().map(|route| route.host.clone())
    }

    pub(crate) fn doors(&self) -> &Doors {
        self.route.as_ref().map_or(&self.dc.doors, |route| &route.doors)
    }

    /// The TCP port of `listener`.
    pub(crate) fn gate(&self, listener: Listener) -> &Gate {
        let dns = || self.route.as_ref().and_then(|route| route.dns.as_ref());
        self.doors().gate(listener).or_else(dns).unwrap_or(&self.dc.dns_gate)
    }

    /// The UDP port of `listener`.
    pub(crate) fn datagram_gate(&self, listener: Listener) -> &DatagramGate {
        match listener {
            Listener::Kdc => self.doors().kdc_datagrams(),
            Listener::Kpasswd => self.doors().kpasswd_datagrams(),
            _ => self.doors().cldap_datagrams(),
        }
    }

    /// What becomes of a SYN.
    pub(crate) fn passage(&self, listener: Listener) -> Passage {
        let on_route = self.route.as_ref().map(|route| route.faults().passage(listener));
        on_route.unwrap_or_default().or(self.dc.condition().faults.passage(listener))
    }

    /// What becomes of datagrams.
    pub(crate) fn datagram_passage(&self, listener: Listener) -> Passage {
        let on_route = self.route.as_ref().map(|route| route.faults().datagram_passage(listener));
        on_route.unwrap_or_default().or(self.dc.condition().faults.datagram_passage(listener))
    }

    /// How many connections may be open at a port of this way.
    pub(crate) fn connections_max(&self, listener: Listener) -> Option<u64> {
        let on_route = self.route.as_ref().map(|route| route.faults().connections_max(listener));
        let of_dc = self.dc.condition().faults.connections_max(listener);
        [on_route.flatten(), of_dc].into_iter().flatten().min()
    }

    /// What becomes of bytes: the DC's faults first, then those of the route.
    pub(crate) fn line(&self, listener: Listener) -> Line {
        let mut line = Line::default();
        self.dc.condition().faults.shape(listener, &mut line);
        if let Some(route) = &self.route {
            route.faults().shape(listener, &mut line);
        }
        line
    }
}
