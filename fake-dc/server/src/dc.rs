//! One DC: its listeners, its condition, and what it hands to whom.

use std::{
    borrow::Cow,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, PoisonError, RwLock},
};

use fake_dc_directory::{DcView, Directory};
use fake_dc_pki::{AltName, Chain, ChainFault, DcIdentity};
use ground::{Actor, Clock, Trail};
use hickory_proto::rr::Name;
use tokio::net::UdpSocket;

use crate::{
    datagram_gate::DatagramGate,
    dns::Registration,
    domain::Common,
    error::Error,
    facts::Listener,
    fault::{Fault, Faults},
    gate::{Gate, Passage},
    limits,
    tls::{Identity, TlsPolicy},
};

/// A running domain controller.
#[derive(Debug)]
pub struct Dc {
    pub(crate) view: DcView,
    pub(crate) host: Name,
    pub(crate) domain: Arc<Common>,
    pub(crate) trail: Trail,
    pub(crate) dns_gate: Gate,
    pub(crate) cldap_gate: DatagramGate,
    pub(crate) kdc_gate: Gate,
    pub(crate) kdc_datagram_gate: DatagramGate,
    pub(crate) ldap_gate: Gate,
    pub(crate) ldaps_gate: Gate,
    settings: String,
    given: RwLock<Option<Arc<Chain>>>,
    condition: RwLock<Arc<Condition>>,
}

/// How a DC is at the moment. Replaced as a whole; whoever holds one keeps it.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) faults: Faults,
    ldap: Arc<Face>,
    /// The same as `ldap` where the faults are the same.
    ldaps: Arc<Face>,
}

impl Condition {
    /// What `listener` shows of the DC on TLS.
    pub(crate) fn face(&self, listener: Listener) -> &Arc<Face> {
        match listener {
            Listener::Ldap => &self.ldap,
            Listener::Cldap | Listener::Dns | Listener::Kdc | Listener::Ldaps => &self.ldaps,
        }
    }
}

/// What a TLS listener of a DC shows.
#[derive(Debug)]
pub(crate) struct Face {
    pub(crate) chain: Arc<Chain>,
    pub(crate) identity: Identity,
}

/// Sockets of a DC that is being started.
pub(crate) struct Sockets {
    dns: (Gate, UdpSocket),
    kdc: (Gate, DatagramGate),
    ldap: (Gate, DatagramGate),
    ldaps: Gate,
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
    /// LDAP over TCP and CLDAP over UDP.
    pub ldap: u16,
    /// LDAPS.
    pub ldaps: u16,
}

impl Ports {
    /// All chosen by the system.
    pub const SYSTEM: Self = Self { dns: 0, kdc: 0, ldap: 0, ldaps: 0 };

    /// Those of a real DC: 53, 88, 389 and 636. They need privileges.
    pub const STANDARD: Self = Self { dns: 53, kdc: 88, ldap: 389, ldaps: 636 };
}

impl Sockets {
    /// Opens the listeners of the DC `dc`.
    pub(crate) fn open(dc: &str, ip: Ipv4Addr, ports: Ports) -> Result<Self, Error> {
        let failed = |listener, port| {
            let address = SocketAddr::from((ip, port));
            move |source| Error::Bind { dc: dc.to_owned(), listener, address, source }
        };
        let dns = open_pair(ip, ports.dns, |address| {
            let socket = std::net::UdpSocket::bind(address)?;
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket)
        })
        .map_err(failed(Listener::Dns, ports.dns))?;
        let kdc = open_pair(ip, ports.kdc, DatagramGate::open)
            .map_err(failed(Listener::Kdc, ports.kdc))?;
        let ldap = open_pair(ip, ports.ldap, DatagramGate::open)
            .map_err(failed(Listener::Ldap, ports.ldap))?;
        let ldaps =
            Gate::open((ip, ports.ldaps).into()).map_err(failed(Listener::Ldaps, ports.ldaps))?;
        Ok(Self { dns, kdc, ldap, ldaps })
    }

    pub(crate) fn ldap_port(&self) -> u16 {
        self.ldap.0.address().port()
    }
}

/// Opens one port number for TCP and UDP.
fn open_pair<T>(
    ip: Ipv4Addr,
    port: u16,
    open_udp: impl Fn(SocketAddr) -> io::Result<T>,
) -> io::Result<(Gate, T)> {
    let mut attempts = limits::PORT_PAIR_ATTEMPTS;
    loop {
        let gate = Gate::open((ip, port).into())?;
        match open_udp(gate.address()) {
            Ok(socket) => return Ok((gate, socket)),
            Err(error) if port == 0 && attempts > 0 && error.kind() == io::ErrorKind::AddrInUse => {
                attempts -= 1;
            }
            Err(error) => return Err(error),
        }
    }
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
        registration(
            &self.host,
            self.view.address,
            self.sockets.ldap_port(),
            &self.settings,
            &self.faults,
        )
    }

    /// The DC, and the socket for DNS datagrams, to be served.
    pub(crate) fn finish(self, domain: &Arc<Common>) -> Result<(Dc, UdpSocket), Error> {
        let given = self.given.map(Arc::new);
        let condition = condition(self.faults, |faults, listener| {
            let chain = chain(domain, &self.view, given.as_ref(), &faults.chain(listener))?;
            face(domain, &self.view, chain, faults, listener)
        })?;
        let (dns_gate, dns_socket) = self.sockets.dns;
        let (kdc_gate, kdc_datagram_gate) = self.sockets.kdc;
        let (ldap_gate, cldap_gate) = self.sockets.ldap;
        let dc = Dc {
            trail: domain.ledger.trail(Actor::Dc(self.view.name.clone())),
            view: self.view,
            host: self.host,
            domain: Arc::clone(domain),
            dns_gate,
            cldap_gate,
            kdc_gate,
            kdc_datagram_gate,
            ldap_gate,
            ldaps_gate: self.sockets.ldaps,
            settings: self.settings,
            given: RwLock::new(given),
            condition: RwLock::new(Arc::new(condition)),
        };
        dc.apply_passages()?;
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
        self.ldap_gate.address()
    }

    /// Where its KDC answers, over UDP and TCP.
    ///
    /// DNS gives clients port 88 all the same: name this address in their `krb5.conf`.
    pub fn kdc(&self) -> SocketAddr {
        self.kdc_gate.address()
    }

    /// Where it serves LDAP and StartTLS.
    pub fn ldap(&self) -> SocketAddr {
        self.ldap_gate.address()
    }

    /// Where it serves LDAPS.
    pub fn ldaps(&self) -> SocketAddr {
        self.ldaps_gate.address()
    }

    /// The faults that it has, in the order in which they were set.
    pub fn faults(&self) -> Vec<Fault> {
        self.condition().faults.all().to_vec()
    }

    /// The chain that it shows to whoever connects to LDAPS now.
    pub fn chain(&self) -> Arc<Chain> {
        self.chain_at(Listener::Ldaps)
    }

    /// The chain that it shows to whoever connects now: to LDAP with StartTLS, or to LDAPS. They
    /// differ where a fault is limited to one of them.
    pub fn chain_at(&self, listener: Listener) -> Arc<Chain> {
        Arc::clone(&self.condition().face(listener).chain)
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
        registration(
            &self.host,
            self.view.address,
            self.ldap().port(),
            &self.settings,
            &self.condition().faults,
        )
    }

    /// Becomes as `faults` demand. A chain stays unless its own faults change.
    pub(crate) fn change(&self, faults: Faults) -> Result<(), Error> {
        let before = self.condition();
        let condition = condition(faults, |faults, listener| {
            let wrong = faults.chain(listener);
            let chain = if wrong == before.faults.chain(listener) {
                Arc::clone(&before.face(listener).chain)
            } else {
                let given = self.given.read().unwrap_or_else(PoisonError::into_inner).clone();
                chain(&self.domain, &self.view, given.as_ref(), &wrong)?
            };
            face(&self.domain, &self.view, chain, faults, listener)
        })?;
        self.become_this(condition)
    }

    /// Shows `chain` from now on.
    pub(crate) fn give(&self, chain: Chain) -> Result<(), Error> {
        let faults = self.condition().faults.clone();
        if let Some(fault) = faults.all().iter().find_map(Fault::chain) {
            return Err(Error::ChainIsGiven { dc: self.name().to_owned(), fault: fault.id() });
        }
        let chain = Arc::new(chain);
        let condition = condition(faults, |faults, listener| {
            face(&self.domain, &self.view, Arc::clone(&chain), faults, listener)
        })?;
        *self.given.write().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        self.become_this(condition)
    }

    fn become_this(&self, condition: Condition) -> Result<(), Error> {
        *self.condition.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(condition);
        self.apply_passages()
    }

    fn apply_passages(&self) -> Result<(), Error> {
        let condition = self.condition();
        let apply = |gate: &Gate, listener| {
            gate.set(condition.faults.passage(listener))
                .map_err(|source| Error::Reopen { dc: self.name().to_owned(), source })
        };
        let apply_datagrams = |gate: &DatagramGate, listener| {
            gate.set_refusing(condition.faults.datagram_passage(listener) == Passage::Refuse)
                .map_err(|source| Error::Reopen { dc: self.name().to_owned(), source })
        };
        apply(&self.kdc_gate, Listener::Kdc)?;
        apply(&self.ldap_gate, Listener::Ldap)?;
        apply(&self.ldaps_gate, Listener::Ldaps)?;
        apply_datagrams(&self.kdc_datagram_gate, Listener::Kdc)?;
        apply_datagrams(&self.cldap_gate, Listener::Cldap)
    }

    pub(crate) fn close(&self) {
        self.dns_gate.close();
        self.cldap_gate.close();
        self.kdc_gate.close();
        self.kdc_datagram_gate.close();
        self.ldap_gate.close();
        self.ldaps_gate.close();
    }
}

fn registration(
    host: &Name,
    address: Ipv4Addr,
    ldap_port: u16,
    settings: &str,
    faults: &Faults,
) -> Registration {
    let mut registration = Registration::new(host.clone(), address, ldap_port, settings.to_owned());
    for fault in faults.server(Listener::Dns) {
        fault.registers(&mut registration);
    }
    registration
}

fn chain(
    domain: &Common,
    view: &DcView,
    given: Option<&Arc<Chain>>,
    faults: &[ChainFault],
) -> Result<Arc<Chain>, Error> {
    match (given, faults.first()) {
        (None, _) => {}
        (Some(chain), None) => return Ok(Arc::clone(chain)),
        (Some(_), Some(fault)) => {
            return Err(Error::ChainIsGiven { dc: view.name.clone(), fault: fault.id() });
        }
    }
    let identity = DcIdentity {
        name: view.name.clone(),
        dns_name: view.dns_name.clone(),
        domain: domain.name.clone(),
        addresses: vec![view.address.into()],
    };
    let mut plan = domain.pki.plan_at(domain.clock.now(), &identity)?;
    if domain.addresses_in_certificates {
        plan.leaf().also_named([view.dns_name.as_str().into(), AltName::Ip(view.address.into())]);
    }
    for fault in faults {
        fault.apply(&mut plan);
    }
    Ok(Arc::new(plan.issue()?))
}

/// The condition with `faults`, each face made by `face`, but only one if both are alike.
fn condition(
    faults: Faults,
    face: impl Fn(&Faults, Listener) -> Result<Face, Error>,
) -> Result<Condition, Error> {
    let ldaps = Arc::new(face(&faults, Listener::Ldaps)?);
    let ldap = if faults.at(Listener::Ldap).eq(faults.at(Listener::Ldaps)) {
        Arc::clone(&ldaps)
    } else {
        Arc::new(face(&faults, Listener::Ldap)?)
    };
    Ok(Condition { faults, ldap, ldaps })
}

fn face(
    domain: &Common,
    view: &DcView,
    chain: Arc<Chain>,
    faults: &Faults,
    listener: Listener,
) -> Result<Face, Error> {
    let mut policy = TlsPolicy::open(&domain.provider);
    for fault in faults.server(listener) {
        fault.tls_policy(&mut policy);
    }
    let identity = Identity::new(policy, &chain)
        .map_err(|source| Error::Unservable { dc: view.name.clone(), source })?;
    Ok(Face { chain, identity })
}
