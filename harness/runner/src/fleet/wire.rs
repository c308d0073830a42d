//! What carries packets in the fleet world: a table from addresses to the doors of DCs.

use std::{
    collections::BTreeMap,
    future::pending,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};

use fake_dc::{Caller, Dc, Domain, MemoryDoor, facts::Listener};
use ground::EventId;
use sim_host::{Carried, Medium, MediumStream};

/// The table, as one host has it.
#[derive(Debug)]
pub(super) struct Wire {
    doors: BTreeMap<SocketAddr, (Arc<MemoryDoor>, Listener)>,
    /// Where the host is.
    address: IpAddr,
}

impl Wire {
    /// The way to every DC of `domains`: directly, or along the routes of `host`. A DC is met at its
    /// standard ports, and at those where its sockets and the host's routes are.
    pub(super) fn new<'d>(
        domains: impl IntoIterator<Item = &'d Domain>,
        host: Option<&str>,
    ) -> Result<Self, fake_dc::Error> {
        let mut doors = BTreeMap::new();
        for domain in domains {
            let routes = domain.routes();
            for dc in domain.dcs() {
                let door = Arc::new(domain.memory_door(dc.name(), host)?);
                let mut lead = |at: SocketAddr, listener| {
                    doors.insert(at, (Arc::clone(&door), listener));
                };
                for (at, listener) in standard(dc).into_iter().chain(own(dc)) {
                    lead(at, listener);
                }
                let mine = |route: &&fake_dc::Route| {
                    route.dc == dc.name() && host == Some(route.host.as_str())
                };
                for route in routes.iter().filter(mine) {
                    lead(route.kdc, Listener::Kdc);
                    lead(route.ldap, Listener::Ldap);
                    lead(route.ldaps, Listener::Ldaps);
                }
            }
        }
        Ok(Self { doors, address: Ipv4Addr::LOCALHOST.into() })
    }
}

/// The ports that a host believes in.
fn standard(dc: &Dc) -> [(SocketAddr, Listener); 4] {
    let at = |port| SocketAddr::from((dc.ip(), port));
    [
        (at(53), Listener::Dns),
        (at(88), Listener::Kdc),
        (at(389), Listener::Ldap),
        (at(636), Listener::Ldaps),
    ]
}

/// The ports that the DC has.
fn own(dc: &Dc) -> [(SocketAddr, Listener); 4] {
    [
        (dc.dns(), Listener::Dns),
        (dc.kdc(), Listener::Kdc),
        (dc.ldap(), Listener::Ldap),
        (dc.ldaps(), Listener::Ldaps),
    ]
}

impl Medium for Wire {
    fn connect(
        &self,
        to: SocketAddr,
        cause: Option<EventId>,
    ) -> Carried<'_, io::Result<Box<dyn MediumStream>>> {
        let caller = Caller { address: self.address, cause };
        Box::pin(async move {
            let Some((door, listener)) = self.doors.get(&to) else { return pending().await };
            let stream = door.connect(*listener, caller).await?;
            Ok(Box::new(stream) as Box<dyn MediumStream>)
        })
    }

    fn ask(
        &self,
        to: SocketAddr,
        cause: Option<EventId>,
        datagram: Vec<u8>,
    ) -> Carried<'_, io::Result<Vec<u8>>> {
        let caller = Caller { address: self.address, cause };
        Box::pin(async move {
            let Some((door, listener)) = self.doors.get(&to) else { return pending().await };
            let listener = match listener {
                Listener::Ldap => Listener::Cldap,
                other => *other,
            };
            door.ask(listener, caller, &datagram).await
        })
    }
}
