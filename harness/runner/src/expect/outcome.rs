//! How the action ended: success and what was returned, or an exact error; and what a program
//! printed.

use scenario::{ErrorExpectation, Expectations, Outcome, Pattern, Returned, Spanned};
use sim_host::{ApiError, CallResult, published_errors, publishes_parameters};

use super::{Finding, StepView, state::certificates_are};

pub(super) fn judge(view: &StepView<'_>, expect: &Expectations) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (&expect.outcome, &view.done.result) {
        (Outcome::AnyOutcome(_) | Outcome::Refused(_), _) | (Outcome::Success(_), Ok(_)) => {}
        (Outcome::Success(_), Err(error)) => findings.push(Finding::new(
            &view.step.action.span,
            format!("expected success, found the error {error}"),
        )),
        (Outcome::Error(wanted), Ok(_)) => findings.push(Finding::new(
            &wanted.span,
            format!("expected the error {}, found success", *wanted.code),
        )),
        (Outcome::Error(wanted), Err(error)) => {
            findings.extend(judge_error(view, wanted, error));
        }
    }
    findings.extend(judge_refusal(view, expect));
    if let (Some(wanted), Ok(found)) = (&expect.returns, &view.done.result) {
        findings.extend(judge_returned(view, wanted, found));
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

/// How an action of a neighbouring model of trust ended.
fn judge_refusal(view: &StepView<'_>, expect: &Expectations) -> Option<Finding> {
    let wanted = match &expect.outcome {
        Outcome::AnyOutcome(_) => return None,
        Outcome::Refused(wanted) => Some(wanted),
        Outcome::Error(_) | Outcome::Success(_) => None,
    };
    let (span, what) = match (wanted, &view.done.refusal) {
        (None, None) => return None,
        (None, Some(found)) => {
            (&view.step.action.span, format!("expected success, found the refusal {found}"))
        }
        (Some(wanted), None) => {
            (&wanted.span, format!("expected the refusal `{}`, found success", *wanted.reason))
        }
        (Some(wanted), Some(found)) if wanted.reason.as_str() != found.reason => (
            &wanted.reason.span,
            format!("expected the refusal `{}`, found {found}", *wanted.reason),
        ),
        (Some(wanted), Some(found)) => {
            let words = wanted.words.as_ref()?;
            if words.matches(&found.words, |host| view.reference_of(host)) {
                return None;
            }
            (&wanted.span, format!("expected the words `{words}`, found {found}"))
        }
    };
    Some(Finding::new(span, what))
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
    if let Some(wanted_published) = wanted.published {
        let published = published_errors(&view.world.quirks).contains(&error.code);
        if published != wanted_published {
            let is = if published { "is" } else { "is not" };
            let what = format!("{} {is} in the published list", error.code);
            return Some(Finding::new(&wanted.span, what));
        }
    }
    if let Some(wanted_params) = wanted.published_params
        && publishes_parameters(&error.code, &view.world.quirks) != wanted_params
    {
        let are = if wanted_params { "are not" } else { "are" };
        let what = format!("the parameters of {} {are} in the published list", error.code);
        return Some(Finding::new(&wanted.span, what));
    }
    let params = wanted.params.as_ref()?;
    let matches = |(pattern, found): (&Spanned<Pattern>, &String)| {
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

fn judge_returned(
    view: &StepView<'_>,
    wanted: &Spanned<Returned>,
    found: &CallResult,
) -> Option<Finding> {
    let is = |pattern: &Pattern, text: &str| pattern.matches(text, |host| view.reference_of(host));
    let certificate_is = |source, text: &str| {
        certificates_are(view, std::slice::from_ref(source), text).unwrap_or(false)
    };
    let holds = match (&wanted.value, found) {
        (Returned::Certs(sources), CallResult::Texts(texts)) => {
            sources.len() == texts.len()
                && sources.iter().zip(texts).all(|(source, text)| certificate_is(source, text))
        }
        (Returned::Purposes(entries), CallResult::SetsByKey(pairs)) => {
            let mut left: Vec<_> = pairs.iter().collect();
            let all = entries.iter().all(|entry| {
                let place = left.iter().position(|(pem, purposes)| {
                    certificate_is(&entry.cert, pem) && is_set(&entry.purpose, purposes, is)
                });
                place.map(|place| left.remove(place)).is_some()
            });
            all && left.is_empty()
        }
        (Returned::Map(entries), CallResult::Map(map)) => entries
            .iter()
            .all(|(key, pattern)| map.get(key).is_some_and(|value| is(pattern, value))),
        (Returned::Reference(pattern), CallResult::Reference(reference)) => {
            is(pattern, reference.as_str())
        }
        (Returned::Set(patterns), CallResult::Texts(texts)) => is_set(patterns, texts, is),
        (Returned::Text(pattern), CallResult::Text(text)) => is(pattern, text),
        _ => false,
    };
    let found = match found {
        CallResult::Map(map) => format!("the map {map:?}"),
        CallResult::Reference(reference) => format!("the reference {reference}"),
        CallResult::Text(text) => format!("the text `{text}`"),
        CallResult::SetsByKey(map) => format!("the map of sets {map:?}"),
        CallResult::Texts(texts) => format!("the set {texts:?}"),
        _ => "nothing".to_owned(),
    };
    let what = || format!("expected another {} to be returned, found {found}", wanted.key());
    (!holds).then(|| Finding::new(&wanted.span, what()))
}

/// Whether each pattern is met by a text of its own, and no text is left over. The choosy patterns
/// take theirs first.
fn is_set(patterns: &[Pattern], texts: &[String], is: impl Fn(&Pattern, &str) -> bool) -> bool {
    let mut patterns: Vec<_> = patterns.iter().collect();
    patterns.sort_by_key(|pattern| match pattern {
        Pattern::Exact(_) | Pattern::Host(_) => 0,
        Pattern::Contains(_) => 1,
        Pattern::Any => 2,
    });
    let mut left: Vec<_> = texts.iter().collect();
    for pattern in patterns {
        match left.iter().position(|text| is(pattern, text)) {
            Some(index) => drop(left.remove(index)),
            None => return false,
        }
    }
    left.is_empty()
}
