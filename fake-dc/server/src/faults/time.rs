//! Family `time`, as far as it is the server whose clock is wrong. Wrong times in certificates are
//! in `fake-dc-pki`.

mod dc_clock_skewed;

use super::ServerFault;

pub(super) const FAULTS: &[&dyn ServerFault] = &[&dc_clock_skewed::DcClockSkewed::USUAL];
