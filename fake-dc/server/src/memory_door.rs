//! The way into a DC for a client in this process that comes without sockets.
//!
//! What a gate does with a SYN is done here with a call: it is taken, refused at once, or never
//! answered. Everything behind the gate is the same code, so a fleet of DCs on a paused clock shows
//! what the same DCs show on sockets, in no real time.

use std::{
    collections::BTreeMap,
    future::pending,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ground::{EventId, Transport};
use tokio::time::sleep;

use crate::{
    behind,
    crowd::Crowd,
    datagrams,
    dc::Dc,
    dns,
    domain::Domain,
    error::Error,
    facts::Listener,
    gate::Passage,
    memory::MemoryStream,
    route::Way,
    stream::Link,
    tasks::{Entrance, Spawner, admit, connections_max},
};

/// Where a client comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its address.
    pub address: IpAddr,
    /// The event that leads to its coming, under which the ledger has what the DC sees of it.
    pub cause: Option<EventId>,
}

/// The way of one client into one DC without sockets. Made by [`Domain::memory_door`].
#[derive(Debug)]
pub struct MemoryDoor {
    dc: Arc<Dc>,
    /// The client whose route it is, if it has one.
    host: Option<String>,
    /// Who is in, by port.
    crowds: Mutex<BTreeMap<Listener, Arc<Crowd>>>,
    spawner: Spawner,
}

impl Domain {
    /// The way into the DC `dc` without sockets: directly, or for the client `host` along its route,
    /// where one is open.
    ///
    /// Whoever is let in is served on the runtime of the caller, whose clock may be paused. That is
    /// for clients that have no sockets at all: "never pause tokio's clock around real sockets".
    ///
    /// ```
    /// use std::net::Ipv4Addr;
    ///
    /// use fake_dc::{Caller, DcSpec, Domain, facts::Listener};
    ///
    /// # let mut builder = tokio::runtime::Builder::new_current_thread();
    /// # builder.enable_time().start_paused(true).build()?.block_on(async {
    /// let dark = DcSpec::new("dc2").fault("net.refuse");
    /// let domain = Domain::builder("corp.example").dcs(1).dc(dark).in_memory().start().await?;
    /// let caller = Caller { address: Ipv4Addr::LOCALHOST.into(), cause: None };
    /// let door = |dc| domain.memory_door(dc, None);
    /// assert!(door("dc1")?.connect(Listener::Ldaps, caller).await.is_ok());
    /// assert!(door("dc2")?.connect(Listener::Ldaps, caller).await.is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// No such DC.
    pub fn memory_door(&self, dc: &str, host: Option<&str>) -> Result<MemoryDoor, Error> {
        Ok(MemoryDoor {
            dc: Arc::clone(self.shared_dc(dc)?),
            host: host.map(str::to_owned),
            crowds: Mutex::default(),
            spawner: Spawner::new(self.tasks(), self.stop_token().clone()),
        })
    }
}

impl MemoryDoor {
    /// Connects to a TCP port. Where SYNs are swallowed this never returns. On a slow line the
    /// connection stands when the answer to the SYN is there.
    ///
    /// Must be called within the tokio runtime that then serves the connection.
    ///
    /// # Errors
    ///
    /// The port refuses, or the listener has no TCP port.
    pub async fn connect(&self, listener: Listener, caller: Caller) -> io::Result<MemoryStream> {
        if matches!(listener, Listener::Cldap | Listener::Rpc) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let way = self.way();
        self.travel(&way, listener).await;
        match way.passage(listener) {
            Passage::Open => {}
            Passage::Refuse => return Err(io::ErrorKind::ConnectionRefused.into()),
            Passage::Swallow => pending().await,
        }
        let (near, far) = MemoryStream::pair();
        let crowd = self.crowd(listener);
        let link = Link::Memory(near);
        admit(&way, &Entrance::Own(listener), &crowd, link, caller, &self.spawner);
        Ok(far)
    }

    /// Sends a datagram to a UDP port: [CLDAP](Listener::Cldap), DNS, Kerberos or its password
    /// service. Where there is no answer this never returns.
    ///
    /// # Errors
    ///
    /// The port is unreachable, or the listener has no UDP port.
    pub async fn ask(
        &self,
        listener: Listener,
        caller: Caller,
        datagram: &[u8],
    ) -> io::Result<Vec<u8>> {
        let way = self.way();
        let trail = way.dc.trail.under(caller.cause);
        let answer = match listener {
            Listener::Cldap | Listener::Kdc | Listener::Kpasswd => {
                if way.datagram_passage(listener) == Passage::Refuse {
                    return Err(io::ErrorKind::ConnectionRefused.into());
                }
                let answer = match way.dc.behind() {
                    Some(behind) => {
                        behind::answer_datagram(behind, &way, listener, &trail, datagram).await
                    }
                    None => datagrams::answer(&way, listener, &trail, caller.address, datagram),
                };
                self.travel(&way, listener).await;
                answer
            }
            Listener::Dns => dns::answer_bytes(&way.dc, &trail, datagram, Transport::Udp),
            Listener::Gc | Listener::Gcs | Listener::Ldap | Listener::Ldaps | Listener::Rpc => {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
        };
        match answer {
            Some(answer) => Ok(answer),
            None => pending().await,
        }
    }

    /// The way as it is now: routes come and go.
    fn way(&self) -> Way {
        let route = self.host.as_ref().and_then(|host| self.dc.route(host));
        route.map_or_else(|| Way::direct(&self.dc), |route| Way::along(&route, &self.dc))
    }

    /// Waits until what is sent now has come to the client.
    async fn travel(&self, way: &Way, listener: Listener) {
        let line = way.line(listener);
        if !line.is_plain() {
            sleep(line.draw_delay(&mut self.dc.dice())).await;
        }
    }

    fn crowd(&self, listener: Listener) -> Arc<Crowd> {
        // Whole after every statement under the lock.
        let mut crowds = self.crowds.lock().unwrap_or_else(PoisonError::into_inner);
        let crowd = crowds.entry(listener);
        Arc::clone(crowd.or_insert_with(|| Crowd::new(connections_max(&self.dc, listener))))
    }
}
