//! The XML-RPC envelopes (xenapi-wire.md §§2, 3).

mod read;
mod write;

pub use read::{read_answer, read_request};
pub use write::{write_alone, write_answer, write_request};
