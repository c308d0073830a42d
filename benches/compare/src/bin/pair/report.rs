//! What was measured, for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::{
    measure::{Measured, What},
    target::Target,
};

/// Everything about one run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    what: What,
    clients: usize,
    names: [String; 2],
    measured: [Measured; 2],
}

impl Report {
    pub(crate) fn new(
        what: What,
        clients: usize,
        targets: &[Target; 2],
        measured: [Measured; 2],
    ) -> Self {
        Self { what, clients, names: targets.clone().map(|target| target.name), measured }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.what {
            What::Probes => "probes/s",
            What::Searches => "searches/s",
            What::Start => "ms to the first search",
        };
        for (name, measured) in self.names.iter().zip(&self.measured) {
            let (low, median, high) = spread(&measured.figures);
            write!(f, "{name}: {median:.1} {unit} ({low:.1} to {high:.1})")?;
            if let Some(cpu) = measured.cpu_us {
                write!(f, ", {cpu:.1} µs of CPU each")?;
            }
            let resident: Vec<f64> =
                measured.resident_kib.iter().map(|&kib| kib as f64 / 1_024.0).collect();
            writeln!(f, ", {:.1} MiB", spread(&resident).1)?;
        }
        let [first, second] = &self.measured;
        let pairs = first.figures.iter().zip(&second.figures);
        let ratios: Vec<f64> = pairs.map(|(first, second)| first / second).collect();
        let (low, median, high) = spread(&ratios);
        write!(f, "ratio of the pairs: {median:.3} ({low:.3} to {high:.3})")?;
        if let (Some(first), Some(second)) = (first.cpu_us, second.cpu_us) {
            write!(f, "; of the CPU: {:.3}", first / second)?;
        }
        writeln!(f)
    }
}

/// Lower quartile, median and upper quartile.
fn spread(figures: &[f64]) -> (f64, f64, f64) {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = (sorted.len().saturating_sub(1)) as f64 * share;
        sorted.get(place.round() as usize).copied().unwrap_or(f64::NAN)
    };
    (at(0.25), at(0.5), at(0.75))
}
