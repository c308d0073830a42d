//! A simulated XenServer host: its root directory, its database, the calls of xapi that deal with
//! trusted certificates and external authentication, and a model of the Samba client.
//!
//! The two halves meet as on a real host, through files and command lines only. `xapi` writes
//! `smb.conf` and the bundles below a [`HostRoot`] and runs [`Programs`]; [`samba`] reads those
//! files and goes out on the [`Network`]. This crate knows neither scenarios nor the fake DC.

mod error;
mod network;
pub mod programs;
mod root;
pub mod samba;

pub use error::HostError;
pub use network::{Network, SharedNetwork};
pub use programs::{Credentials, Output, Programs, Running, SambaCommand};
pub use root::{Entry, HostRoot};
