//! The catalogue of faults: those of chains, from `fake-dc-pki`, and those of the server.
//!
//! A server fault is one file below this module: a type, its real-life cause, and the hooks of
//! `ServerFault` that it takes part in, each called where that thing happens in reality. Faults
//! compose: changes are made one after the other in the order of the list; where only one thing
//! can be done, the first fault that has something to do decides.

mod discovery;
mod handshake;
mod kerberos;
mod ldap;
mod name;
mod net;
mod time;
mod values;

use std::sync::Arc;

use fake_dc_directory::{DcView, Reply, Then};
use fake_dc_kerberos::{ErrorCode, Summary};
use ground::Transport;
use hickory_proto::op::Message;
use ldap_wire::{BindResponse, ExtendedResponse, LdapMessage, LdapResult, ProtocolOp};
use serde::Serialize;

pub(crate) use handshake::WITHOUT_CERTIFICATE;

use crate::{
    dns::Registration,
    exchange::{Asked, Output},
    facts::Listener,
    fault::Faults,
    gate::Passage,
    kdc::{Conduct, Found},
    line::Line,
    tls::{ClientHello, TlsPolicy, flight::Flight},
};

/// What a fault is, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
    /// Whether it is one of the way to the DC, and may be set on a route.
    pub on_route: bool,
}

impl FaultInfo {
    const fn new(
        id: &'static str,
        summary: &'static str,
        cause: &'static str,
        drawing: &'static str,
    ) -> Self {
        let listeners = Listener::LDAP;
        Self { id, summary, cause, drawing, value: None, listeners, on_route: false }
    }

    /// A fault of the way to the DC: it acts through [`ServerFault::passage`],
    /// [`ServerFault::datagram_passage`], [`ServerFault::connections_max`] and
    /// [`ServerFault::line`] alone.
    const fn on_route(self) -> Self {
        Self { on_route: true, ..self }
    }

    /// Acting at these listeners instead of those of LDAP over TCP. Its hooks are asked for no other.
    const fn at(self, listeners: &'static [Listener]) -> Self {
        Self { listeners, ..self }
    }

    /// Taking this as its value, see [`ServerFault::with`].
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
    catalogue.sort_by_cached_key(|fault| fault.id.split('.').next());
    catalogue
}

pub(crate) fn chain_fault_info(fault: &fake_dc_pki::FaultInfo) -> FaultInfo {
    FaultInfo::new(fault.id, fault.summary, fault.cause, fault.chain)
}

pub(crate) fn server_faults() -> impl Iterator<Item = &'static dyn ServerFault> {
    [
        handshake::FAULTS,
        ldap::FAULTS,
        kerberos::FAULTS,
        name::FAULTS,
        time::FAULTS,
        discovery::FAULTS,
        net::FAULTS,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// What the faults of a DC do together.
impl Faults {
    pub(crate) fn passage(&self, listener: Listener) -> Passage {
        self.server(listener)
            .fold(Passage::Open, |passage, fault| passage.or(fault.passage(listener)))
    }

    pub(crate) fn datagram_passage(&self, listener: Listener) -> Passage {
        self.server(listener)
            .fold(Passage::Open, |passage, fault| passage.or(fault.datagram_passage(listener)))
    }

    pub(crate) fn connections_max(&self, listener: Listener) -> Option<u64> {
        self.server(listener).filter_map(|fault| fault.connections_max(listener)).min()
    }

    pub(crate) fn shape(&self, listener: Listener, line: &mut Line) {
        self.server(listener).for_each(|fault| fault.line(listener, line));
    }

    /// By how many seconds the clock is wrong that answers at `listener`.
    pub(crate) fn clock_offset(&self, listener: Listener) -> i64 {
        self.server(listener).map(|fault| fault.clock_offset()).sum()
    }

    pub(crate) fn speaks_tls(&self, listener: Listener) -> bool {
        self.server(listener)
            .find_map(|fault| fault.speaks_tls(listener))
            .unwrap_or(listener.begins_with_tls())
    }

    pub(crate) fn closes_at_once(&self, listener: Listener) -> bool {
        self.server(listener).any(|fault| fault.closes_at_once())
    }

    pub(crate) fn on_hello(&self, greeting: &Greeting<'_>) -> Option<OnHello> {
        self.server(greeting.listener).find_map(|fault| {
            let verdict = fault.on_hello(greeting)?;
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

    /// What a TCP port does with whoever connects.
    fn passage(&self, _listener: Listener) -> Passage {
        Passage::Open
    }

    /// What a UDP port does with datagrams. By default what TCP ports do with connections.
    fn datagram_passage(&self, listener: Listener) -> Passage {
        self.passage(listener)
    }

    /// How many connections may be open at a port, on each way to it. More are reset.
    fn connections_max(&self, _listener: Listener) -> Option<u64> {
        None
    }

    /// Changes the line on which the bytes of connections travel, also of those that are open.
    fn line(&self, _listener: Listener, _line: &mut Line) {}

    /// By how many seconds the DC's clock is wrong (negative: behind).
    fn clock_offset(&self) -> i64 {
        0
    }

    /// Changes what the DC has registered in DNS; every DNS server of the domain shows it.
    fn registers(&self, _registration: &mut Registration) {}

    /// Changes what this DC's DNS server answers. `None`: nothing is sent.
    fn dns(&self, response: Message, _over: Transport) -> Option<Message> {
        Some(response)
    }

    /// Changes the bytes of such an answer.
    fn dns_bytes(&self, _bytes: &mut Vec<u8>) {}

    /// Changes what the KDC goes by.
    fn kdc(&self, _conduct: &mut Conduct) {}

    /// Changes what the KDC finds under a name.
    fn kdc_finds(&self, _found: &mut Found<'_>) {}

    /// The error that the KDC answers a request with, whatever it asks for.
    fn kdc_refusal(&self, _asked: &Summary) -> Option<ErrorCode> {
        None
    }

    /// Changes the bytes of the KDC's answer.
    fn kdc_bytes(&self, _bytes: &mut Vec<u8>) {}

    /// Changes who the DC says it is in answers to netlogon pings.
    fn netlogon(&self, _dc: &mut DcView) {}

    /// Whether a listener begins with TLS, if not as it should.
    fn speaks_tls(&self, _listener: Listener) -> Option<bool> {
        None
    }

    /// Whether a listener closes a connection as soon as it has taken it.
    fn closes_at_once(&self) -> bool {
        false
    }

    /// Changes what TLS offers and shows.
    fn tls_policy(&self, _policy: &mut TlsPolicy) {}

    /// The faults of a second chain that the DC has, shown to some clients. It is issued by the
    /// domain's own CA when the fault is set, also on a DC that was given its chain.
    fn other_chain(&self) -> Option<&'static [&'static str]> {
        None
    }

    /// Whether a client is shown that second chain.
    fn shows_other_chain(&self, _greeting: &Greeting<'_>) -> bool {
        false
    }

    /// What is done when a ClientHello has come, instead of a handshake.
    fn on_hello(&self, _greeting: &Greeting<'_>) -> Option<HelloVerdict> {
        None
    }

    /// What the server says to whoever has connected, before it is asked anything.
    fn on_connect(&self) -> Option<Reply> {
        None
    }

    /// What is answered to a request without asking the directory.
    fn on_request(&self, _asked: &Asked<'_>) -> Option<Reply> {
        None
    }

    /// Changes the reply to a request, that of the directory or of a fault.
    fn on_reply(&self, _asked: &Asked<'_>, _reply: &mut Reply) {}

    /// Changes the bytes of a reply, and what becomes of the connection.
    fn on_output(&self, _asked: &Asked<'_>, _output: &mut Output) {}
}

/// The response that `request` has, with `result`; `None` for requests without one.
fn refuse(request: &LdapMessage, result: LdapResult) -> Option<Reply> {
    let op = match &request.op {
        ProtocolOp::BindRequest(_) => {
            ProtocolOp::BindResponse(BindResponse { result, server_sasl_credentials: None })
        }
        ProtocolOp::SearchRequest(_) => ProtocolOp::SearchResultDone(result),
        ProtocolOp::ModifyRequest(_) => ProtocolOp::ModifyResponse(result),
        ProtocolOp::AddRequest(_) => ProtocolOp::AddResponse(result),
        ProtocolOp::DelRequest(_) => ProtocolOp::DelResponse(result),
        ProtocolOp::ModifyDnRequest(_) => ProtocolOp::ModifyDnResponse(result),
        ProtocolOp::CompareRequest(_) => ProtocolOp::CompareResponse(result),
        ProtocolOp::ExtendedRequest(asked) => ProtocolOp::ExtendedResponse(ExtendedResponse {
            result,
            name: Some(asked.name.clone()),
            value: None,
        }),
        _ => return None,
    };
    Some(Reply { messages: vec![LdapMessage::new(request.id, op)], then: Then::Continue })
}

/// A client that has said hello.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Greeting<'a> {
    pub(crate) listener: Listener,
    pub(crate) hello: &'a ClientHello,
    /// The name of the DC.
    pub(crate) dc_name: &'a str,
    /// Which hello this is, the first being 1: for [`ServerFault::shows_other_chain`] counted since
    /// the fault was set, else since the DC was started.
    pub(crate) number: u64,
}

/// What a fault does to a client that has sent its ClientHello.
#[derive(Debug)]
pub(crate) struct OnHello {
    /// Id of the fault, for the ledger.
    pub(crate) id: &'static str,
    pub(crate) verdict: HelloVerdict,
}

/// See [`OnHello`].
#[derive(Debug)]
pub(crate) enum HelloVerdict {
    /// Sends these bytes, possibly none, and closes.
    Answer(Vec<u8>),
    /// Sends what a server sends first, edited, and then does this.
    FirstFlight { edit: fn(&mut Flight), afterwards: Afterwards },
    /// Resets the connection.
    Reset,
    /// Says nothing and holds the connection until the client ends it.
    Silence,
}

impl HelloVerdict {
    /// True if the client gets to see the certificate.
    pub(crate) fn shows_certificate(&self) -> bool {
        let Self::FirstFlight { afterwards, .. } = self else { return false };
        matches!(afterwards, Afterwards::Alert(_) | Afterwards::Close)
    }
}

/// What follows the server's first flight.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Afterwards {
    /// A fatal alert when the client has spoken.
    Alert(u8),
    /// The connection is closed when the client has spoken.
    Close,
    /// Nothing: the client ends the connection.
    Listen,
    /// A reset at once.
    Reset,
}
