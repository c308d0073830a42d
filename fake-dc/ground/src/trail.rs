//! Who records, and what it is done because of.

use std::sync::Arc;

use crate::{Actor, EventId, Fact, Ledger};

/// A ledger seen by one actor at one place in the tree of causes.
///
/// ```
/// use ground::{Actor, Ledger, Timestamp, VirtualClock, fact};
/// use serde::Serialize;
///
/// #[derive(Debug, Serialize)]
/// struct Called {
///     name: &'static str,
/// }
/// fact!(Called, "xapi.called");
///
/// let time = VirtualClock::starting_at(Timestamp::from_unix(0));
/// let ledger = Ledger::new(time.clock());
/// let host = ledger.trail(Actor::Host("host1".into()));
/// let inside = host.begin(Called { name: "pool.enable_external_auth" });
/// inside.record(Called { name: "host.enable_external_auth" });
///
/// let events = ledger.events();
/// assert_eq!(events[1].cause, Some(events[0].id));
/// ```
#[derive(Clone, Debug)]
pub struct Trail {
    pub(crate) ledger: Ledger,
    pub(crate) actor: Arc<Actor>,
    pub(crate) cause: Option<EventId>,
}

impl Trail {
    /// Records a fact here.
    pub fn record(&self, fact: impl Fact) -> EventId {
        self.ledger.record(&self.actor, self.cause, fact)
    }

    /// Records a fact and returns the trail of what it causes.
    #[must_use]
    pub fn begin(&self, fact: impl Fact) -> Self {
        self.under(Some(self.record(fact)))
    }

    /// The same actor's trail below another cause.
    #[must_use]
    pub fn under(&self, cause: Option<EventId>) -> Self {
        Self { ledger: self.ledger.clone(), actor: Arc::clone(&self.actor), cause }
    }

    /// Another actor's trail below the same cause.
    #[must_use]
    pub fn of(&self, actor: Actor) -> Self {
        Self { ledger: self.ledger.clone(), actor: Arc::new(actor), cause: self.cause }
    }

    /// What everything recorded here is caused by.
    pub fn cause(&self) -> Option<EventId> {
        self.cause
    }

    /// The ledger behind.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}
