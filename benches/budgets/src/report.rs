//! What was counted, beside what is allowed.

use std::{collections::BTreeMap, fmt, fs, path::PathBuf};

use crate::{Failure, callgrind::Count};

/// How far a path may go above its budget, in percent: what another compiler, processor or C library
/// may change. Two runs on one machine differ by less than a tenth of it.
const TOLERANCE: u64 = 5;

/// Instructions allowed, by path.
pub(crate) type Budgets = BTreeMap<String, u64>;

/// Counts and budgets, side by side.
pub(crate) struct Report {
    budgets: Budgets,
    counts: BTreeMap<String, Count>,
}

impl Report {
    pub(crate) fn new(budgets: Budgets, counts: BTreeMap<String, Count>) -> Self {
        Self { budgets, counts }
    }

    /// True if every path has a budget and keeps it, and every budget has a path.
    pub(crate) fn is_within(&self) -> bool {
        self.crossed() == 0 && self.budgets.keys().all(|name| self.counts.contains_key(name))
    }

    /// How many paths cross their budgets, or have none.
    pub(crate) fn crossed(&self) -> usize {
        self.counts.iter().filter(|(name, count)| self.crosses(name, **count)).count()
    }

    /// What was counted.
    pub(crate) fn into_counts(self) -> BTreeMap<String, Count> {
        self.counts
    }

    fn crosses(&self, name: &str, count: Count) -> bool {
        let budget = self.budgets.get(name);
        budget.is_none_or(|budget| count.ours * 100 > budget * (100 + TOLERANCE))
    }

    /// Makes the counts of these paths their budgets, or those of all. Budgets without a path go.
    pub(crate) fn accept(&self, names: Option<&[&str]>) -> Result<(), Failure> {
        let names: Vec<&str> = match names {
            None => self.counts.keys().map(String::as_str).collect(),
            Some(names) => names.to_vec(),
        };
        if let Some(unknown) = names.iter().find(|name| !self.counts.contains_key(**name)) {
            return Err(
                format!("there is no path {unknown}; {} names them", file().display()).into()
            );
        }
        let mut text = HEAD.to_owned();
        for (name, count) in &self.counts {
            let kept = self.budgets.get(name).filter(|_| !names.contains(&name.as_str()));
            text += &format!("{name:<34} {:>12}\n", kept.unwrap_or(&count.ours));
        }
        Ok(fs::write(file(), text)?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, budget, counted) = ("hot path", "budget", "counted");
        writeln!(f, "{path:<34} {budget:>12} {counted:>12} {:>8} {:>12}", "%", "and aws-lc")?;
        for (name, count) in &self.counts {
            let budget = self.budgets.get(name);
            write!(f, "{name:<34} {:>12} ", budget.map_or("none".to_owned(), u64::to_string))?;
            let percent = budget.map(|&budget| percent(count.ours, budget)).unwrap_or_default();
            write!(f, "{:>12} {percent:>8} {:>12}", count.ours, count.crypto)?;
            writeln!(f, "{}", if self.crosses(name, *count) { "  CROSSED" } else { "" })?;
        }
        for name in self.budgets.keys().filter(|name| !self.counts.contains_key(*name)) {
            writeln!(f, "{name:<34} has a budget, and there is no such path")?;
        }
        if self.is_within() {
            return write!(f, "budgets: {} paths are within {TOLERANCE} %", self.counts.len());
        }
        write!(
            f,
            "budgets: more than {TOLERANCE} % above what {BUDGETS} allows. Make the path cheaper; or, if \
             the work is wanted, raise its budget with `ci/budgets.sh accept PATH` and say why in the \
             commit"
        )
    }
}

/// `+1.23`.
fn percent(counted: u64, budget: u64) -> String {
    // Counts are far from the 53 bits that a float keeps.
    format!("{:+.2}", counted as f64 * 100.0 / budget as f64 - 100.0)
}

/// Where budgets are kept.
const BUDGETS: &str = "benches/budgets/budgets.txt";

const HEAD: &str = "\
# Instructions that each hot path may take, without those of aws-lc. `ci/budgets.sh` compares;
# `ci/budgets.sh accept [PATH ...]` writes. See benches/README.md.
";

fn file() -> PathBuf {
    // From the root of the repository, where the script goes.
    PathBuf::from(BUDGETS)
}

/// Reads the budgets.
pub(crate) fn budgets() -> Result<Budgets, Failure> {
    let file = file();
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let line = |(number, line): (usize, &str)| {
        let read = || {
            let (name, budget) = line.split_once(' ')?;
            Some((name.to_owned(), budget.trim().parse().ok()?))
        };
        read().ok_or_else(|| format!("{BUDGETS}:{number}: not `PATH INSTRUCTIONS`").into())
    };
    (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#')).map(line).collect()
}
