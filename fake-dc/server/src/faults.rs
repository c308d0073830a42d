//! The catalogue of faults: those of chains, from `fake-dc-pki`, and those of the server.
//!
//! A server fault is one file below this module: a type, its real-life cause, and the hooks of
//! `ServerFault` that it takes part in, each called where that thing happens in reality. Faults
//! compose: changes are made one after the other in the order of the list; where only one thing
//! can be done, the first fault that has something to do decides.

mod discovery;
mod handshake;
mod ldap;
mod name;
mod net;

use std::sync::Arc;

use fake_dc_directory::{DcView, Protection, Reply};
use hickory_proto::op::Message;
use ldap_wire::{LdapMessage, ProtocolOp};

use crate::{dns::Registration, facts::Listener, fault::Faults, gate::Passage, tls::TlsPolicy};

/// What a fault is, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultInfo {
    /// Its id, which never changes.
    pub id: &'static str,
    /// What is wrong, in one line.
    pub summary: &'static str,
    /// What leads to it in real life.
    pub cause: &'static str,
    /// The chain, drawn, or what passes between client and DC, line by line.
    pub drawing: &'static str,
    /// What its value says and is by default, if it takes one: `a duration such as `250ms` …`.
    pub value: Option<&'static str>,
    /// The listeners at which it acts, and may be limited to.
    pub listeners: &'static [Listener],
}

impl FaultInfo {
    const fn new(
        id: &'static str,
        summary: &'static str,
        cause: &'static str,
        drawing: &'static str,
    ) -> Self {
        let listeners = &[Listener::Ldap, Listener::Ldaps];
        Self { id, summary, cause, drawing, value: None, listeners }
    }

    /// Acting at these listeners instead of LDAP and LDAPS. Its hooks are asked for no other.
    const fn at(self, listeners: &'static [Listener]) -> Self {
        Self { listeners, ..self }
    }

    /// Taking this as its value, see [`ServerFault::with`].
    #[expect(dead_code, reason = "until the first fault takes a value")]
    const fn taking(self, value: &'static str) -> Self {
        Self { value: Some(value), ..self }
    }
}

/// All faults that a DC can have, family by family.
pub fn catalogue() -> Vec<FaultInfo> {
    let chain = fake_dc_pki::catalogue().map(chain_fault_info);
    let mut catalogue: Vec<FaultInfo> =
        chain.chain(server_faults().map(|fault| fault.info())).collect();
    // Stable: within a family the order of the source.
    catalogue.sort_by_key(|fault| fault.id.split('.').next());
    catalogue
}

pub(crate) fn chain_fault_info(fault: &fake_dc_pki::FaultInfo) -> FaultInfo {
    FaultInfo::new(fault.id, fault.summary, fault.cause, fault.chain)
}

pub(crate) fn server_faults() -> impl Iterator<Item = &'static dyn ServerFault> {
    [handshake::FAULTS, ldap::FAULTS, name::FAULTS, discovery::FAULTS, net::FAULTS]
        .into_iter()
        .flatten()
        .copied()
}

/// What the faults of a DC do together.
impl Faults {
    pub(crate) fn passage(&self, listener: Listener) -> Passage {
        self.server(listener)
            .map(|fault| fault.passage(listener))
            .find(|&passage| passage != Passage::Open)
            .unwrap_or_default()
    }

    pub(crate) fn speaks_tls(&self, listener: Listener) -> bool {
        self.server(listener)
            .find_map(|fault| fault.speaks_tls(listener))
            .unwrap_or(listener == Listener::Ldaps)
    }

    pub(crate) fn on_hello(&self, listener: Listener) -> Option<OnHello> {
        self.server(listener).find_map(|fault| {
            let verdict = fault.on_hello()?;
            Some(OnHello { id: fault.info().id, verdict })
        })
    }
}

/// A fault of the server: hooks where the server does something, each doing nothing by default.
///
/// A hook is asked only for the listeners that [`FaultInfo::at`] names, and of these, only for the
/// one that a user has limited the fault to. What a DC registers counts as DNS.
pub(crate) trait ServerFault: Send + Sync {
    /// What it is.
    fn info(&self) -> FaultInfo;

    /// The same fault with a value, if it takes one ([`FaultInfo::taking`]) and can read this.
    fn with(&self, _value: &str) -> Option<Arc<dyn ServerFault>> {
        None
    }

    /// What a port does with whoever connects or, for pings over UDP, with datagrams.
    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Open
    }

    /// Changes what the DC has registered in DNS; every DNS server of the domain shows it.
    fn registers(&self, _registration: &mut Registration) {}

    /// Changes what this DC's DNS server answers. `None`: nothing is sent.
    fn dns(&self, response: Message) -> Option<Message> {
        Some(response)
    }

    /// Changes who the DC says it is in answers to netlogon pings.
    fn netlogon(&self, _dc: &mut DcView) {}

    /// Whether a listener begins with TLS, if not as it should.
    fn speaks_tls(&self, _listener: Listener) -> Option<bool> {
        None
    }

    /// Changes what TLS offers.
    fn tls_policy(&self, _policy: &mut TlsPolicy) {}

    /// What is done when a ClientHello has come, instead of a handshake.
    fn on_hello(&self) -> Option<HelloVerdict> {
        None
    }

    /// What is answered to a request without asking the directory.
    fn on_request(&self, _request: &LdapMessage, _protection: Protection) -> Option<Reply> {
        None
    }

    /// Changes the directory's reply to a request.
    fn on_reply(&self, _request: &ProtocolOp, _reply: &mut Reply) {}
}

/// What a fault does to a client that has sent its ClientHello.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnHello {
    /// Id of the fault, for the ledger.
    pub(crate) id: &'static str,
    pub(crate) verdict: HelloVerdict,
}

impl OnHello {
    /// True if the client gets to see the certificate.
    pub(crate) fn shows_certificate(&self) -> bool {
        matches!(self.verdict, HelloVerdict::FirstFlight(AfterFlight::Close))
    }
}

/// See [`OnHello`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum HelloVerdict {
    /// Sends these bytes, possibly none, and closes.
    Answer(&'static [u8]),
    /// Sends what a server sends first, and then does this.
    FirstFlight(AfterFlight),
    /// Resets the connection.
    Reset,
}

/// What follows the server's first flight.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AfterFlight {
    /// The connection is closed when the client has spoken.
    Close,
    /// Nothing, and of the flight itself only the ServerHello.
    StallAfterServerHello,
}
