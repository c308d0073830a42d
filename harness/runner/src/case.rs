//! What came of a run.

use std::{collections::BTreeMap, fmt, net::IpAddr, path::PathBuf, time::Duration};

use ground::Event;

/// A scenario in one profile, written `one-good-dc-among-bad@landed`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseName {
    /// Id of the scenario.
    pub scenario: String,
    /// Profile it runs in.
    pub profile: scenario::Profile,
}

impl fmt::Display for CaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.scenario, self.profile)
    }
}

/// The result of all cases of a run, in order of their names.
#[derive(Debug)]
pub struct SuiteReport {
    /// The seed of the run.
    pub seed: u64,
    /// The cases.
    pub cases: Vec<CaseReport>,
    /// Real time from start to end.
    pub wall: Duration,
}

impl SuiteReport {
    /// Whether everything held that was run.
    pub fn held(&self) -> bool {
        let holds = |outcome: &Outcome| matches!(outcome, Outcome::Passed | Outcome::Skipped(_));
        self.cases.iter().all(|case| holds(&case.outcome))
    }

    /// Whether a case could not be run for what its scenario says.
    pub fn wrong_input(&self) -> bool {
        self.cases.iter().any(|case| matches!(case.outcome, Outcome::WrongInput(_)))
    }

    /// Whether a case could not be run to its end for a trouble of ours or of the machine.
    pub fn broke(&self) -> bool {
        self.cases.iter().any(|case| matches!(case.outcome, Outcome::Broken(_)))
    }
}

/// The result of one case.
#[derive(Debug)]
pub struct CaseReport {
    /// Which.
    pub name: CaseName,
    /// The scenario file.
    pub path: PathBuf,
    /// How it ended.
    pub outcome: Outcome,
    /// The ledger in causal order.
    pub events: Vec<Event>,
    /// The DCs by the addresses that facts name.
    pub addresses: BTreeMap<IpAddr, String>,
    /// Real time from start to end.
    pub wall: Duration,
}

/// How a case ended.
#[derive(Debug)]
pub enum Outcome {
    /// The world could not be built or a step could not be applied: a machine that refuses ports
    /// or disk, or a bug of ours.
    Broken(String),
    /// Something expected was not seen. Steps after the first such step were not run.
    Failed(Vec<Failure>),
    /// Everything held.
    Passed,
    /// It was not run, or not to its end, because it needs what this run has not; says what.
    Skipped(String),
    /// The scenario names a file that cannot be used, or asks for something that cannot be done.
    WrongInput(String),
}

/// One thing that did not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where in the scenario; `None` for the scenario as a whole.
    pub place: Option<Place>,
    /// What did not hold: expected and found.
    pub what: String,
    /// The source line with the expectation underlined.
    pub picture: Option<String>,
    /// A diff, where texts were compared.
    pub diff: Option<String>,
    /// Whether it is a snapshot that nobody has accepted. Such a failure does not end the case, so
    /// that one run shows all of them.
    pub unaccepted: bool,
}

/// A step of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the step, from 1.
    pub step: usize,
    /// Its name or action.
    pub title: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} ({})", self.step, self.title)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}:")?;
            f.write_str(if self.picture.is_some() { "" } else { " " })?;
        }
        match &self.picture {
            // The picture holds the words, too.
            Some(picture) => write!(f, "\n{picture}")?,
            None => writeln!(f, "{}", self.what)?,
        }
        if let Some(diff) = &self.diff {
            for line in diff.lines() {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}
