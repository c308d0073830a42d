//! Which cases need the model: what the real programs do not tell, and where they cannot be the
//! same as the model.

use scenario::{
    Action, DcAction, FactExpectation, PkiAction, PkiInsertProxy, PkiProxied, RouteAction, Spanned,
    Step,
};
use sim_host::samba::facts::{
    JoinDone, KINDS, LdapChanged, LdapSearched, LeaveDone, PasswordChanged, TlsVerdict,
    WinbindChanged,
};

use crate::{Case, Place};

/// Facts that are known all the same: from the programs' words and the DCs, or because the model
/// does the deed.
const TOLD: [&str; 7] = [
    JoinDone::KIND,
    LdapChanged::KIND,
    LdapSearched::KIND,
    LeaveDone::KIND,
    PasswordChanged::KIND,
    TlsVerdict::KIND,
    WinbindChanged::KIND,
];

/// Fields of a verdict that only the model knows.
const VERDICT_UNTOLD: [&str; 2] = ["certificates", "reasons"];

/// Faults that the model and the real program do not meet alike, and why.
const DIFFERENT: [(&str, &str); 2] = [
    (
        "algorithm.rsa-pss-key",
        "which GnuTLS takes, while the model's TLS library knows no signature of rsa_pss_pss_*",
    ),
    ("discovery.round-robin", "which turns answers by a number that the real program draws"),
];

/// Why the real programs cannot show whether the case holds, if they cannot.
pub(crate) fn needs_the_model(case: &Case) -> Option<String> {
    let dcs = case.scenario.world.domains.iter().flat_map(|domain| domain.dcs.iter());
    let faults =
        dcs.flat_map(|dc| dc.faults.iter().map(|fault| (&dc.name, fault.value.to_string())));
    for (dc, fault) in faults {
        if let Some(why) = different(&fault) {
            return Some(format!("{} has the fault {fault}, {why}", **dc));
        }
    }
    let steps = case.scenario.steps.iter().enumerate();
    let mut steps = steps.filter(|(_, step)| step.runs_in(case.name.profile));
    steps.find_map(|(index, step)| {
        let place = Place { step: index + 1, title: step.title() };
        if let Some(fact) = untold(step) {
            return Some(format!("{place} expects {fact}, which the real programs do not tell"));
        }
        if let Action::Pki(PkiAction::InsertProxy(PkiInsertProxy {
            before: PkiProxied::Dc(dc),
            ..
        })) = &step.action.value
        {
            return Some(format!(
                "{place} puts a proxy before {}, by which the real programs do not go",
                dc.as_str()
            ));
        }
        let (fault, why) = sets(step).find_map(|fault| Some((different(&fault)?, fault)))?;
        Some(format!("{place} sets the fault {why}, {fault}"))
    })
}

/// What the expectations of `step` are about that is not told.
fn untold(step: &Step) -> Option<String> {
    let facts = step.expect.seen.iter().chain(&step.expect.never);
    facts.filter_map(untold_fact).next()
}

fn untold_fact(fact: &Spanned<FactExpectation>) -> Option<String> {
    let kind = fact.kind.as_str();
    if KINDS.contains(&kind) && !TOLD.contains(&kind) {
        return Some(format!("a fact of the kind {kind}"));
    }
    let untold = |field: &&String| VERDICT_UNTOLD.contains(&field.as_str());
    let field = (kind == TlsVerdict::KIND).then(|| fact.fields.keys().find(untold)).flatten()?;
    Some(format!("the field `{field}` of {kind}"))
}

/// The faults that `step` sets.
fn sets(step: &Step) -> impl Iterator<Item = String> {
    let faults = match &step.action.value {
        Action::Dc(DcAction::AddFaults(change) | DcAction::SetFaults(change)) => {
            change.faults.iter().map(|fault| fault.value.to_string()).collect()
        }
        Action::Route(RouteAction::SetFaults(change)) => {
            change.faults.iter().map(|fault| fault.value.to_string()).collect()
        }
        _ => Vec::new(),
    };
    faults.into_iter()
}

fn different(fault: &str) -> Option<&'static str> {
    let id = fault.split([':', '@']).next().unwrap_or(fault);
    DIFFERENT.iter().find(|(known, _)| *known == id).map(|(_, why)| *why)
}
