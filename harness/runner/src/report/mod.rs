//! Views of a finished run. Every one reads the same report and the same ledger.

mod events;
mod junit;
mod timeline;

pub use events::{EVENTS_VERSION, describe, write_events};
pub use junit::write_junit;
pub use timeline::Timeline;
