//! Routes of a running domain, and their faults.

use std::sync::Arc;

use ground::EventId;

use super::{FaultGuard, Place, add, parse};
use crate::{
    dc::{Dc, open_dns},
    domain::Domain,
    doors::Doors,
    error::Error,
    route::{OpenRoute, Route, RouteSpec, Way},
    tasks::{self, Spawner},
};

/// Routes and their faults.
impl Domain {
    /// The route of the client `host` to the DC `dc`: ports of that DC which only this client shall
    /// use. Opened at the first use, at the DC's address and ports that the system chooses.
    ///
    /// # Errors
    ///
    /// No such DC, or no port is left.
    pub fn route(&self, host: &str, dc: &str) -> Result<Route, Error> {
        let _changing = self.changing();
        let route = self.open(&RouteSpec::new(host, dc))?;
        Ok(route.describe(self.dc(dc)?))
    }

    /// Opens a route at an address or ports of the caller's choice.
    ///
    /// # Errors
    ///
    /// No such DC, the route is open already, or the ports are not free.
    pub fn open_route(&self, spec: &RouteSpec) -> Result<Route, Error> {
        let _changing = self.changing();
        let dc = self.dc(&spec.dc)?;
        if dc.route(&spec.host).is_some() {
            return Err(Error::RouteIsOpen { host: spec.host.clone(), dc: spec.dc.clone() });
        }
        Ok(self.open(spec)?.describe(dc))
    }

    /// All open routes, DC by DC.
    pub fn routes(&self) -> Vec<Route> {
        let of = |dc: &Dc| dc.routes().iter().map(|route| route.describe(dc)).collect::<Vec<_>>();
        self.dcs().flat_map(of).collect()
    }

    /// Closes the ports of a route, and the connections that came along it.
    ///
    /// # Errors
    ///
    /// No such DC or route.
    pub fn remove_route(&self, host: &str, dc: &str) -> Result<(), Error> {
        let _changing = self.changing();
        let removed = self.dc(dc)?.remove_route(host);
        removed.map(|route| route.close()).ok_or_else(|| self.unknown_route(host, dc))
    }

    /// Gives the route of the client `host` to the DC `dc` these faults, as text (see [`Fault`](crate::Fault)),
    /// in place of those it has. The route is opened if need be.
    ///
    /// Only this client meets them, on top of the faults of the DC.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// use tokio::net::TcpStream;
    ///
    /// let domain = fake_dc::Domain::builder("corp.example").start().await?;
    /// let route = domain.set_route_faults("host1", "dc1", ["net.refuse@ldaps"])?;
    /// assert!(TcpStream::connect(route.ldaps).await.is_err());
    /// assert!(TcpStream::connect(route.ldap).await.is_ok());
    /// assert!(TcpStream::connect(domain.dc("dc1")?.ldaps()).await.is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No such DC, no such fault, or one that is not of the way to a DC.
    pub fn set_route_faults<F: AsRef<str>>(
        &self,
        host: &str,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<Route, Error> {
        self.set_route_faults_because(None, host, dc, faults)
    }

    /// As [`Domain::set_route_faults`], recorded in the ledger as an effect of `cause`.
    ///
    /// # Errors
    ///
    /// As [`Domain::set_route_faults`].
    pub fn set_route_faults_because<F: AsRef<str>>(
        &self,
        cause: Option<EventId>,
        host: &str,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<Route, Error> {
        let new = parse(faults)?;
        self.edit_faults(cause, Place::Route { host, dc }, |faults| {
            *faults = new;
            Ok(())
        })?;
        self.route(host, dc)
    }

    /// As [`Domain::add_faults`], for a route.
    ///
    /// # Errors
    ///
    /// As [`Domain::set_route_faults`].
    pub fn add_route_faults<F: AsRef<str>>(
        &self,
        host: &str,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<Route, Error> {
        let added = parse(faults)?;
        self.edit_faults(None, Place::Route { host, dc }, |faults| {
            add(faults, added);
            Ok(())
        })?;
        self.route(host, dc)
    }

    /// As [`Domain::remove_faults`], for a route.
    ///
    /// # Errors
    ///
    /// As [`Domain::set_route_faults`], or [`Error::FaultNotSet`].
    pub fn remove_route_faults<F: AsRef<str>>(
        &self,
        host: &str,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<Route, Error> {
        let place = Place::Route { host, dc };
        let removed = parse(faults)?;
        self.edit_faults(None, place, |faults| place.remove(faults, &removed))?;
        self.route(host, dc)
    }

    /// Takes all faults from a route, which stays open.
    ///
    /// # Errors
    ///
    /// No such DC, or its ports could not be opened again.
    pub fn clear_route_faults(&self, host: &str, dc: &str) -> Result<Route, Error> {
        self.set_route_faults(host, dc, [] as [&str; 0])
    }

    /// As [`Domain::fault_guard`], for a route. The route stays open.
    ///
    /// # Errors
    ///
    /// As [`Domain::set_route_faults`].
    pub fn route_fault_guard<F: AsRef<str>>(
        &self,
        host: &str,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<FaultGuard<'_>, Error> {
        self.guard(Some(host), dc, parse(faults)?)
    }
}

impl Domain {
    /// The route, opened if it is not.
    pub(super) fn open(&self, spec: &RouteSpec) -> Result<Arc<OpenRoute>, Error> {
        let RouteSpec { host, dc: name, address, ports, elsewhere } = spec;
        let dc = self.shared_dc(name)?;
        if let Some(route) = dc.route(host) {
            return Ok(route);
        }
        let _runtime = self.runtime().enter();
        let whose = format!("the route from {host} to {name}");
        let address = address.unwrap_or_else(|| dc.ip());
        let sockets = elsewhere.clone().unwrap_or_default();
        let in_memory = dc.domain.in_memory;
        let doors = match in_memory {
            true => Doors::none(address, dc.ports()),
            false => Doors::open(&whose, address, *ports, &sockets)?,
        };
        let dns = elsewhere.as_ref().map(|sockets| open_dns(&whose, address, ports.dns, sockets));
        let (dns, dns_socket) = dns.transpose()?.unzip();
        let stop = self.stop_token().child_token();
        let route = Arc::new(OpenRoute::new(host, doors, dns, stop.clone()));
        dc.add_route(Arc::clone(&route));
        if let Err(error) = dc.apply_faults() {
            dc.remove_route(host);
            return Err(error);
        }
        if in_memory {
            return Ok(route);
        }
        let (way, spawner) = (Way::along(&route, dc), Spawner::new(self.tasks(), stop));
        tasks::serve_way(&way, &spawner);
        if let Some(socket) = dns_socket {
            tasks::serve_dns(&way, socket, &spawner);
        }
        Ok(route)
    }

    fn unknown_route(&self, host: &str, dc: &str) -> Error {
        let known =
            self.routes().into_iter().map(|route| format!("{} to {}", route.host, route.dc));
        Error::UnknownRoute { host: host.to_owned(), dc: dc.to_owned(), known: known.collect() }
    }
}
