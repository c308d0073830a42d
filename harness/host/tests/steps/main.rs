//! Something goes wrong at each step of the calls of xapi-flows.md §§7–9, on each host of pools of
//! 1, 3 and 16, against a real fake domain.
//!
//! The good path is run once and its commands are written down, so that no step can be forgotten.
//! Then, for every host and every command, the call is made again from the same start, and at that
//! command something happens: the program fails in one of its ways, a file cannot be written, the
//! DCs fall dark, time goes by, a member goes away, or xapi dies. What must have become of every
//! host, in database, files, winbind, secrets and directory, is said by tables that are written
//! from the sentences of the document ([`rules`]), not by the model. Of the large tables a third is
//! looked at; `TRUSTRIG_EVERY_CELL=1` looks at all of them, for some minutes.

#![expect(
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking"
)]
#![expect(clippy::print_stdout, reason = "the number of cells is part of the evidence")]

mod away;
mod deeds;
mod died;
mod disable;
mod enable;
mod estate;
mod files;
mod judge;
mod races;
mod rules;
mod set_ldaps;
mod smb_conf;
mod state;
mod trouble;
