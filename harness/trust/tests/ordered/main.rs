//! Ordered upload: what the keystore takes and refuses, what appliances make of it, and what clients
//! of others see.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod cloud;
mod foreign;
mod java;
mod killed;
mod silent;
mod uploads;
mod world;
