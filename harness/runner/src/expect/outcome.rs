//! How the action ended: success, or an exact error; and what a program printed.

use scenario::{ErrorExpectation, Expectations, Outcome, Spanned};
use sim_host::ApiError;

use super::{Finding, StepView};

pub(super) fn judge(view: &StepView<'_>, expect: &Expectations) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (&expect.outcome, &view.done.result) {
        (Outcome::Success(_), Ok(())) => {}
        (Outcome::Success(_), Err(error)) => findings.push(Finding::new(
            &view.step.action.span,
            format!("expected success, found the error {error}"),
        )),
        (Outcome::Error(wanted), Ok(())) => findings.push(Finding::new(
            &wanted.span,
            format!("expected the error {}, found success", *wanted.code),
        )),
        (Outcome::Error(wanted), Err(error)) => {
            findings.extend(judge_error(view, wanted, error));
        }
    }
    if let Some(wanted) = &expect.output {
        let Some(output) = &view.done.output else {
            let what = format!("{} runs no program", view.step.action.name());
            findings.push(Finding::new(&wanted.span, what));
            return findings;
        };
        if let Some(exit) = wanted.exit
            && exit != u32::try_from(output.exit).unwrap_or(u32::MAX)
        {
            let what = format!("expected exit status {exit}, found {}", output.exit);
            findings.push(Finding::new(&wanted.span, what));
        }
        for (name, wanted_text, text) in [
            ("standard output", &wanted.stdout_contains, &output.stdout),
            ("standard error", &wanted.stderr_contains, &output.stderr),
        ] {
            if let Some(part) = wanted_text
                && !text.contains(part.as_str())
            {
                let what = format!("expected `{part}` on {name}, found:\n{text}");
                findings.push(Finding::new(&wanted.span, what));
            }
        }
    }
    findings
}

fn judge_error(
    view: &StepView<'_>,
    wanted: &Spanned<ErrorExpectation>,
    error: &ApiError,
) -> Option<Finding> {
    if wanted.code.as_str() != error.code {
        let what = format!("expected the error {}, found {error}", *wanted.code);
        return Some(Finding::new(&wanted.code.span, what));
    }
    let params = wanted.params.as_ref()?;
    let matches = |(pattern, found): (&Spanned<scenario::Pattern>, &String)| {
        pattern.matches(found, |host| view.reference_of(host))
    };
    if params.len() == error.params.len() && params.iter().zip(&error.params).all(matches) {
        return None;
    }
    let shown: Vec<String> = params.iter().map(|pattern| pattern.to_string()).collect();
    let what = format!(
        "expected {} with the parameters [{}], found [{}]",
        *wanted.code,
        shown.join("; "),
        error.params.join("; ")
    );
    Some(Finding::new(&wanted.span, what))
}
