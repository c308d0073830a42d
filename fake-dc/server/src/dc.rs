//! One DC: its listeners, its condition, and what it hands to whom.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use fake_dc_directory::{DcView, Directory};
use fake_dc_pki::Chain;
use ground::{Actor, Clock, Stream, Trail};
use hickory_proto::rr::Name;
use tokio::{net::UdpSocket, sync::watch};

use crate::{
    behind::{Behind, PassedPort},
    dns::Registration,
    domain::Common,
    doors::Doors,
    enrolment::{Enrolment, Enrolments},
    error::Error,
    face::{Condition, Maker, Shown, chain, condition},
    facts::Listener,
    fault::{Fault, Faults},
    gate::Gate,
    route::OpenRoute,
    sockets::SocketSource,
};

/// A running domain controller.
#[derive(Debug)]
pub struct Dc {
    pub(crate) view: DcView,
    pub(crate) host: Name,
    pub(crate) domain: Arc<Common>,
    pub(crate) trail: Trail,
    pub(crate) dns_gate: Gate,
    pub(crate) doors: Doors,
    /// By the clients that they are for.
    routes: RwLock<BTreeMap<String, Arc<OpenRoute>>>,
    /// Counts changes of its faults and those of its routes.
    changes: watch::Sender<u64>,
    settings: String,
    given: RwLock<Option<Arc<Chain>>>,
    pub(crate) enrolments: Mutex<Enrolments>,
    /// Held while the condition is replaced.
    changing: Mutex<()>,
    condition: RwLock<Arc<Condition>>,
    /// How many clients have said hello.
    hellos: AtomicU64,
}

/// Sockets of a DC that is being started.
pub(crate) struct Sockets {
    dns: (Gate, Option<UdpSocket>),
    doors: Doors,
}

/// Ports of a DC's listeners; 0 lets the system choose.
///
/// CLDAP has the number of LDAP, as clients expect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// DNS, over UDP and TCP.
    pub dns: u16,
    /// Kerberos, over UDP and TCP.
    pub kdc: u16,
    /// The password service of Kerberos, over UDP and TCP.
    pub kpasswd: u16,
    /// LDAP over TCP and CLDAP over UDP.
    pub ldap: u16,
    /// LDAPS.
    pub ldaps: u16,
    /// The global catalogue, with StartTLS.
    pub gc: u16,
    /// The global catalogue over TLS.
    pub gcs: u16,
}

impl Ports {
    /// All chosen by the system.
    pub const SYSTEM: Self = Self { dns: 0, kdc: 0, kpasswd: 0, ldap: 0, ldaps: 0, gc: 0, gcs: 0 };

    /// Those of a real DC: 53, 88, 389, 464, 636, 3268 and 3269. Those below 1024 need privileges.
    pub const STANDARD: Self =
        Self { dns: 53, kdc: 88, kpasswd: 464, ldap: 389, ldaps: 636, gc: 3_268, gcs: 3_269 };
}

impl Sockets {
    /// Opens the listeners of the DC `dc`.
    pub(crate) fn open(dc: &str, ip: Ipv4Addr, ports: Ports) -> Result<Self, Error> {
        let sockets = SocketSource::here();
        let (gate, datagrams) = open_dns(dc, ip, ports.dns, &sockets)?;
        Ok(Self { dns: (gate, Some(datagrams)), doors: Doors::open(dc, ip, ports, &sockets)? })
    }

    /// The listeners of a DC in memory, which have numbers and no sockets.
    pub(crate) fn none(ip: Ipv4Addr) -> Self {
        let ports = Ports::STANDARD;
        Self { dns: (Gate::none((ip, ports.dns).into()), None), doors: Doors::none(ip, ports) }
    }
}

/// Opens the port for DNS of the DC `dc`, over TCP and UDP.
pub(crate) fn open_dns(
    dc: &str,
    ip: Ipv4Addr,
    port: u16,
    sockets: &SocketSource,
) -> Result<(Gate, UdpSocket), Error> {
    let open_udp = |address, sockets: &SocketSource| sockets.datagrams(address);
    sockets.pair(ip, port, open_udp).map_err(|source| Error::Bind {
        dc: dc.to_owned(),
        listener: Listener::Dns,
        address: (ip, port).into(),
        source,
    })
}

/// A DC before it serves.
pub(crate) struct Draft {
    pub(crate) view: DcView,
    pub(crate) host: Name,
    pub(crate) settings: String,
    pub(crate) given: Option<Chain>,
    pub(crate) faults: Faults,
    pub(crate) sockets: Sockets,
}

impl Draft {
    pub(crate) fn registration(&self) -> Registration {
        registration(&self.host, &self.view, &self.sockets.doors, &self.settings, &self.faults)
    }

    /// What it registers without faults.
    pub(crate) fn sound_registration(&self) -> Registration {
        let faults = Faults::default();
        registration(&self.host, &self.view, &self.sockets.doors, &self.settings, &faults)
    }

    /// The DC, and the socket for DNS datagrams, to be served; none of a domain in memory.
    pub(crate) fn finish(self, domain: &Arc<Common>) -> Result<(Dc, Option<UdpSocket>), Error> {
        let given = self.given.map(Arc::new);
        let condition = condition(self.faults, |faults, listener| {
            let enrolment = Enrolment::default();
            let shown =
                chain(domain, &self.view, &enrolment, given.as_ref(), &faults.chain(listener))?;
            Maker { domain, view: &self.view, enrolment, hellos: 0, before: None }
                .face(shown, faults, listener)
        })?;
        let (dns_gate, dns_socket) = self.sockets.dns;
        let dc = Dc {
            trail: domain.ledger.trail(Actor::Dc(self.view.name.clone())),
            view: self.view,
            host: self.host,
            domain: Arc::clone(domain),
            dns_gate,
            doors: self.sockets.doors,
            routes: RwLock::default(),
            changes: watch::Sender::new(0),
            settings: self.settings,
            given: RwLock::new(given),
            enrolments: Mutex::default(),
            changing: Mutex::new(()),
            condition: RwLock::new(Arc::new(condition)),
            hellos: AtomicU64::new(0),
        };
        dc.publish();
        dc.apply_faults()?;
        Ok((dc, dns_socket))
    }
}

impl Dc {
    /// Its name in the domain: `dc1`.
    pub fn name(&self) -> &str {
        &self.view.name
    }

    /// Its DNS name: `dc1.corp.example`.
    pub fn dns_name(&self) -> &str {
        &self.view.dns_name
    }

    /// Its address.
    pub fn ip(&self) -> Ipv4Addr {
        self.view.address
    }

    /// Where it answers DNS questions for the domain, over UDP and TCP.
    pub fn dns(&self) -> SocketAddr {
        self.dns_gate.address()
    }

    /// Where it answers netlogon pings, over UDP. The port is that of [`Dc::ldap`].
    pub fn cldap(&self) -> SocketAddr {
        self.doors.ldap()
    }

    /// Where its KDC answers, over UDP and TCP.
    ///
    /// DNS gives clients port 88 all the same: name this address in their `krb5.conf`.
    pub fn kdc(&self) -> SocketAddr {
        self.doors.kdc()
    }

    /// Where its password service answers, over UDP and TCP.
    ///
    /// DNS gives clients port 464 all the same: name this address in their `krb5.conf`.
    pub fn kpasswd(&self) -> SocketAddr {
        self.doors.kpasswd()
    }

    /// Where it serves LDAP and StartTLS.
    pub fn ldap(&self) -> SocketAddr {
        self.doors.ldap()
    }

    /// Where it serves LDAPS.
    pub fn ldaps(&self) -> SocketAddr {
        self.doors.ldaps()
    }

    /// Where it serves the global catalogue, with StartTLS.
    pub fn gc(&self) -> SocketAddr {
        self.doors.gc()
    }

    /// Where it serves the global catalogue over TLS.
    pub fn gcs(&self) -> SocketAddr {
        self.doors.gcs()
    }

    /// The numbers of its ports.
    pub fn ports(&self) -> Ports {
        Ports {
            dns: self.dns().port(),
            kdc: self.kdc().port(),
            kpasswd: self.kpasswd().port(),
            ldap: self.ldap().port(),
            ldaps: self.ldaps().port(),
            gc: self.gc().port(),
            gcs: self.gcs().port(),
        }
    }

    /// Priority and weight of its SRV records (RFC 2782).
    pub fn srv_rank(&self) -> (u16, u16) {
        let Registration { priority, weight, .. } = self.registration();
        (priority, weight)
    }

    /// The faults that it has, in the order in which they were set.
    pub fn faults(&self) -> Vec<Fault> {
        self.condition().faults.all().to_vec()
    }

    /// The chain that it shows to whoever connects to LDAPS now.
    pub fn chain(&self) -> Arc<Chain> {
        self.chain_at(Listener::Ldaps)
    }

    /// The chain that it shows to whoever connects to `listener` now. LDAPS, LDAP with StartTLS and
    /// the ports of the global catalogue differ where a fault is limited to one of them.
    pub fn chain_at(&self, listener: Listener) -> Arc<Chain> {
        Arc::clone(self.condition().face(listener).shown.chain())
    }

    /// The chain that it would show without faults.
    ///
    /// # Errors
    ///
    /// It cannot be issued.
    pub fn sound_chain(&self) -> Result<Arc<Chain>, Error> {
        let given = self.given.read().unwrap_or_else(PoisonError::into_inner).clone();
        let shown = chain(&self.domain, &self.view, &self.enrolment(), given.as_ref(), &[])?;
        Ok(Arc::clone(shown.chain()))
    }

    /// The revocation lists of its CAs in PEM, for the file of `tls crlfile`; empty if there is
    /// none.
    pub fn crl_pem(&self) -> String {
        self.condition().published().chain().crl_pem()
    }

    /// The ports that pass bytes to the real DC behind it; none if there is none.
    pub fn passed_ports(&self) -> Vec<PassedPort> {
        self.behind().map_or_else(Vec::new, |behind| behind.passed_ports())
    }

    /// Whether channel bindings that a client makes for the certificate shown on LDAPS now hold at
    /// the real DC behind it, since that shows the same one; `None` if there is none behind it.
    ///
    /// # Errors
    ///
    /// There is no TLS with the real DC, or its certificate is not believed.
    pub async fn channel_bindings_hold(&self) -> Result<Option<bool>, Error> {
        let Some(behind) = self.behind() else { return Ok(None) };
        let real = behind.leaf().await?;
        Ok(Some(real.is_some() && real.as_ref() == self.chain().certificates.first()))
    }

    /// The real DC that it is the front of, if it is one.
    pub(crate) fn behind(&self) -> Option<&Arc<Behind>> {
        self.domain.behind.as_ref()
    }

    pub(crate) fn condition(&self) -> Arc<Condition> {
        Arc::clone(&self.condition.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The domain's directory, as the DC's clock lets it see it at `listener`.
    pub(crate) fn directory(&self, listener: Listener) -> Cow<'_, Directory> {
        let directory = &self.domain.directory;
        match self.condition().faults.clock_offset(listener) {
            0 => Cow::Borrowed(directory),
            seconds => Cow::Owned(directory.with_clock_off_by(seconds)),
        }
    }

    /// Its clock, as it is for `listener`.
    pub(crate) fn clock(&self, listener: Listener) -> Clock {
        self.domain.clock.offset_by(self.condition().faults.clock_offset(listener))
    }

    /// Who it says it is at `listener`.
    pub(crate) fn netlogon_view(&self, listener: Listener) -> DcView {
        let mut view = self.view.clone();
        for fault in self.condition().faults.server(listener) {
            fault.netlogon(&mut view);
        }
        view
    }

    pub(crate) fn registration(&self) -> Registration {
        registration(&self.host, &self.view, &self.doors, &self.settings, &self.condition().faults)
    }

    /// Counts a client that says hello; the first is 1.
    pub(crate) fn count_hello(&self) -> u64 {
        self.hellos.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub(crate) fn maker<'a>(&'a self, before: &'a Condition) -> Maker<'a> {
        Maker {
            domain: &self.domain,
            view: &self.view,
            enrolment: self.enrolment(),
            hellos: self.hellos.load(Ordering::Relaxed),
            before: Some(before),
        }
    }

    /// Becomes as `faults` demand. A chain stays unless its own faults change.
    pub(crate) fn change(&self, faults: Faults) -> Result<(), Error> {
        let _changing = self.hold();
        let before = self.condition();
        let condition = condition(faults, |faults, listener| {
            let wrong = faults.chain(listener);
            let shown = if wrong == before.faults.chain(listener) {
                Arc::clone(&before.face(listener).shown)
            } else {
                let given = self.given.read().unwrap_or_else(PoisonError::into_inner).clone();
                chain(&self.domain, &self.view, &self.enrolment(), given.as_ref(), &wrong)?
            };
            self.maker(&before).face(shown, faults, listener)
        })?;
        self.become_this(condition)
    }

    /// Shows `chain` from now on.
    pub(crate) fn give(&self, chain: Chain) -> Result<(), Error> {
        let _changing = self.hold();
        let before = self.condition();
        let faults = before.faults.clone();
        if let Some(fault) = faults.all().iter().find_map(Fault::chain) {
            return Err(Error::ChainIsGiven { dc: self.name().to_owned(), fault: fault.id() });
        }
        let chain = Arc::new(chain);
        let shown = Shown::there(Arc::clone(&chain));
        let condition = condition(faults, |faults, listener| {
            self.maker(&before).face(Arc::clone(&shown), faults, listener)
        })?;
        *self.given.write().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        self.become_this(condition)
    }

    /// Held while its condition is replaced.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has no chain any more that somebody gave it.
    pub(crate) fn forget_given(&self) {
        *self.given.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn become_this(&self, condition: Condition) -> Result<(), Error> {
        *self.condition.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(condition);
        self.publish();
        self.apply_faults()
    }

    /// Puts the lists of its CAs where its certificates say they are.
    fn publish(&self) {
        let condition = self.condition();
        self.domain.directory.publish_crls(&self.view.name, condition.published().lists());
    }

    /// Makes ports and lines, its own and those of its routes, as the faults demand.
    pub(crate) fn apply_faults(&self) -> Result<(), Error> {
        let faults = &self.condition().faults;
        let failed = |source| Error::Reopen { dc: self.name().to_owned(), source };
        self.doors
            .apply(
                |listener| faults.passage(listener),
                |listener| faults.datagram_passage(listener),
            )
            .map_err(failed)?;
        if let Some(behind) = self.behind() {
            behind.apply(faults.passage(Listener::Rpc)).map_err(failed)?;
        }
        for route in self.routes() {
            let own = route.faults();
            route
                .doors
                .apply(
                    |listener| own.passage(listener).or(faults.passage(listener)),
                    |listener| own.datagram_passage(listener).or(faults.datagram_passage(listener)),
                )
                .map_err(failed)?;
        }
        self.changes.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Notices when its faults, or those of its routes, change.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Random numbers for one line.
    pub(crate) fn dice(&self) -> Stream {
        let number = self.domain.lines.fetch_add(1, Ordering::Relaxed);
        self.domain.seed.stream(&format!("line {number}"))
    }

    /// The routes to it, in the order of the clients' names.
    pub(crate) fn routes(&self) -> Vec<Arc<OpenRoute>> {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        routes.values().map(Arc::clone).collect()
    }

    pub(crate) fn route(&self, host: &str) -> Option<Arc<OpenRoute>> {
        self.routes.read().unwrap_or_else(PoisonError::into_inner).get(host).map(Arc::clone)
    }

    pub(crate) fn add_route(&self, route: Arc<OpenRoute>) {
        let host = route.host().to_owned();
        self.routes.write().unwrap_or_else(PoisonError::into_inner).insert(host, route);
    }

    pub(crate) fn remove_route(&self, host: &str) -> Option<Arc<OpenRoute>> {
        self.routes.write().unwrap_or_else(PoisonError::into_inner).remove(host)
    }

    pub(crate) fn close(&self) {
        self.dns_gate.close();
        self.doors.close();
        if let Some(behind) = self.behind() {
            behind.close();
        }
        self.routes().iter().for_each(|route| route.close());
    }
}

fn registration(
    host: &Name,
    view: &DcView,
    doors: &Doors,
    settings: &str,
    faults: &Faults,
) -> Registration {
    let mut registration =
        Registration::new(host.clone(), view.site.clone(), view.address, settings.to_owned());
    registration.ldap_port = doors.ldap().port();
    registration.gc_port = doors.gc().port();
    registration.kpasswd_port = doors.kpasswd().port();
    for fault in faults.server(Listener::Dns) {
        fault.registers(&mut registration);
    }
    registration
}
