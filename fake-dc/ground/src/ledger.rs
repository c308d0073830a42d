//! The one ordered record of what happened in a run, and who caused it.
//!
//! Hosts, DCs and the runner append facts; reports, expectations and invariants read them. The
//! order of arrival ([`EventId`]) is what one machine happened to do. [`Ledger::causal_order`] is
//! the same for every run with the same seed: it walks the tree of causes, and within one cause it
//! keeps each strand (a host, one connection at a DC) in its own order.
//!
//! A connection is tied to its cause across the network by its client address: the client records
//! the fact of connecting, announces it with [`Ledger::open_flow`] under the local address it has
//! bound, and only then connects; the server asks [`Ledger::cause_of_flow`].

use std::{
    any::Any,
    collections::{HashMap, VecDeque},
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::{Clock, Timestamp, Trail};

/// Number of an event in order of arrival, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EventId(u64);

impl EventId {
    /// The number itself.
    pub const fn number(self) -> u64 {
        self.0
    }
}

/// Who an event happened to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A domain controller, by its name in the scenario.
    Dc(String),
    /// A simulated host, by its name in the scenario.
    Host(String),
    /// The runner itself: steps of a scenario, moves of the clock.
    Runner,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dc(name) => write!(f, "dc:{name}"),
            Self::Host(name) => write!(f, "host:{name}"),
            Self::Runner => f.write_str("runner"),
        }
    }
}

/// Something that can happen. Each component defines its own facts as plain structs.
///
/// The kind is a path such as `ldap.search`; it and the field names are part of the versioned
/// event format. No field may hold a secret.
pub trait Fact: fmt::Debug + Send + Sync + 'static {
    /// Kind of the fact, most general word first, joined by dots: `tls.handshake`.
    fn kind(&self) -> &'static str;

    /// The fields as JSON.
    fn fields(&self) -> Map<String, Value>;

    /// For [`Event::fact`]; always `self`.
    fn as_any(&self) -> &dyn Any;
}

/// Implements [`Fact`] for a type that serialises to a map.
#[macro_export]
macro_rules! fact {
    ($type:ty, $kind:literal) => {
        impl $type {
            /// Kind of this fact in the event format.
            #[allow(unreachable_pub, reason = "as public as the type it belongs to")]
            pub const KIND: &'static str = $kind;
        }

        impl $crate::Fact for $type {
            fn kind(&self) -> &'static str {
                Self::KIND
            }

            fn fields(&self) -> ::serde_json::Map<String, ::serde_json::Value> {
                match ::serde_json::to_value(self) {
                    Ok(::serde_json::Value::Object(fields)) => fields,
                    _ => ::serde_json::Map::new(),
                }
            }

            fn as_any(&self) -> &dyn ::std::any::Any {
                self
            }
        }
    };
}

/// One entry of the ledger.
#[derive(Clone, Debug)]
pub struct Event {
    /// Number in order of arrival.
    pub id: EventId,
    /// Virtual time.
    pub at: Timestamp,
    /// Who it happened to. Events of one actor share it.
    pub actor: Arc<Actor>,
    /// What led to it, if that is known.
    pub cause: Option<EventId>,
    fact: Arc<dyn Fact>,
}

impl Event {
    /// Kind of the fact, such as `ldap.search`.
    pub fn kind(&self) -> &'static str {
        self.fact.kind()
    }

    /// Fields of the fact as JSON.
    pub fn fields(&self) -> Map<String, Value> {
        self.fact.fields()
    }

    /// The fact itself, if it is a `T`.
    pub fn fact<T: Fact>(&self) -> Option<&T> {
        self.fact.as_any().downcast_ref()
    }
}

/// Transport of a flow between a client and a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// A stream.
    Tcp,
    /// Datagrams.
    Udp,
}

/// The record itself. Clones share it.
#[derive(Clone, Debug)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    clock: Clock,
    capacity: usize,
    record: Mutex<Record>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Record {
    last: u64,
    events: VecDeque<Event>,
    flows: HashMap<(Transport, SocketAddr), EventId>,
}

impl Record {
    /// The kept events after `id`.
    fn after(&self, id: Option<EventId>) -> impl Iterator<Item = &Event> {
        // Ids grow: what is wanted is the tail.
        let first = self.events.partition_point(|event| Some(event.id) <= id);
        self.events.range(first..)
    }
}

impl Ledger {
    /// Events kept by a ledger that serves for an unlimited time.
    pub const SERVICE_CAPACITY: usize = 65_536;

    /// A ledger that keeps everything. `clock` dates the events.
    pub fn new(clock: Clock) -> Self {
        Self::with_capacity(clock, usize::MAX)
    }

    /// A ledger that keeps the last `capacity` events, for a server that runs without end.
    pub fn with_capacity(clock: Clock, capacity: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                capacity: capacity.max(1),
                record: Mutex::default(),
                changed: watch::Sender::new(0),
            }),
        }
    }

    /// Appends a fact.
    pub fn record(&self, actor: &Arc<Actor>, cause: Option<EventId>, fact: impl Fact) -> EventId {
        let at = self.shared.clock.now();
        let mut record = self.lock();
        record.last += 1;
        let id = EventId(record.last);
        if record.events.len() >= self.shared.capacity {
            record.events.pop_front();
        }
        record.events.push_back(Event {
            id,
            at,
            actor: Arc::clone(actor),
            cause,
            fact: Arc::new(fact),
        });
        drop(record);
        self.shared.changed.send_replace(id.0);
        id
    }

    /// The handle that `actor` records with.
    pub fn trail(&self, actor: Actor) -> Trail {
        Trail { ledger: self.clone(), actor: Arc::new(actor), cause: None }
    }

    /// Says that what a server sees from `client` is caused by `cause`.
    pub fn open_flow(&self, transport: Transport, client: SocketAddr, cause: EventId) {
        self.lock().flows.insert((transport, client), cause);
    }

    /// What caused the flow from `client`, if a party of this run announced it.
    pub fn cause_of_flow(&self, transport: Transport, client: SocketAddr) -> Option<EventId> {
        self.lock().flows.get(&(transport, client)).copied()
    }

    /// Number of the last event; `None` while nothing has happened.
    pub fn last(&self) -> Option<EventId> {
        let last = self.lock().last;
        (last > 0).then_some(EventId(last))
    }

    /// All kept events in order of arrival.
    pub fn events(&self) -> Vec<Event> {
        self.lock().events.iter().cloned().collect()
    }

    /// The kept events after `id` in order of arrival; all with `None`.
    pub fn events_after(&self, id: Option<EventId>) -> Vec<Event> {
        self.lock().after(id).cloned().collect()
    }

    /// Shows the kept events after `id` in order of arrival, and copies none. Nobody can record
    /// meanwhile, `visit` itself least of all.
    pub fn visit_after(&self, id: Option<EventId>, visit: impl FnMut(&Event)) {
        self.lock().after(id).for_each(visit);
    }

    /// Forgets the events up to `id` and the flows that they opened. For a run that nobody will ask
    /// about what is over.
    pub fn forget_until(&self, id: EventId) {
        let mut record = self.lock();
        let kept = record.events.partition_point(|event| event.id <= id);
        record.events.drain(..kept);
        record.events.shrink_to_fit();
        record.flows.retain(|_, cause| *cause > id);
        record.flows.shrink_to_fit();
    }

    /// All kept events in the order that depends on the seed alone: depth first along causes.
    pub fn causal_order(&self) -> Vec<Event> {
        causal_order(self.events())
    }

    /// The kept events after `id`, as soon as there is one. For a reader that follows along.
    ///
    /// Waits for ever if none comes: the caller sets the limit.
    pub async fn next_after(&self, id: Option<EventId>) -> Vec<Event> {
        let mut changes = self.shared.changed.subscribe();
        // Fails when the sender is gone; it lives in `self`.
        let _ = changes.wait_for(|&last| last > id.map_or(0, EventId::number)).await;
        self.events_after(id)
    }

    /// Waits until an event that satisfies `wanted` has happened, and returns the first.
    ///
    /// Waits for ever if none comes: the caller sets the limit.
    pub async fn wait_for(&self, wanted: impl FnMut(&Event) -> bool) -> Event {
        self.wait_for_after(None, wanted).await
    }

    /// As [`Ledger::wait_for`], among the events after `id`.
    pub async fn wait_for_after(
        &self,
        id: Option<EventId>,
        mut wanted: impl FnMut(&Event) -> bool,
    ) -> Event {
        let mut changes = self.shared.changed.subscribe();
        let mut seen = id;
        loop {
            if let Some(event) = self.lock().after(seen).find(|event| {
                seen = Some(event.id);
                wanted(event)
            }) {
                return event.clone();
            }
            // Fails when the sender is gone; it lives in `self`.
            let _ = changes.wait_for(|&last| last > seen.map_or(0, EventId::number)).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        // The record is consistent after every statement under the lock.
        self.shared.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Depth first along causes. Events are numbered in order, so that their places follow from numbers.
fn causal_order(events: Vec<Event>) -> Vec<Event> {
    let place = |id: EventId| {
        let place = events.partition_point(|event| event.id < id);
        events.get(place).filter(|event| event.id == id).map(|_| place)
    };
    // Who has no cause here belongs to 0, who was caused by the event at a place to the number after.
    let family: Vec<usize> =
        events.iter().map(|event| event.cause.and_then(place).map_or(0, |at| at + 1)).collect();
    let mut siblings: Vec<usize> = (0..events.len()).collect();
    // Strands of different actors race; each alone keeps its order (the sort is stable).
    siblings.sort_by(|&a, &b| {
        family[a].cmp(&family[b]).then_with(|| events[a].actor.cmp(&events[b].actor))
    });
    let mut ends = vec![0; events.len() + 1];
    family.iter().for_each(|&family| ends[family] += 1);
    let mut end = 0;
    for count in &mut ends {
        end += *count;
        *count = end;
    }
    let members = |family: usize| {
        let begin = family.checked_sub(1).map_or(0, |before| ends[before]);
        siblings[begin..ends[family]].iter().rev().copied()
    };
    let mut stack: Vec<usize> = members(0).collect();
    let mut order = Vec::with_capacity(events.len());
    while let Some(index) = stack.pop() {
        order.push(index);
        stack.extend(members(index + 1));
    }
    let mut events: Vec<Option<Event>> = events.into_iter().map(Some).collect();
    // Each has one cause, so it is met once.
    order.into_iter().filter_map(|index| events[index].take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VirtualClock;

    #[derive(Debug, Serialize)]
    struct Noted {
        text: &'static str,
    }
    fact!(Noted, "test.noted");

    fn ledger() -> Ledger {
        Ledger::new(VirtualClock::starting_at(Timestamp::from_unix(0)).clock())
    }

    fn texts(events: &[Event]) -> Vec<&'static str> {
        events.iter().filter_map(|event| event.fact::<Noted>()).map(|noted| noted.text).collect()
    }

    #[test]
    fn causal_order_does_not_depend_on_arrival() {
        let ledger = ledger();
        let host = ledger.trail(Actor::Host("host1".into()));
        let first = host.begin(Noted { text: "probe dc1" });
        let second = host.begin(Noted { text: "probe dc2" });
        // The DC of the first probe records late.
        second.of(Actor::Dc("dc2".into())).record(Noted { text: "seen by dc2" });
        first.of(Actor::Dc("dc1".into())).record(Noted { text: "seen by dc1" });
        assert_eq!(
            texts(&ledger.causal_order()),
            ["probe dc1", "seen by dc1", "probe dc2", "seen by dc2"]
        );
    }

    #[test]
    fn what_is_forgotten_is_gone_with_its_flows() {
        let ledger = ledger();
        let host = ledger.trail(Actor::Host("host1".into()));
        let flows = [("127.0.0.1:1", "over"), ("127.0.0.1:2", "under way")];
        let flows = flows.map(|(client, text)| {
            let client = client.parse().unwrap();
            let cause = host.record(Noted { text });
            ledger.open_flow(Transport::Tcp, client, cause);
            (client, cause)
        });
        let [(over, first), (under_way, second)] = flows;
        ledger.forget_until(first);
        assert_eq!(texts(&ledger.events()), ["under way"]);
        assert_eq!(ledger.cause_of_flow(Transport::Tcp, over), None);
        assert_eq!(ledger.cause_of_flow(Transport::Tcp, under_way), Some(second));
        let mut seen = Vec::new();
        ledger.visit_after(None, |event| seen.push(event.id));
        assert_eq!(seen, [second]);
        // Numbers go on.
        assert!(host.record(Noted { text: "new" }) > second);
    }

    #[test]
    fn a_bounded_ledger_forgets_the_oldest() {
        let clock = VirtualClock::starting_at(Timestamp::from_unix(0)).clock();
        let ledger = Ledger::with_capacity(clock, 2);
        let trail = ledger.trail(Actor::Runner);
        let old = trail.begin(Noted { text: "a" });
        old.record(Noted { text: "b" });
        old.record(Noted { text: "c" });
        assert_eq!(texts(&ledger.events()), ["b", "c"]);
        assert_eq!(texts(&ledger.causal_order()), ["b", "c"]);
        assert_eq!(ledger.last().map(EventId::number), Some(3));
    }

    #[tokio::test]
    async fn waiting_sees_past_and_future_events() {
        let ledger = ledger();
        let trail = ledger.trail(Actor::Runner);
        trail.record(Noted { text: "past" });
        let wanted =
            |text| move |event: &Event| event.fact::<Noted>().is_some_and(|n| n.text == text);
        assert_eq!(ledger.wait_for(wanted("past")).await.id.number(), 1);
        let (event, ()) = tokio::join!(ledger.wait_for(wanted("future")), async {
            trail.record(Noted { text: "future" });
        });
        assert_eq!(event.id.number(), 2);
    }

    #[test]
    fn flows_tie_two_ends_together() {
        let ledger = ledger();
        let client = SocketAddr::from(([127, 0, 0, 1], 40_000));
        assert_eq!(ledger.cause_of_flow(Transport::Tcp, client), None);
        let connect = ledger.trail(Actor::Host("host1".into())).record(Noted { text: "connect" });
        ledger.open_flow(Transport::Tcp, client, connect);
        assert_eq!(ledger.cause_of_flow(Transport::Tcp, client), Some(connect));
        assert_eq!(ledger.cause_of_flow(Transport::Udp, client), None);
    }
}
