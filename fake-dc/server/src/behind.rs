//! A real DC behind ours: what a directory of our own answers for other DCs, the real one answers
//! here, through connections of ours to it.
//!
//! Our DC is its front. It has the real one's name, ends TLS with a chain of its own, and is wrong
//! in every way that a chain, a handshake, a port or DNS can be wrong. What passes inside is the
//! real DC's word:
//!
//! ```text
//! find       who the real DC says it is
//! link       our connection to it, plain or TLS, and whether its certificate is believed
//! ldap       LDAP, message by message, so that StartTLS is ended here as well
//! datagrams  netlogon pings and Kerberos over UDP
//! names      DNS: our zone for the names of the DC, the real one's server for all others
//! passed     every other port, byte by byte; with those that the endpoint mapper gives out
//! towers     the answers of the endpoint mapper, in which the front stands for the real DC
//! ```
//!
//! Channel bindings of the type `tls-server-end-point` (RFC 5929) are the hash of the certificate
//! that the client was shown, which is the front's. They hold at the real DC if both show the same
//! one, or if it demands none.

mod datagrams;
mod find;
mod ldap;
mod link;
mod names;
mod passed;
mod towers;

use std::{io, net::Ipv4Addr, sync::Arc};

use fake_dc_directory::{DcView, LdifSource, Reply, Then, netlogon_flag};
use ground::{Timestamp, Trail};
use ldap_wire::{LdapMessage, ProtocolOp};
use rustls::pki_types::CertificateDer;

pub(crate) use self::{
    datagrams::answer as answer_datagram, ldap::serve as serve_ldap, names::ask as ask_dns,
    passed::serve as serve_passed,
};
pub use self::{
    find::{RealDc, RealDcError},
    link::{Trust, TrustError},
    passed::PassedPort,
};
use self::{
    link::{Connector, Link, shown},
    passed::Passed,
};
use crate::{
    dc::{Dc, Ports},
    dns::Zone,
    error::Error,
    facts::{Listener, Unreachable},
    fault::Fault,
    gate::Passage,
    route::Way,
    stream::Stream,
    tasks::Spawner,
};

/// The real DC, and all that our front needs to stand for it.
#[derive(Debug)]
pub(crate) struct Behind {
    real: RealDc,
    connector: Connector,
    /// What a sound DC registers: the names that DNS answers here, whatever faults make of them.
    names: Zone,
    passed: Passed,
    /// When the front got its certificate.
    enrolled: Timestamp,
}

impl Behind {
    /// Opens the ports that only pass bytes, for the front at `ip`. Must be called within a tokio
    /// runtime.
    pub(crate) fn open(
        real: RealDc,
        ip: Ipv4Addr,
        ports: Ports,
        names: Zone,
        own_ca: CertificateDer<'static>,
        enrolled: Timestamp,
    ) -> Result<Self, Error> {
        let passed = Passed::open(&real, ip, ports).map_err(|(port, source)| Error::Bind {
            dc: real.name().to_owned(),
            listener: Listener::Rpc,
            address: (ip, port).into(),
            source,
        })?;
        Ok(Self { connector: Connector::new(&real, own_ca), real, names, passed, enrolled })
    }

    /// When the front got its certificate.
    pub(crate) fn enrolled(&self) -> Timestamp {
        self.enrolled
    }

    /// The certificate that the real DC shows on LDAPS now.
    pub(crate) async fn leaf(&self) -> Result<Option<CertificateDer<'static>>, RealDcError> {
        let (address, port) = (self.real.address(), self.real.port(Listener::Ldaps, true));
        let link = self.connector.connect(port, true).await;
        let link = link.map_err(|source| RealDcError::NotBelieved { address, port, source })?;
        Ok(shown(&link))
    }

    /// Serves the ports that only pass bytes.
    pub(crate) fn serve(&self, dc: &Arc<Dc>, spawner: &Spawner) {
        self.passed.serve(&Way::direct(dc), spawner);
    }

    /// Serves a connection to one of the DC's own listeners other than LDAP.
    pub(crate) async fn relay(&self, listener: Listener, stream: Stream, trail: &Trail) {
        let Some(link) = self.connect(listener, false, trail).await else {
            return stream.reset();
        };
        passed::relay(stream, link).await;
    }

    pub(crate) fn apply(&self, passage: Passage) -> io::Result<()> {
        self.passed.apply(passage)
    }

    pub(crate) fn close(&self) {
        self.passed.close();
    }

    /// The ports that only pass bytes, as they are now.
    pub(crate) fn passed_ports(&self) -> Vec<PassedPort> {
        self.passed.ports()
    }

    /// A connection to the real DC's counterpart of `listener`. A failure is recorded.
    async fn connect(&self, listener: Listener, tls: bool, trail: &Trail) -> Option<Link> {
        let port = self.real.port(listener, tls);
        self.recorded(self.connector.connect(port, tls).await, listener, trail)
    }

    fn recorded<T>(&self, outcome: io::Result<T>, listener: Listener, trail: &Trail) -> Option<T> {
        outcome
            .inspect_err(|error| {
                trail.record(Unreachable { listener, reason: error.to_string() });
            })
            .ok()
    }

    /// The answer to a netlogon ping while faults let the DC claim what the real one does not: our
    /// own, with the facts that the real DC gave of itself. `None` if the real one is to be asked.
    fn claimed(&self, dc: &Dc, listener: Listener, request: &LdapMessage) -> Option<Reply> {
        let ProtocolOp::SearchRequest(search) = &request.op else { return None };
        let is_ping = |name: &String| name.eq_ignore_ascii_case("netlogon");
        if !search.base.is_empty() || !search.attributes.iter().any(is_ping) {
            return None;
        }
        let view = dc.netlogon_view(listener);
        (view != dc.view).then(|| Reply {
            messages: dc.domain.directory.handle_datagram(&view, None, request.clone()),
            then: Then::Continue,
        })
    }
}

/// Refuses faults of what the real DC does itself: its KDC, and its clock.
pub(crate) fn check(faults: &[Fault]) -> Result<(), Error> {
    match faults.iter().find(|fault| fault.is_of_own_making()) {
        Some(fault) => Err(Error::NotBeforeRealDc { fault: fault.id() }),
        None => Ok(()),
    }
}

/// What our own netlogon answers must say so that they are those of `real`.
pub(crate) fn imitate(real: &RealDc, view: &mut DcView) {
    view.netlogon.flags_added = real.flags();
    // A fault makes the DC a read-only one with this bit, which must not be lacking then.
    view.netlogon.flags_missing = !real.flags() & !netlogon_flag::SOME_SECRETS;
}

/// The identity of the domain, for a directory that imitates `real`.
pub(crate) fn domain_head(real: &RealDc) -> LdifSource {
    let dn: Vec<String> = real.domain().split('.').map(|label| format!("DC={label}")).collect();
    LdifSource {
        name: "the domain behind".to_owned(),
        text: format!(
            "dn: {}\nobjectClass: domainDNS\nobjectGUID: {}\n",
            dn.join(","),
            real.guid()
        ),
    }
}
