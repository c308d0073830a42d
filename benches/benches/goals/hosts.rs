//! Memory of a simulated host that has joined.

use benches::{Failure, Report, Unit};

use crate::child::Held;

/// Hosts of a small and of a large pool.
const HOSTS: (usize, usize) = (1, 16);
/// Processes of each kind.
const PROCESSES: usize = 3;

pub(crate) fn measure(report: &mut Report) -> Result<(), Failure> {
    let (mut one, mut each) = (Vec::new(), Vec::new());
    for _ in 0..PROCESSES {
        let small = Held::start("hosts", HOSTS.0)?.memory()?.rss as f64;
        let large = Held::start("hosts", HOSTS.1)?.memory()?.rss as f64;
        one.push(small);
        each.push((large - small) / (HOSTS.1 - HOSTS.0) as f64);
    }
    // With the domain that it has joined.
    report.add("hosts/world-of-one", Unit::Kib, &one, None);
    report.add("hosts/further", Unit::Kib, &each, None);
    Ok(())
}
