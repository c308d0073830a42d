//! What both halves of trustrig stand on: the clock, the seed, secrets, and the ledger of events.
//!
//! The fake domain and the rig of hosts meet only on the network. They share no state but these
//! few things, which a run owns and passes in. Nothing here knows a socket, a certificate or a
//! scenario, and nothing below the binaries takes the time or a random number from anywhere else.

mod clock;
mod ledger;
mod secret;
mod seed;
mod timers;
mod timestamp;
mod trail;
mod waiting_room;

pub use clock::{Clock, Skew, VirtualClock};
pub use ledger::{Actor, Event, EventId, Fact, Ledger, Transport};
pub use secret::Secret;
pub use seed::{Seed, Stream};
pub use timestamp::{Timestamp, TimestampError};
pub use trail::Trail;
pub use waiting_room::{Bell, Moving, WaitingRoom};
