//! The XML-RPC envelopes (xenapi-wire.md §§2, 3).

mod read;
mod write;

pub(crate) use read::read;
pub(crate) use write::{write, write_alone};
