//! How long a host takes to find a DC that serves it, for several strategies of asking a domain's DCs.
//!
//! In the **fleet world** hosts and DCs have no sockets: the same Samba model meets the same fake DCs
//! over streams in memory ([`fake_dc::MemoryDoor`], [`sim_host::Medium`]) on a tokio clock that is
//! paused. So the model waits as long as the real program waits, hours of it cost milliseconds, and
//! every figure is exact: the same on every machine and in every run. The same strategies run over
//! sockets for the real time that our code takes.
//!
//! A [`Strategy`] says in which order and at which pace ([`Plan`]); it knows nothing of probes. Only
//! [`Strategy::Sequential`] is what xapi does; the others are there to be compared with it.

mod chart;
mod domain;
mod race;
mod report;
mod shares;
mod standard;
mod strategy;
mod table;
mod topology;
mod wire;

pub use chart::chart;
pub use domain::{Fleet, FleetError};
pub use report::{Attempt, DcLoad, End, FleetReport, Ran};
pub use shares::{Kind, Shares, SharesError};
pub use standard::{STANDARD_SIZES, standard};
pub use strategy::{Candidate, Pacing, Plan, Strategy, StrategySettings, UnknownStrategy};
pub use table::{markdown, terminal};
pub use topology::{Topology, TopologyError};
