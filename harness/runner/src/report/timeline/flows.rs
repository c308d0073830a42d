//! What passes between a host and a DC: a question and its answer, or a connection and all that
//! passed over it, is one line.
//!
//! Questions that end well are asked again and again; within a step the same answer is told once.

use std::{collections::BTreeSet, sync::Arc};

use ground::{Actor, Event};
use serde_json::{Map, Value};

use super::{
    names::{self, Names, value_text},
    tree::Tree,
};

/// Tells of flows within one step.
#[derive(Debug)]
pub(super) struct Flows<'t> {
    tree: &'t Tree<'t>,
    names: &'t Names,
    known: BTreeSet<(Arc<Actor>, String)>,
}

impl<'t> Flows<'t> {
    pub(super) fn new(tree: &'t Tree<'t>, names: &'t Names) -> Self {
        Self { tree, names, known: BTreeSet::new() }
    }

    /// The line of `event` and of all that it led to, if it is worth one, with what stands below
    /// it; `None` if it is no flow.
    pub(super) fn told(&mut self, event: &Event) -> Option<Option<Flow>> {
        let flow = match event.kind() {
            "cldap.asked" => self.ping(event),
            "dc.connection" => Some(Flow::of(self.served(event))),
            "dns.asked" => self.question(event),
            "kdc.asked" => self.ticket(event),
            "kdc.request" => self.kdc_request(event),
            "tcp.connecting" => Some(self.connection(event)),
            // The DC's side of what its client tells, or of nobody's business.
            "cldap.ping"
            | "dc.connection-dropped"
            | "dc.connection-refused"
            | "dc.garbage"
            | "dc.unreachable"
            | "dns.query" => None,
            _ => return None,
        };
        Some(flow)
    }

    /// A line that is told once in a step.
    fn once(&mut self, event: &Event, line: String) -> Option<Flow> {
        self.known.insert((event.actor.clone(), line.clone())).then(|| Flow::of(line))
    }

    fn answer(&self, event: &Event, kind: &str) -> Map<String, Value> {
        let answer = self.tree.effects(event).iter().find(|effect| effect.kind() == kind);
        answer.map(|answer| answer.fields()).unwrap_or_default()
    }

    fn question(&mut self, event: &Event) -> Option<Flow> {
        let answer = self.answer(event, "dns.answered");
        let (name, record) = (text(&answer, "name"), text(&answer, "record"));
        let outcome = text(&answer, "outcome");
        let line = match (record.as_str(), outcome.as_str()) {
            ("AAAA", "answered" | "no such record") | ("A", "answered") => return None,
            // Who gives a ticket is told where it is asked for.
            ("SRV", "answered") if name.starts_with("_kerberos.") && !name.contains(".dc.") => {
                return None;
            }
            (_, "answered") => format!("DNS: {name} is {}", targets(&answer)),
            _ => format!("DNS: {record} of {name}: {outcome}{}", waits(&answer)),
        };
        self.once(event, line)
    }

    fn ping(&mut self, event: &Event) -> Option<Flow> {
        let dc = self.names.dc(&text(&event.fields(), "dc"));
        let answer = self.answer(event, "cldap.answered");
        let line = match text(&answer, "outcome").as_str() {
            "answered" => format!("netlogon ping: {dc} calls itself {}", text(&answer, "dns_name")),
            outcome => {
                let cause = with(" (", &answer, "cause", ")");
                format!("netlogon ping: {dc}: {outcome}{cause}{}", waits(&answer))
            }
        };
        self.once(event, line)
    }

    fn ticket(&mut self, event: &Event) -> Option<Flow> {
        let asked = event.fields();
        let kdc = self.names.dc(&text(&asked, "kdc"));
        let answer = self.answer(event, "kdc.answered");
        let request = self.below(event, "kdc.request").map(|request| request.fields());
        let client = request.as_ref().map(|request| with(" for ", request, "client", ""));
        let error = request.as_ref().map(|request| text(request, "error")).unwrap_or_default();
        let service = text(&asked, "service");
        let head = format!("Kerberos at {kdc}: {service}");
        let line = match text(&answer, "outcome").as_str() {
            // The first ticket is asked for on the way to another.
            "answered" if error.is_empty() && service.starts_with("krbtgt/") => return None,
            "answered" if ROUTINE.iter().any(|code| error.contains(code)) => return None,
            "answered" if error.is_empty() => format!("{head}{}", client.unwrap_or_default()),
            "answered" => format!("{head}{}: {error}", client.unwrap_or_default()),
            outcome => format!("{head}: {outcome}{}", waits(&answer)),
        };
        self.once(event, line)
    }

    /// A request that no host of ours has sent.
    fn kdc_request(&mut self, event: &Event) -> Option<Flow> {
        let request = event.fields();
        let error = text(&request, "error");
        if ROUTINE.iter().any(|code| error.contains(code)) {
            return None;
        }
        let client = with(" for ", &request, "client", "");
        let error = with(": ", &request, "error", "");
        self.once(event, format!("Kerberos: {}{client}{error}", text(&request, "service")))
    }

    fn connection(&self, event: &Event) -> Flow {
        let fields = event.fields();
        let dc = self.names.dc(&text(&fields, "dc"));
        let service = match text(&fields, "port").as_str() {
            "636" | "3269" => "LDAPS",
            "389" | "3268" => "LDAP",
            "88" => "Kerberos",
            _ => "a connection",
        };
        let mut line = format!("{service} to {dc}");
        let mut reasons = Vec::new();
        let mut traffic = Traffic::default();
        for effect in self.tree.effects(event) {
            let fields = effect.fields();
            match effect.kind() {
                "tcp.failed" => {
                    line +=
                        &format!(": no connection, {}{}", text(&fields, "cause"), waits(&fields));
                }
                "tls.failed" => {
                    line += &format!(
                        ": no handshake, {} ({}){}",
                        text(&fields, "failure"),
                        text(&fields, "cause"),
                        waits(&fields)
                    )
                }
                "tls.verdict" => {
                    line += &verdict(&fields);
                    reasons = list(&fields, "reasons");
                }
                "ldap.bound" => match text(&fields, "result").as_str() {
                    "0" => line += &format!(", as {}", text(&fields, "user")),
                    code => line += &format!(", {} may NOT bind ({code})", text(&fields, "user")),
                },
                "ldap.searched" => traffic.count("search", "searches", &fields),
                "ldap.changed" => traffic.count("change", "changes", &fields),
                "ldap.failed" => {
                    line += &format!(", breaks off: {}{}", text(&fields, "cause"), waits(&fields));
                }
                "dc.connection" => reasons.extend(self.complaints(effect)),
                _ => {}
            }
        }
        line += &traffic.told();
        let inside = reasons.into_iter().map(|reason| format!("because {reason}")).collect();
        Flow { line, inside }
    }

    /// What a DC says about a connection that it did not serve.
    fn complaints(&self, connection: &Event) -> Vec<String> {
        let told = self.tree.effects(connection).iter().filter_map(|effect| {
            let fields = effect.fields();
            Some(match effect.kind() {
                "dc.connection-dropped" => "the DC has no room for it".to_owned(),
                "dc.connection-refused" => {
                    format!("the DC takes no more than {} connections", text(&fields, "limit"))
                }
                "dc.unreachable" => format!("the DC behind: {}", text(&fields, "reason")),
                "ldap.sasl-refused" => format!("the DC refuses: {}", text(&fields, "reason")),
                _ => return None,
            })
        });
        told.collect()
    }

    /// A connection whose client tells nothing itself.
    fn served(&self, event: &Event) -> String {
        let fields = event.fields();
        let mut line = format!("serves {}", text(&fields, "listener"));
        line += &with(" to ", &fields, "route", "");
        let mut traffic = Traffic::default();
        for effect in self.tree.effects(event) {
            let fields = effect.fields();
            match effect.kind() {
                "tls.handshake" => {
                    line += &format!(", handshake {}", text(&fields, "outcome"));
                    line += &with(" (", &fields, "reason", ")");
                }
                "ldap.request" => match text(&fields, "operation").as_str() {
                    "search" => traffic.count("search", "searches", &Map::new()),
                    "add" | "delete" | "modify" => traffic.count("change", "changes", &Map::new()),
                    "unbind" => {}
                    other => line += &format!(", {other}"),
                },
                "ldap.result" if text(&fields, "code") != "0" => {
                    line += &format!(" (result {})", text(&fields, "code"));
                }
                _ => {}
            }
        }
        line + &traffic.told()
    }

    fn below(&self, event: &Event, kind: &str) -> Option<&'t Event> {
        let effects = self.tree.effects(event).iter().copied();
        effects.into_iter().find_map(|effect| {
            if effect.kind() == kind { Some(effect) } else { self.below(effect, kind) }
        })
    }
}

/// What is told of a flow.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) line: String,
    pub(super) inside: Vec<String>,
}

impl Flow {
    fn of(line: String) -> Self {
        Self { line, inside: Vec::new() }
    }
}

/// Errors of a KDC that lead to the next question, not to failure.
const ROUTINE: [&str; 2] = ["KDC_ERR_PREAUTH_REQUIRED", "KRB_ERR_RESPONSE_TOO_BIG"];

fn verdict(fields: &Map<String, Value>) -> String {
    let leaf = list(fields, "certificates");
    let leaf = leaf.first().map(|leaf| names::fingerprint(leaf)).unwrap_or_default();
    let (name, mode) = (text(fields, "peer_name"), text(fields, "mode"));
    match text(fields, "class").as_str() {
        "accept" => format!(": certificate {leaf} accepted for {name} ({mode})"),
        class => {
            let status = text(fields, "status");
            let word = if class == "reject" { "REJECTED" } else { class };
            format!(": certificate {leaf} {word} for {name} ({mode}, {status})")
        }
    }
}

/// The names in the answers to a question, without the numbers of SRV records.
fn targets(answer: &Map<String, Value>) -> String {
    let answers = list(answer, "answers");
    let names = answers.iter().map(|answer| answer.rsplit(' ').next().unwrap_or(answer));
    names.collect::<Vec<_>>().join(", ")
}

/// Requests of LDAP, counted.
#[derive(Debug, Default)]
struct Traffic {
    counts: Vec<(&'static str, &'static str, usize)>,
    refused: Vec<String>,
}

impl Traffic {
    fn count(&mut self, one: &'static str, many: &'static str, fields: &Map<String, Value>) {
        match self.counts.iter_mut().find(|(known, ..)| *known == one) {
            Some((.., count)) => *count += 1,
            None => self.counts.push((one, many, 1)),
        }
        let result = text(fields, "result");
        if !result.is_empty() && result != "0" {
            self.refused.push(format!("a {one} ends with {result}"));
        }
    }

    fn told(self) -> String {
        let counts = self.counts.into_iter().map(|(one, many, count)| match count {
            1 => format!("1 {one}"),
            _ => format!("{count} {many}"),
        });
        counts.chain(self.refused).map(|told| format!(", {told}")).collect()
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> String {
    fields.get(name).filter(|value| !value.is_null()).map(value_text).unwrap_or_default()
}

fn with(before: &str, fields: &Map<String, Value>, name: &str, after: &str) -> String {
    match text(fields, name) {
        text if text.is_empty() => text,
        text => format!("{before}{text}{after}"),
    }
}

fn list(fields: &Map<String, Value>, name: &str) -> Vec<String> {
    let items = fields.get(name).and_then(Value::as_array);
    items.map(|items| items.iter().map(value_text).collect()).unwrap_or_default()
}

/// How long the real program waits for what does not come.
fn waits(fields: &Map<String, Value>) -> String {
    with(", for which the real program waits ", fields, "real_seconds", " s")
}
