//! Hosts that join a pool, and hosts that leave it (xapi-flows.md §§12, 13).
//!
//! The joiner does the work. It reaches the pool through the service of its coordinator alone, as
//! any client would: [`remote`] calls it, [`checks`] judge what both sides say, [`sequence`] goes
//! through the steps. [`arrival`] is what the pool does about a host that comes in.

mod arrival;
mod checks;
mod eject;
mod remote;
mod sequence;
mod side;

pub use arrival::HostCreation;
pub use sequence::JoinParameters;
