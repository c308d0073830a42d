//! What happened on the network: who answered, who was asked, what was concluded, which facts.

use std::{collections::BTreeMap, net::IpAddr};

use fake_dc::facts::{CldapPing, Connection};
use ground::{Actor, Event, EventId};
use scenario::{
    Expectations, FactExpectation, HostAndDc, Spanned, VerdictClass, VerdictExpectation,
};
use serde_json::Value;
use sim_host::samba::facts::{LdapSearched, TcpConnecting, TlsVerdict};

use super::{Finding, StepView};

pub(super) fn judge(view: &StepView<'_>, expect: &Expectations) -> Vec<Finding> {
    let facts = Facts::new(view);
    let mut findings = Vec::new();
    findings.extend(expect.answered_by.iter().filter_map(|pair| facts.judge_answer(pair)));
    findings.extend(expect.not_contacted.iter().filter_map(|pair| facts.judge_silence(pair)));
    findings.extend(expect.verdicts.iter().filter_map(|verdict| facts.judge_verdict(verdict)));
    findings.extend(expect.seen.iter().filter_map(|fact| facts.judge_fact(fact, true)));
    findings.extend(expect.never.iter().filter_map(|fact| facts.judge_fact(fact, false)));
    findings
}

/// The host whose route the client of a DC came along.
fn route(event: &Event) -> Option<&str> {
    let connection = event.fact::<Connection>().and_then(|opened| opened.route.as_deref());
    connection.or_else(|| event.fact::<CldapPing>()?.route.as_deref())
}

/// The events of a step, with what is needed to attribute them.
struct Facts<'a> {
    view: &'a StepView<'a>,
    by_id: BTreeMap<EventId, &'a Event>,
}

impl<'a> Facts<'a> {
    fn new(view: &'a StepView<'a>) -> Self {
        let by_id = view.done.events.iter().map(|event| (event.id, event)).collect();
        Self { view, by_id }
    }

    /// The host that the event happened to, or that caused it.
    fn host_of(&self, event: &Event) -> Option<&str> {
        let mut event = self.by_id.get(&event.id)?;
        loop {
            if let Actor::Host(name) = &*event.actor {
                return Some(name);
            }
            // The real programs announce nothing; the way that they came along is theirs alone.
            if let Some(route) = route(event) {
                return Some(route);
            }
            event = self.by_id.get(&event.cause?)?;
        }
    }

    fn dc_name(&self, address: IpAddr) -> String {
        let mut dcs = self.view.world.domains().flat_map(fake_dc::Domain::dcs);
        dcs.find(|dc| IpAddr::from(dc.ip()) == address)
            .map_or_else(|| address.to_string(), |dc| dc.name().to_owned())
    }

    /// Facts of type `T` that happened to `host`.
    fn of_host<T: ground::Fact>(&self, host: &str) -> impl Iterator<Item = &'a T> {
        let events = self.view.done.events.iter();
        events
            .filter(move |event| matches!(&*event.actor, Actor::Host(name) if name == host))
            .filter_map(|event| event.fact::<T>())
    }

    fn judge_answer(&self, pair: &Spanned<HostAndDc>) -> Option<Finding> {
        let answers: Vec<String> = self
            .of_host::<LdapSearched>(&pair.host)
            .filter(|search| search.result == 0 && search.entries > 0)
            .filter(|search| search.filter.to_ascii_lowercase().contains("krbtgt"))
            .map(|search| self.dc_name(search.dc))
            .collect();
        if answers.iter().any(|dc| *dc == pair.dc.as_str()) {
            return None;
        }
        let found = match answers.is_empty() {
            true => "no DC did".to_owned(),
            false => format!("{} did", answers.join(", ")),
        };
        let what = format!("expected {} to answer {}, but {found}", *pair.dc, *pair.host);
        Some(Finding::new(&pair.span, what))
    }

    fn judge_silence(&self, pair: &Spanned<HostAndDc>) -> Option<Finding> {
        let contacted = self
            .of_host::<TcpConnecting>(&pair.host)
            .any(|connecting| self.dc_name(connecting.dc) == pair.dc.as_str());
        let what = || format!("expected {} not to connect to {}, but it did", *pair.host, *pair.dc);
        let contacted = contacted || self.has_seen(&pair.dc, &pair.host);
        contacted.then(|| Finding::new(&pair.span, what()))
    }

    /// Whether the DC has accepted a connection of the host.
    fn has_seen(&self, dc: &str, host: &str) -> bool {
        let events = self.view.done.events.iter();
        let mut opened = events.filter(|event| event.fact::<Connection>().is_some());
        opened.any(|event| {
            matches!(&*event.actor, Actor::Dc(name) if name == dc)
                && self.host_of(event) == Some(host)
        })
    }

    fn judge_verdict(&self, wanted: &Spanned<VerdictExpectation>) -> Option<Finding> {
        let verdicts: Vec<&TlsVerdict> = self
            .of_host::<TlsVerdict>(&wanted.host)
            .filter(|verdict| self.dc_name(verdict.dc) == wanted.dc.as_str())
            .collect();
        let status = wanted.status.map(|status| format!("{:#x}", status.0));
        let expected = match &status {
            Some(status) => format!("{} {status}", wanted.class),
            None => wanted.class.to_string(),
        };
        let holds = |verdict: &&TlsVerdict| {
            let class = VerdictClass::as_str(wanted.class) == verdict.class;
            class && status.as_ref().is_none_or(|status| *status == verdict.status)
        };
        if !verdicts.is_empty() && verdicts.iter().all(holds) {
            return None;
        }
        let found: Vec<String> = verdicts
            .iter()
            .map(|verdict| {
                let reason = verdict.reasons.first().map(|reason| format!(" ({reason})"));
                format!("{} {}{}", verdict.class, verdict.status, reason.unwrap_or_default())
            })
            .collect();
        let found = match found.is_empty() {
            true => "none was made".to_owned(),
            false => format!("found {}", found.join("; ")),
        };
        let what = format!(
            "expected the verdict {expected} of {} on {}, {found}",
            *wanted.host, *wanted.dc
        );
        Some(Finding::new(&wanted.span, what))
    }

    fn judge_fact(&self, wanted: &Spanned<FactExpectation>, seen: bool) -> Option<Finding> {
        if let Some(field) = self.unknown_field(wanted) {
            let what = format!("no fact of the kind {} has a field `{field}`", *wanted.kind);
            return Some(Finding::new(&wanted.kind.span, what));
        }
        let found = self.view.done.events.iter().find(|event| self.is(event, wanted));
        match (found, seen) {
            (Some(_), true) | (None, false) => None,
            (Some(event), false) => {
                let shown = crate::report::describe(event);
                Some(Finding::new(&wanted.span, format!("expected never to see this: {shown}")))
            }
            (None, true) => {
                let what = format!("expected a fact of the kind {}, found none", *wanted.kind);
                Some(Finding::new(&wanted.span, what))
            }
        }
    }

    /// A field that the scenario names and that no such fact of the whole run has: with a misspelt
    /// name `never` would hold for ever.
    fn unknown_field<'f>(&self, wanted: &'f FactExpectation) -> Option<&'f str> {
        let events = self.view.world.ledger.events();
        let mut of_kind =
            events.iter().filter(|event| event.kind() == wanted.kind.as_str()).peekable();
        of_kind.peek()?;
        let fields: Vec<_> = of_kind.map(Event::fields).collect();
        let unknown = |name: &&String| !fields.iter().any(|fields| fields.contains_key(*name));
        wanted.fields.keys().find(unknown).map(String::as_str)
    }

    fn is(&self, event: &Event, wanted: &FactExpectation) -> bool {
        if event.kind() != wanted.kind.as_str() {
            return false;
        }
        if let Some(host) = &wanted.host
            && self.host_of(event) != Some(host.as_str())
        {
            return false;
        }
        let fields = event.fields();
        if let Some(dc) = &wanted.dc {
            let named = match (&*event.actor, fields.get("dc")) {
                (Actor::Dc(name), _) => Some(name.clone()),
                (_, Some(Value::String(address))) => {
                    address.parse().ok().map(|address| self.dc_name(address))
                }
                _ => None,
            };
            if named.as_deref() != Some(dc.as_str()) {
                return false;
            }
        }
        wanted.fields.iter().all(|(name, pattern)| {
            let text = match fields.get(name) {
                None | Some(Value::Null) => return false,
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            pattern.matches(&text, |host| self.view.reference_of(host))
        })
    }
}
