//! JUnit XML for CI systems: one test suite, one test case per scenario and profile.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::{Outcome, SuiteReport, report::Timeline};

/// Writes the report of a run.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_junit(report: &SuiteReport, out: &mut impl Write) -> io::Result<()> {
    let mut suite = TestSuite::new("trustrig");
    for case in &report.cases {
        let status = match &case.outcome {
            Outcome::Passed => TestCaseStatus::success(),
            Outcome::Skipped(reason) => {
                let mut status = TestCaseStatus::skipped();
                status.set_message(reason.as_str());
                status
            }
            Outcome::Failed(failures) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                status.set_message(failures.first().map_or("", |failure| failure.what.as_str()));
                let mut text: Vec<String> = failures.iter().map(ToString::to_string).collect();
                text.push(Timeline::of_failure(case).to_string());
                status.set_description(text.join("\n"));
                status
            }
            Outcome::Broken(cause) | Outcome::WrongInput(cause) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
                status.set_message(cause.as_str());
                status
            }
        };
        let mut test = TestCase::new(case.name.to_string(), status);
        test.set_classname(case.name.scenario.as_str()).set_time(case.wall);
        suite.add_test_case(test);
    }
    let mut junit = Report::new("trustrig");
    junit.add_test_suite(suite);
    junit.serialize(out).map_err(io::Error::other)
}
