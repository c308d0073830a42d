//! What is in the directories of the domains after the step.

use ldap_wire::{Filter, SearchResultEntry};
use scenario::{DirectoryExpectation, DirectoryState, Expectations, Spanned};

use super::{Finding, StepView};

pub(super) fn judge(view: &StepView<'_>, expect: &Expectations) -> Vec<Finding> {
    expect.directory.iter().filter_map(|wanted| judge_objects(view, wanted)).collect()
}

fn judge_objects(view: &StepView<'_>, wanted: &Spanned<DirectoryExpectation>) -> Option<Finding> {
    let text = wanted.filter.as_str();
    let filter = match Filter::parse(text) {
        Ok(filter) => filter,
        Err(error) => return Some(Finding::new(&wanted.filter.span, error.to_string())),
    };
    let Ok(domain) = view.world.domain(&wanted.domain) else {
        // The parser checked the name.
        return None;
    };
    let found = domain.directory().objects(filter);
    let what = match (&wanted.state, found.as_slice()) {
        (DirectoryState::Absent(_), []) => return None,
        (DirectoryState::Absent(_), [first, ..]) => {
            format!("expected no object {text}, found `{}`", first.dn)
        }
        (_, []) => format!("expected an object {text}, found none"),
        (DirectoryState::Exists(_), _) => return None,
        (DirectoryState::Attributes(patterns), [object]) => {
            let differs = patterns.iter().find(|(name, pattern)| {
                let is = |value: &String| pattern.matches(value, |host| view.reference_of(host));
                !values(object, name).iter().any(is)
            });
            let (name, pattern) = differs?;
            let values = values(object, name).join("`, `");
            format!("expected {name} of `{}` to be `{pattern}`, found `{values}`", object.dn)
        }
        (DirectoryState::Attributes(_), [_, _, ..]) => {
            format!("expected one object {text}, found {}", found.len())
        }
    };
    Some(Finding::new(&wanted.span, what))
}

/// The values of an attribute as text.
fn values(object: &SearchResultEntry, name: &str) -> Vec<String> {
    object.values(name).iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}
