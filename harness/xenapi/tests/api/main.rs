//! The service from outside: raw HTTP in both encodings, and the package `XenAPI` of PyPI.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

mod client;
mod http;
mod interop;
mod join;
mod json;
mod methods;
mod world;
mod xml;
