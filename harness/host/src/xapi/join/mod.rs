//! Hosts that join a pool (xapi-flows.md §12).

mod checks;
mod side;
