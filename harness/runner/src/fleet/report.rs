//! What came of asking a domain's DCs with one strategy, read from the ledger.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use fake_dc::facts::{CldapPing, Connection, Handshake, HandshakeOutcome, LdapRequest, Listener};
use ground::{Actor, Event};
use serde::{Serialize, Serializer};
use sim_host::samba::facts::{CldapAnswered, LdapFailed, TcpConnecting, TcpFailed, TlsVerdict};

use super::strategy::Strategy;

/// All that was asked of one domain.
#[derive(Clone, Debug, Serialize)]
pub struct FleetReport {
    /// What the domain is: its shares, or the scenario.
    pub domain: String,
    /// How many DCs it has.
    pub dcs: usize,
    /// Whether time is virtual, and so exact: `fleet`, or `sockets`.
    pub world: &'static str,
    /// What came of each strategy, run by run.
    pub runs: Vec<Ran>,
}

/// One search for a DC that passes.
#[derive(Clone, Debug, Serialize)]
pub struct Ran {
    /// By which strategy.
    #[serde(serialize_with = "strategy_name")]
    pub strategy: Strategy,
    /// What lots and orders were drawn from.
    pub seed: u64,
    /// The DC that was found; `None` if there is none.
    pub found: Option<String>,
    /// Time to the first success, or to the last failure.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
    /// Most attempts at a time.
    pub in_flight_max: usize,
    /// TCP connections that the host began for LDAP and LDAPS.
    pub connections_begun: usize,
    /// Those that a DC has taken.
    pub connections: u64,
    /// TLS handshakes that were completed at a DC.
    pub handshakes: u64,
    /// Searches that a DC has received.
    pub searches: u64,
    /// The attempts, in the order in which they began.
    pub attempts: Vec<Attempt>,
    /// What reached each DC that something reached.
    pub load: Vec<DcLoad>,
    /// Real time that it took, our own code and the rest; of a machine, and never the same.
    #[serde(rename = "wall_ms", serialize_with = "milliseconds")]
    pub wall: Duration,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The DC.
    pub dc: String,
    /// When it began.
    #[serde(rename = "began_ms", serialize_with = "milliseconds")]
    pub began: Duration,
    /// When it ended.
    #[serde(rename = "ended_ms", serialize_with = "milliseconds")]
    pub ended: Duration,
    /// How it ended.
    pub end: End,
    /// What the host concludes: xapi's tag for a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<&'static str>,
    /// What it met, in the words of the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// Another one had succeeded.
    Cancelled,
    /// The DC did not pass.
    Failed,
    /// The DC passed.
    Passed,
    /// The strategy gave it no more time.
    TimedOut,
}

/// What reached one DC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DcLoad {
    /// The DC.
    pub dc: String,
    /// Netlogon pings.
    pub pings: u64,
    /// TCP connections for LDAP and LDAPS.
    pub connections: u64,
    /// TLS handshakes that were completed.
    pub handshakes: u64,
    /// Binds.
    pub binds: u64,
    /// Searches.
    pub searches: u64,
}

impl Ran {
    /// The same without what differs from machine to machine.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.wall = Duration::ZERO;
        self
    }

    /// The load of the DC that bears most, in connections.
    pub fn heaviest(&self) -> u64 {
        self.load.iter().map(|load| load.connections).max().unwrap_or(0)
    }

    /// How many attempts ended so.
    pub fn ended(&self, end: End) -> usize {
        self.attempts.iter().filter(|attempt| attempt.end == end).count()
    }
}

/// What the events of one run tell.
#[derive(Debug, Default)]
pub(super) struct Told {
    load: BTreeMap<String, DcLoad>,
    pub(super) connections_begun: usize,
    /// What the host met at each address, the last telling thing.
    met: BTreeMap<IpAddr, String>,
}

impl Told {
    pub(super) fn of(events: &[Event]) -> Self {
        let mut told = Self::default();
        for event in events {
            match &*event.actor {
                Actor::Dc(dc) => told.note_load(dc, event),
                _ => told.note_host(event),
            }
        }
        told
    }

    /// The load, DC by DC in the order of `names`, but for those that nothing has reached.
    pub(super) fn load<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<DcLoad> {
        names.filter_map(|name| self.load.get(name).cloned()).collect()
    }

    pub(super) fn met(&self, dc: IpAddr) -> Option<String> {
        self.met.get(&dc).cloned()
    }

    fn note_load(&mut self, dc: &str, event: &Event) {
        let is_ldap = |listener| matches!(listener, Listener::Ldap | Listener::Ldaps);
        let mut load = DcLoad::default();
        if event.fact::<Connection>().is_some_and(|fact| is_ldap(fact.listener)) {
            load.connections = 1;
        } else if event.fact::<CldapPing>().is_some() {
            load.pings = 1;
        } else if let Some(fact) = event.fact::<Handshake>() {
            load.handshakes = u64::from(fact.outcome == HandshakeOutcome::Complete);
        } else if let Some(fact) = event.fact::<LdapRequest>() {
            load.binds = u64::from(fact.operation == "bind");
            load.searches = u64::from(fact.operation == "search");
        }
        if load == DcLoad::default() {
            return;
        }
        let sum = self.load.entry(dc.to_owned()).or_default();
        sum.dc = dc.to_owned();
        sum.pings += load.pings;
        sum.connections += load.connections;
        sum.handshakes += load.handshakes;
        sum.binds += load.binds;
        sum.searches += load.searches;
    }

    fn note_host(&mut self, event: &Event) {
        let is_ldap = |port| matches!(port, 389 | 636);
        if event.fact::<TcpConnecting>().is_some_and(|fact| is_ldap(fact.port)) {
            self.connections_begun += 1;
        } else if let Some(fact) = event.fact::<CldapAnswered>().filter(|f| f.outcome != "answered")
        {
            self.met.insert(fact.dc, format!("netlogon ping: {}", fact.outcome));
        } else if let Some(fact) = event.fact::<TcpFailed>().filter(|fact| is_ldap(fact.port)) {
            self.met.insert(fact.dc, format!("port {}: {}", fact.port, fact.cause));
        } else if let Some(fact) = event.fact::<TlsVerdict>() {
            let why = fact.reasons.first().map(|reason| format!(": {reason}")).unwrap_or_default();
            self.met.insert(fact.dc, format!("{}{why}", fact.class));
        } else if let Some(fact) = event.fact::<LdapFailed>() {
            self.met.insert(fact.dc, format!("LDAP: {}", fact.cause));
        }
    }
}

/// Whole milliseconds where there are no smaller parts, as on a virtual clock.
fn milliseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    if time.subsec_nanos().is_multiple_of(1_000_000) {
        serializer.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    } else {
        serializer.serialize_f64(time.as_secs_f64() * 1_000.0)
    }
}

fn strategy_name<S: Serializer>(strategy: &Strategy, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(strategy.name())
}
