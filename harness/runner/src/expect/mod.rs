//! Judges what a step expects against what happened.
//!
//! "During a step" means: in events that arrived after the step began and before the next. Steps
//! run one after the other and wait for the DCs to have seen everything, so nothing leaks; and a
//! call in the background stands still when a step ends.

mod accounts;
mod directory;
mod network;
mod outcome;
mod state;

use scenario::{Expectations, Note, Span, Step};

use crate::{Case, Failure, snapshot::Snapshots, steps::Done, world::World};

/// What a judge looks at.
#[derive(Debug)]
pub(crate) struct StepView<'a> {
    pub(crate) case: &'a Case,
    pub(crate) step: &'a Step,
    pub(crate) world: &'a World,
    pub(crate) done: &'a Done,
}

/// One expectation that does not hold.
#[derive(Debug)]
pub(crate) struct Finding {
    /// Where the expectation is written.
    pub(crate) span: Span,
    /// Expected and found.
    pub(crate) what: String,
    /// A diff of texts.
    pub(crate) diff: Option<String>,
    /// See [`Failure::unaccepted`].
    pub(crate) unaccepted: bool,
}

impl Finding {
    pub(crate) fn new(span: &Span, what: impl Into<String>) -> Self {
        Self { span: span.clone(), what: what.into(), diff: None, unaccepted: false }
    }
}

/// All expectations of the step that do not hold.
pub(crate) fn judge(view: &StepView<'_>, snapshots: &mut Snapshots) -> Vec<Failure> {
    let expect: &Expectations = &view.step.expect;
    let mut findings = outcome::judge(view, expect);
    findings.extend(network::judge(view, expect));
    findings.extend(state::judge(view, expect));
    findings.extend(directory::judge(view, expect));
    findings.extend(accounts::judge(view, expect));
    findings.extend(state::judge_snapshots(view, expect, snapshots));
    findings.into_iter().map(|finding| view.failure(finding)).collect()
}

impl StepView<'_> {
    fn failure(&self, finding: Finding) -> Failure {
        let note = Note {
            code: "scenario::expectation".to_owned(),
            message: finding.what.clone(),
            span: finding.span,
            label: None,
            also: None,
            help: None,
        };
        let picture = self.case.source.render(&note, scenario::Colour::Plain);
        Failure {
            place: None,
            what: finding.what,
            picture: Some(picture),
            diff: finding.diff,
            unaccepted: finding.unaccepted,
        }
    }

    /// The reference of a host, for patterns.
    pub(crate) fn reference_of(&self, host: &str) -> Option<String> {
        self.world.rig.host(host).map(|host| host.reference().to_string())
    }
}
