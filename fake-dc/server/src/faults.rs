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

use std::{fmt, str::FromStr};

use fake_dc_directory::{DcView, Protection, Reply};
use fake_dc_pki::ChainFault;
use hickory_proto::op::Message;
use ldap_wire::{LdapMessage, ProtocolOp};

use crate::{dns::Registration, facts::Listener, gate::Passage, tls::TlsPolicy};

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
}

impl FaultInfo {
    const fn new(
        id: &'static str,
        summary: &'static str,
        cause: &'static str,
        drawing: &'static str,
    ) -> Self {
        Self { id, summary, cause, drawing }
    }
}

/// All faults that a DC can have, family by family.
pub fn catalogue() -> Vec<FaultInfo> {
    let chain = fake_dc_pki::catalogue()
        .map(|fault| FaultInfo::new(fault.id, fault.summary, fault.cause, fault.chain));
    let mut catalogue: Vec<FaultInfo> =
        chain.chain(server_faults().map(|fault| fault.info())).collect();
    // Stable: within a family the order of the source.
    catalogue.sort_by_key(|fault| fault.id.split('.').next());
    catalogue
}

fn server_faults() -> impl Iterator<Item = &'static dyn ServerFault> {
    [handshake::FAULTS, ldap::FAULTS, name::FAULTS, discovery::FAULTS, net::FAULTS]
        .into_iter()
        .flatten()
        .copied()
}

/// A fault of the catalogue, parsed from its id.
///
/// ```
/// use fake_dc::Fault;
///
/// let fault: Fault = "net.refuse".parse()?;
/// assert_eq!(fault.id(), "net.refuse");
/// assert_eq!(
///     "net.refuze".parse::<Fault>().unwrap_err().to_string(),
///     "`net.refuze` is no fault; did you mean `net.refuse`"
/// );
/// # Ok::<(), fake_dc::UnknownFault>(())
/// ```
#[derive(Clone, Copy)]
pub struct Fault(Kind);

#[derive(Clone, Copy)]
enum Kind {
    Chain(ChainFault),
    Server(&'static dyn ServerFault),
}

impl Fault {
    /// Its id.
    pub fn id(&self) -> &'static str {
        match self.0 {
            Kind::Chain(fault) => fault.id(),
            Kind::Server(fault) => fault.info().id,
        }
    }
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        let id = ALIASES.iter().find(|(alias, _)| *alias == id).map_or(id, |&(_, id)| id);
        if let Some(fault) = fake_dc_pki::fault(id) {
            return Ok(Self(Kind::Chain(fault)));
        }
        server_faults()
            .find(|fault| fault.info().id == id)
            .map(|fault| Self(Kind::Server(fault)))
            .ok_or_else(|| UnknownFault::new(id))
    }
}

/// Other ids of faults, which are read and never written.
const ALIASES: &[(&str, &str)] = &[("ldap.invalid-credentials", "ldap.invalid-credentials-52e")];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id()
    }
}

impl Eq for Fault {}

/// Text that is no id of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault {
    /// The text.
    pub id: String,
    /// Ids that are spelt alike, the nearest first.
    pub nearest: Vec<&'static str>,
}

impl UnknownFault {
    fn new(id: &str) -> Self {
        let mut alike: Vec<(usize, &str)> = catalogue()
            .iter()
            .map(|known| (strsim::damerau_levenshtein(id, known.id), known.id))
            .filter(|&(distance, known)| distance * 3 <= known.len())
            .collect();
        alike.sort_unstable();
        let nearest = alike.into_iter().take(3).map(|(_, known)| known).collect();
        Self { id: id.to_owned(), nearest }
    }
}

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no fault", self.id)?;
        match self.nearest.as_slice() {
            [] => Ok(()),
            nearest => write!(f, "; did you mean `{}`", nearest.join("` or `")),
        }
    }
}

impl std::error::Error for UnknownFault {}

/// The faults of one DC, in the order in which they were set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self(faults)
    }

    pub(crate) fn all(&self) -> &[Fault] {
        &self.0
    }

    pub(crate) fn chain(&self) -> Vec<ChainFault> {
        self.0
            .iter()
            .filter_map(|fault| match fault.0 {
                Kind::Chain(fault) => Some(fault),
                Kind::Server(_) => None,
            })
            .collect()
    }

    pub(crate) fn server(&self) -> impl Iterator<Item = &'static dyn ServerFault> {
        self.0.iter().filter_map(|fault| match fault.0 {
            Kind::Chain(_) => None,
            Kind::Server(fault) => Some(fault),
        })
    }

    pub(crate) fn passage(&self, listener: Listener) -> Passage {
        self.server()
            .map(|fault| fault.passage(listener))
            .find(|&passage| passage != Passage::Open)
            .unwrap_or_default()
    }

    pub(crate) fn speaks_tls(&self, listener: Listener) -> bool {
        self.server()
            .find_map(|fault| fault.speaks_tls(listener))
            .unwrap_or(listener == Listener::Ldaps)
    }

    pub(crate) fn on_hello(&self) -> Option<OnHello> {
        self.server().find_map(|fault| {
            let verdict = fault.on_hello()?;
            Some(OnHello { id: fault.info().id, verdict })
        })
    }
}

/// A fault of the server: hooks where the server does something, each doing nothing by default.
pub(crate) trait ServerFault: Sync {
    /// What it is.
    fn info(&self) -> FaultInfo;

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
