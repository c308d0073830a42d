//! Family `net`: what happens to packets on the way to the DC, seen from every client alike.

mod black_hole;
mod only_389_filtered;
mod only_636_filtered;
mod refuse;

use super::ServerFault;

pub(super) const FAULTS: &[&dyn ServerFault] = &[
    &refuse::Refuse,
    &black_hole::BlackHole,
    &only_636_filtered::Only636Filtered,
    &only_389_filtered::Only389Filtered,
];
