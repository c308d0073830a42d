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
//! [`Client`] is the other side, for programs of ours that drive a pool over the wire.
//!
//! XML is read and written here, on quick-xml, and not with the types of `dxr`: those keep a
//! struct in a sorted map (repeated members collapse and order is lost, but
//! `pool.exchange_trusted_certificates_on_join` needs both), tag every integer, drop the zone of a
//! date, and follow any depth of nesting.

mod calls;
mod classes;
mod client;
mod error;
pub mod facts;
mod filter;
mod json_rpc;
mod method;
mod request;
mod server;
mod service;
mod tls;
mod value;
mod xml_rpc;

pub use client::{ANSWER_MAX, Client};
pub use error::{ClientError, ServeError};
pub use server::{BODY_MAX, CONNECTIONS_MAX, Options, Server, serve};
