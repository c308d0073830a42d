//! The keystore of ordered upload: what it takes, and what it refuses with which words.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod killed;
mod uploads;
mod world;
