//! XenAPI over a simulated pool, for unmodified clients such as the Python package `XenAPI`.
//!
//! [`serve`] opens a loopback port for HTTP, with TLS or without, and translates: an XML-RPC or JSON-RPC request becomes one
//! method with its arguments, that becomes a call of the pool or a look into its database, and
//! what comes of it goes back in the same encoding. Nothing is decided here that xapi decides;
//! this crate knows neither scenarios nor DCs.
//!
//! Behaviour is that of xen-api revision `e2ee48d6883e`, API version 2.23, as xenapi-wire.md has
//! it. Served are the calls that [`sim_host::Call`] has, with `Async.` where xapi has it; sessions and
//! tasks; and the generic read methods of every class, with filters. Every other method is
//! `MESSAGE_METHOD_UNKNOWN`. A member of the pool sends clients to the coordinator.
//!
//! Values, encodings and the other side of the wire are `xenapi-client`'s.

mod calls;
mod classes;
mod error;
pub mod facts;
mod filter;
mod method;
mod server;
mod service;
mod tls;

pub use error::ServeError;
pub use server::{BODY_MAX, CONNECTIONS_MAX, Options, Server, serve};
