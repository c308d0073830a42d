//! Watches the real programs of a host at work, and records what the model would have recorded
//! itself, where it can be known: from what a program prints, and from what the DCs saw of the host.

use std::{collections::BTreeMap, net::IpAddr};

use fake_dc::facts::{CldapPing, Connection, Handshake, HandshakeOutcome, LdapRequest, LdapResult};
use ground::{Actor, Event, EventId, Trail};
use sim_host::{
    Output, Programs, Running, SambaCommand, Server,
    real::{self, Unfinished},
    samba::facts::{LdapSearched, TlsVerdict},
};
use trust_verdict::Class;

use super::{ProgramAbandoned, words};

/// The real programs of one host, watched.
#[derive(Debug)]
pub(super) struct Witness {
    host: String,
    client: real::Client,
    /// The addresses of the DCs by their names.
    dcs: BTreeMap<String, IpAddr>,
}

/// How a shell tells of a program that was killed: 128 and the number of the signal.
const KILLED: i32 = 137;

impl Witness {
    pub(super) fn new(host: &str, client: real::Client, dcs: BTreeMap<String, IpAddr>) -> Self {
        Self { host: host.to_owned(), client, dcs }
    }

    /// The address of a DC that a command names.
    fn address(&self, server: &Server) -> Option<IpAddr> {
        match server {
            Server::Address(address) => Some(*address),
            Server::Name(name) => {
                let (label, _) = name.split_once('.').unwrap_or((name, ""));
                self.dcs.get(label).copied()
            }
            Server::Unnamed => None,
        }
    }

    async fn watch(&self, command: SambaCommand, debug_level: u8, trail: &Trail) -> Output {
        let question = match &command {
            SambaCommand::AdsSearch { server, filter, .. } => {
                Some((self.address(server), Some(filter.clone())))
            }
            SambaCommand::AdsSid { server, .. } => Some((self.address(server), None)),
            _ => None,
        };
        let before = trail.ledger().last();
        let output = match self.client.finish(command, debug_level, trail).await {
            Ok(output) => output,
            Err(error) => {
                if let Unfinished::TooLong { command, patience } = &error {
                    let (command, seconds) = (command.clone(), patience.as_secs());
                    trail.record(ProgramAbandoned { command, seconds });
                }
                return Output {
                    exit: KILLED,
                    stdout: String::new(),
                    stderr: format!("{error}\n"),
                };
            }
        };
        if let Some((server, filter)) = question {
            let seen = Seen::new(self, trail.ledger().events_after(before));
            let server = server.or_else(|| seen.asked());
            if let Some(verdict) = server.and_then(|server| seen.verdict(server, &output)) {
                trail.record(verdict);
            }
            let found = filter.map(|filter| seen.searches(&filter, &output));
            for search in found.into_iter().flatten() {
                trail.record(search);
            }
        }
        output
    }
}

impl Programs for Witness {
    fn run<'a>(&'a self, command: SambaCommand, debug_level: u8, trail: &'a Trail) -> Running<'a> {
        Box::pin(self.watch(command, debug_level, trail))
    }
}

/// What DCs have seen of the host while a program ran.
struct Seen<'a> {
    witness: &'a Witness,
    /// What happened on each connection of the host, in order.
    connections: BTreeMap<EventId, Vec<Event>>,
    /// The name that a DC last gave itself in an answer to a ping of the host.
    peer_name: Option<String>,
}

impl<'a> Seen<'a> {
    fn new(witness: &'a Witness, events: Vec<Event>) -> Self {
        let mut seen = Self { witness, connections: BTreeMap::new(), peer_name: None };
        let own = |route: &Option<String>| route.as_deref() == Some(witness.host.as_str());
        for event in events {
            if let Some(ping) = event.fact::<CldapPing>().filter(|ping| own(&ping.route)) {
                seen.peer_name = ping.answered.clone();
            } else if event.fact::<Connection>().is_some_and(|opened| own(&opened.route)) {
                seen.connections.insert(event.id, Vec::new());
            } else if let Some(connection) =
                event.cause.and_then(|cause| seen.connections.get_mut(&cause))
            {
                connection.push(event);
            }
        }
        seen
    }

    /// The DC that a program has found for itself: the first that it shook hands with.
    fn asked(&self) -> Option<IpAddr> {
        let mut events = self.connections.values().flatten();
        let first = events.find(|event| event.fact::<Handshake>().is_some())?;
        let Actor::Dc(name) = &*first.actor else { return None };
        self.witness.dcs.get(name).copied()
    }

    /// What the program concluded of the certificates of the DC: its own words, if it refuses them;
    /// without such words it accepts what a complete handshake has shown.
    fn verdict(&self, server: IpAddr, output: &Output) -> Option<TlsVerdict> {
        let refusal = words::refusal(&output.stderr);
        let accepted = || self.connections.values().flatten().any(completes);
        let class = refusal.as_ref().map(|refusal| refusal.class);
        let class = class.or_else(|| accepted().then_some(Class::Accept))?;
        let peer_name = self.peer_name.clone().unwrap_or_default();
        let verdict = TlsVerdict {
            dc: server,
            peer_name,
            mode: String::new(),
            class: class.name().to_owned(),
            status: "0x0".to_owned(),
            nt_status: String::new(),
            reasons: Vec::new(),
            certificates: Vec::new(),
        };
        Some(match refusal {
            None => verdict,
            Some(words::Refusal { status, mode, peer_name, line, .. }) => TlsVerdict {
                status,
                mode,
                peer_name: if peer_name.is_empty() { verdict.peer_name } else { peer_name },
                reasons: vec![line],
                ..verdict
            },
        })
    }

    /// Searches by this filter that DCs answered, if the program says that it got answers.
    fn searches(&self, filter: &str, output: &Output) -> Vec<LdapSearched> {
        if !output.succeeded() || words::replies(&output.stdout).is_none() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for events in self.connections.values() {
            for pair in events.windows(2) {
                let (Some(request), Some(result)) =
                    (pair[0].fact::<LdapRequest>(), pair[1].fact::<LdapResult>())
                else {
                    continue;
                };
                let Actor::Dc(name) = &*pair[0].actor else { continue };
                let Some(dc) = self.witness.dcs.get(name) else { continue };
                let is_base = |base: &&str| base.is_empty();
                let base = request.summary.split('`').nth(1).filter(|base| !is_base(base));
                // The first search of each connection asks the rootDSE for the time.
                if let (Some(base), "search") = (base, request.operation) {
                    found.push(LdapSearched {
                        dc: *dc,
                        base: base.to_owned(),
                        filter: filter.to_owned(),
                        entries: result.entries,
                        result: result.code,
                    });
                }
            }
        }
        found
    }
}

/// Whether the event is the end of a complete handshake.
fn completes(event: &Event) -> bool {
    let handshake = event.fact::<Handshake>();
    handshake.is_some_and(|handshake| handshake.outcome == HandshakeOutcome::Complete)
}
