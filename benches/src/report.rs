//! Figures that are no criterion bench's: a table for people, JSON for programs.

use std::fmt;

use serde::Serialize;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Kibibytes.
    Kib,
    /// Microseconds.
    Microseconds,
    /// Milliseconds.
    Milliseconds,
    /// So many in a second.
    PerSecond,
    /// One thing over another.
    Ratio,
}

/// One figure: the median of its samples, with their quartiles.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// Its id, a path: `probe/xapi-rsa2048/ratio`.
    pub id: String,
    /// What it counts.
    pub unit: Unit,
    /// Median.
    pub median: f64,
    /// First quartile.
    pub low: f64,
    /// Third quartile.
    pub high: f64,
    /// How many samples there are.
    pub samples: usize,
    /// What issue 8 asks for: at most, or at least where more is better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<f64>,
}

/// Figures in the order they were taken.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The figures.
    pub figures: Vec<Figure>,
}

impl Report {
    /// Adds a figure of these samples; nothing without samples.
    pub fn add(&mut self, id: impl Into<String>, unit: Unit, samples: &[f64], goal: Option<f64>) {
        let [low, median, high] = quartiles(samples);
        let samples = samples.len();
        self.figures.push(Figure { id: id.into(), unit, median, low, high, samples, goal });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| Figure | Median | Quartiles | Goal |\n| --- | ---: | ---: | ---: |")?;
        for figure in &self.figures {
            let Figure { id, unit, median, low, high, .. } = figure;
            let goal = figure.goal.map(|goal| format!("{goal}")).unwrap_or_default();
            let unit = match unit {
                Unit::Kib => " KiB",
                Unit::Microseconds => " µs",
                Unit::Milliseconds => " ms",
                Unit::PerSecond => "/s",
                Unit::Ratio => "",
            };
            writeln!(f, "| `{id}` | {median:.3}{unit} | {low:.3} – {high:.3} | {goal} |")?;
        }
        Ok(())
    }
}

/// The middle of some samples.
pub fn median(samples: &[f64]) -> f64 {
    quartiles(samples)[1]
}

/// The quartiles of some samples, each one of the samples; zero of none.
pub fn quartiles(samples: &[f64]) -> [f64; 3] {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    [1, 2, 3].map(|quarter| sorted.get(last * quarter / 4).copied().unwrap_or_default())
}
