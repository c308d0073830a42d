//! What sessions are open after the step, and what subjects the pool has.

use scenario::{Expectations, Spanned, SubjectExpectation, SubjectState};
use sim_host::{Role, Subject};

use super::{Finding, StepView};

pub(super) fn judge(view: &StepView<'_>, expect: &Expectations) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Ok(pool) = view.world.pool() else { return findings };
    let sessions = pool.open_sessions();
    for wanted in &expect.sessions {
        let own = sessions.iter().filter(|session| session.auth_user_name == wanted.user);
        let found = u32::try_from(own.count()).unwrap_or(u32::MAX);
        if found != wanted.count {
            let names: Vec<_> = sessions.iter().map(|open| open.auth_user_name.as_str()).collect();
            let what = format!(
                "expected {} sessions of `{}`, found {found} (open: {})",
                wanted.count,
                wanted.user,
                names.join(", ")
            );
            findings.push(Finding::new(&wanted.span, what));
        }
    }
    let subjects = pool.database_view().subjects;
    let judged = expect.subjects.iter().filter_map(|wanted| judge_subject(view, wanted, &subjects));
    findings.extend(judged);
    findings
}

fn judge_subject(
    view: &StepView<'_>,
    wanted: &Spanned<SubjectExpectation>,
    subjects: &[Subject],
) -> Option<Finding> {
    let name = |subject: &Subject| subject.other_config.get("subject-name").cloned();
    let found = subjects.iter().find(|subject| name(subject).as_ref() == Some(&wanted.name));
    let finding = |what: String| Some(Finding::new(&wanted.span, what));
    let Some(subject) = found else {
        if matches!(wanted.state, SubjectState::Absent(_)) {
            return None;
        }
        let names: Vec<_> = subjects.iter().filter_map(name).collect();
        return finding(format!("no subject `{}` (there are: {})", wanted.name, names.join(", ")));
    };
    match &wanted.state {
        SubjectState::Absent(_) => finding(format!("there is a subject `{}`", wanted.name)),
        SubjectState::Roles(roles) => {
            let has: Vec<_> = subject
                .roles
                .iter()
                .map(|role| Role::from_reference(role).map_or("unknown", Role::name))
                .collect();
            let same = roles.len() == has.len() && roles.iter().all(|r| has.contains(&r.as_str()));
            if same { None } else { finding(format!("`{}` has the roles {has:?}", wanted.name)) }
        }
        SubjectState::Stores(attributes) => {
            let is = |(key, pattern): &(&String, &scenario::Pattern)| {
                let stored = subject.other_config.get(*key);
                stored.is_some_and(|text| pattern.matches(text, |host| view.reference_of(host)))
            };
            if attributes.iter().all(|pair| is(&pair)) {
                return None;
            }
            finding(format!("`{}` stores {:?}", wanted.name, subject.other_config))
        }
    }
}
