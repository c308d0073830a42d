//! The model of the Samba client, as xapi uses it: through [`sim_host::Programs`], the host's files
//! and the network.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod answers;
mod dc;
mod handshakes;
mod no_dc;
mod support;
mod wbinfo;
mod wire;
mod world;
