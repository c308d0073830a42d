//! What can be changed while a domain runs: the faults of its DCs and of the routes to them.
//!
//! A change is made as a whole or not at all, and new connections meet it when the call returns.
//! Open connections keep their TLS session; their next LDAP request meets the LDAP faults, and
//! their next byte the line.

mod routes;

use ground::EventId;

use crate::{
    behind,
    domain::Domain,
    error::Error,
    facts::{FaultCleared, FaultSet},
    fault::{Fault, Faults},
    route::RouteSpec,
};

/// Faults of a DC.
impl Domain {
    /// Gives the DC `dc` these faults, as text (see [`Fault`]), in place of those it has.
    ///
    /// New connections and questions meet them when this returns. Open connections keep their TLS
    /// session; their next LDAP request meets the LDAP faults, and their next byte those of the
    /// network.
    ///
    /// # Errors
    ///
    /// No such DC, no such fault, or the DC cannot be like that. Nothing is changed then.
    pub fn set_faults<F: AsRef<str>>(
        &self,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<(), Error> {
        self.set_faults_because(None, dc, faults)
    }

    /// As [`Domain::set_faults`], recorded in the ledger as an effect of `cause`.
    ///
    /// # Errors
    ///
    /// As [`Domain::set_faults`].
    pub fn set_faults_because<F: AsRef<str>>(
        &self,
        cause: Option<EventId>,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<(), Error> {
        let new = parse(faults)?;
        self.edit_faults(cause, Place::Dc(dc), |faults| {
            *faults = new;
            Ok(())
        })
    }

    /// Gives the DC `dc` these faults beside those it has, behind them.
    ///
    /// # Errors
    ///
    /// As [`Domain::set_faults`].
    pub fn add_faults<F: AsRef<str>>(
        &self,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<(), Error> {
        let added = parse(faults)?;
        self.edit_faults(None, Place::Dc(dc), |faults| {
            add(faults, added);
            Ok(())
        })
    }

    /// Takes these faults from the DC `dc`. One without a value or a listener stands for all of its
    /// id, whatever their value and listener.
    ///
    /// # Errors
    ///
    /// As [`Domain::set_faults`], or [`Error::FaultNotSet`].
    pub fn remove_faults<F: AsRef<str>>(
        &self,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<(), Error> {
        let place = Place::Dc(dc);
        let removed = parse(faults)?;
        self.edit_faults(None, place, |faults| place.remove(faults, &removed))
    }

    /// Takes all faults from the DC `dc`.
    ///
    /// # Errors
    ///
    /// No such DC, or its ports could not be opened again.
    pub fn clear_faults(&self, dc: &str) -> Result<(), Error> {
        self.set_faults(dc, [] as [&str; 0])
    }

    /// Gives the DC `dc` these faults beside those it has, until the guard is dropped.
    ///
    /// The guard takes away what it has added and nothing else, whatever others have changed.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new()?.block_on(async {
    /// let domain = fake_dc::Domain::builder("corp.example").start().await?;
    /// let guard = domain.fault_guard("dc1", ["net.refuse"])?;
    /// assert!(tokio::net::TcpStream::connect(domain.dc("dc1")?.ldaps()).await.is_err());
    /// drop(guard);
    /// assert!(tokio::net::TcpStream::connect(domain.dc("dc1")?.ldaps()).await.is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Domain::set_faults`].
    pub fn fault_guard<F: AsRef<str>>(
        &self,
        dc: &str,
        faults: impl IntoIterator<Item = F>,
    ) -> Result<FaultGuard<'_>, Error> {
        self.guard(None, dc, parse(faults)?)
    }
}

impl Domain {
    fn guard(
        &self,
        host: Option<&str>,
        dc: &str,
        mut faults: Vec<Fault>,
    ) -> Result<FaultGuard<'_>, Error> {
        let mark = self.next_mark();
        for fault in &mut faults {
            fault.mark(mark);
        }
        let guard =
            FaultGuard { domain: self, host: host.map(str::to_owned), dc: dc.to_owned(), mark };
        self.edit_faults(None, guard.place(), |present| {
            present.append(&mut faults);
            Ok(())
        })?;
        Ok(guard)
    }

    /// Lets `edit` change the faults at `place`, with nobody in between. What the other methods do,
    /// in one.
    ///
    /// # Errors
    ///
    /// As [`Domain::set_faults`] and [`Domain::set_route_faults`], or what `edit` returns. Nothing
    /// is changed then.
    pub fn edit_faults(
        &self,
        cause: Option<EventId>,
        place: Place<'_>,
        edit: impl FnOnce(&mut Vec<Fault>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let _changing = self.changing();
        let dc = self.dc(place.dc())?;
        let (before, after) = match place {
            Place::Dc(_) => {
                let (before, registered) = (dc.faults(), dc.registration());
                let mut after = before.clone();
                edit(&mut after)?;
                if dc.behind().is_some() {
                    behind::check(&after)?;
                }
                dc.change(Faults::new(after.clone()))?;
                if dc.registration() != registered {
                    self.make_zone()?;
                }
                (before, after)
            }
            Place::Route { host, dc: name } => {
                let open = dc.route(host);
                let before =
                    open.as_ref().map_or_else(Vec::new, |open| open.faults().all().to_vec());
                let mut after = before.clone();
                edit(&mut after)?;
                if let Some(fault) = after.iter().find(|fault| !fault.info().on_route) {
                    return Err(Error::NotOnRoute { fault: fault.id() });
                }
                let route = match open {
                    Some(route) => route,
                    None => self.open(&RouteSpec::new(host, name))?,
                };
                route.set_faults(Faults::new(after.clone()));
                dc.apply_faults()?;
                (before, after)
            }
        };
        let trail = dc.trail.under(cause);
        for fault in before.iter().filter(|fault| !after.contains(fault)) {
            trail.record(FaultCleared { fault: fault.to_string(), route: place.host() });
        }
        for fault in after.iter().filter(|fault| !before.contains(fault)) {
            trail.record(FaultSet { fault: fault.to_string(), route: place.host() });
        }
        Ok(())
    }
}

/// Faults that last as long as this. See [`Domain::fault_guard`] and [`Domain::route_fault_guard`].
#[derive(Debug)]
#[must_use = "dropping it takes its faults away"]
pub struct FaultGuard<'a> {
    domain: &'a Domain,
    host: Option<String>,
    dc: String,
    /// What its faults are marked with.
    mark: u64,
}

impl FaultGuard<'_> {
    fn place(&self) -> Place<'_> {
        match &self.host {
            Some(host) => Place::Route { host, dc: &self.dc },
            None => Place::Dc(&self.dc),
        }
    }
}

impl Drop for FaultGuard<'_> {
    fn drop(&mut self) {
        // A route that was removed has no faults any more, and is not to be opened for that.
        let is_there = self
            .domain
            .dc(&self.dc)
            .is_ok_and(|dc| self.host.as_ref().is_none_or(|host| dc.route(host).is_some()));
        if is_there {
            // Taking faults away needs nothing that could fail but a port, which is ours.
            let _ = self.domain.edit_faults(None, self.place(), |faults| {
                faults.retain(|fault| !fault.has_mark(self.mark));
                Ok(())
            });
        }
    }
}

/// What has faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// The DC of this name.
    Dc(&'a str),
    /// The way from the client `host` to the DC `dc`.
    Route {
        /// The client.
        host: &'a str,
        /// The DC.
        dc: &'a str,
    },
}

impl Place<'_> {
    fn dc(&self) -> &str {
        match self {
            Self::Dc(dc) | Self::Route { dc, .. } => dc,
        }
    }

    fn host(&self) -> Option<String> {
        match self {
            Self::Dc(_) => None,
            Self::Route { host, .. } => Some((*host).to_owned()),
        }
    }

    /// Removes from `faults` all that `removed` stands for, see [`Domain::remove_faults`].
    ///
    /// # Errors
    ///
    /// [`Error::FaultNotSet`].
    pub fn remove(&self, faults: &mut Vec<Fault>, removed: &[Fault]) -> Result<(), Error> {
        for wanted in removed {
            let before = faults.clone();
            faults.retain(|fault| !wanted.covers(fault));
            if faults.len() == before.len() {
                return Err(Error::FaultNotSet {
                    place: self.describe(),
                    fault: wanted.to_string(),
                    present: before.iter().map(Fault::to_string).collect(),
                });
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        match self {
            Self::Dc(dc) => (*dc).to_owned(),
            Self::Route { host, dc } => format!("the route from {host} to {dc}"),
        }
    }
}

fn parse<F: AsRef<str>>(faults: impl IntoIterator<Item = F>) -> Result<Vec<Fault>, Error> {
    Ok(faults.into_iter().map(|text| text.as_ref().parse()).collect::<Result<_, _>>()?)
}

/// Adds those that are not there yet.
fn add(faults: &mut Vec<Fault>, added: Vec<Fault>) {
    for fault in added {
        if !faults.contains(&fault) {
            faults.push(fault);
        }
    }
}
