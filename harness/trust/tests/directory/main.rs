//! A client's PKI directory and its validator, as applications use them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod callback;
mod client_certificates;
mod data;
mod foreign;
mod killed;
mod secrets;
mod shared;
mod validation;
mod world;
