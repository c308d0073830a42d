//! What a client of XenAPI needs: values, both encodings, and calls over real TCP and TLS.
//!
//! Below the simulated host, since a host is a client, too: one that joins a pool, or copies its
//! certificates, calls the pool's coordinator as any client would. The service (`xenapi-wire`)
//! uses the same values and encodings from the other side.
//!
//! XML is read and written here, on quick-xml, and not with the types of `dxr`: those keep a
//! struct in a sorted map (repeated members collapse and order is lost, but
//! `pool.exchange_trusted_certificates_on_join` needs both), tag every integer, drop the zone of a
//! date, and follow any depth of nesting.

mod api_error;
mod client;
mod exchange;
pub mod facts;
mod fingerprint;
mod http;
pub mod joining;
pub mod json_rpc;
mod malformed;
mod request;
mod trust;
mod value;
pub mod xml_rpc;

pub use api_error::ApiError;
pub use client::{ANSWER_MAX, CONNECT_LIMIT, CallError, Client, ClientError, Session};
pub use malformed::Malformed;
pub use request::{Answer, Encoding, Request};
pub use trust::Trust;
pub use value::{Value, read_date, write_date};
