//! Steps about accounts: logins, subjects, and what the directory says of them.

use ground::{Secret, Trail, fact};
use scenario::{AdAccount, AuthCall, ChangeDomain, SessionCall, Spanned, SubjectCall};
use serde::Serialize;
use sim_host::{Call, Reference, Role};

use crate::{calls::Request, steps::StepError, world::World};

/// Somebody has changed objects of a domain.
#[derive(Debug, Serialize)]
pub(crate) struct DomainChanged {
    domain: String,
}
fact!(DomainChanged, "domain.changed");

pub(crate) fn auth(world: &World, call: &AuthCall) -> Result<Request, StepError> {
    Ok(Request::Call(match call {
        AuthCall::GetGroupMembership(of) => {
            Call::AuthGetGroupMembership { subject_identifier: sid(world, &of.account)? }
        }
        AuthCall::GetSubjectIdentifier(of) => {
            Call::AuthGetSubjectIdentifier { subject_name: of.subject_name.clone() }
        }
        AuthCall::GetSubjectInformationFromIdentifier(of) => {
            Call::AuthGetSubjectInformationFromIdentifier {
                subject_identifier: sid(world, &of.account)?,
            }
        }
    }))
}

pub(crate) fn session(world: &World, call: &SessionCall) -> Result<Request, StepError> {
    Ok(match call {
        SessionCall::GetAllSubjectIdentifiers(_) => {
            Request::Call(Call::SessionGetAllSubjectIdentifiers)
        }
        SessionCall::LoginWithPassword(login) => Request::Login {
            user: login.uname.clone(),
            password: Secret::new(login.pwd.as_str()),
            originator: login.originator.clone(),
        },
        SessionCall::Logout(logout) => {
            let step = logout.opened_by.as_str();
            let session = world.sessions().get(step).cloned();
            let session = session.ok_or_else(|| StepError::NoSession { step: step.to_owned() })?;
            Request::Logout(session)
        }
        SessionCall::LogoutSubjectIdentifier(of) => {
            Request::LogoutSubject(sid(world, &of.account)?)
        }
    })
}

pub(crate) fn subject(world: &World, call: &SubjectCall) -> Result<Request, StepError> {
    Ok(Request::Call(match call {
        SubjectCall::AddToRoles(change) => Call::SubjectAddToRoles {
            subject: subject_of(world, &change.account)?,
            role: role(&change.role),
        },
        SubjectCall::Create(of) => {
            Call::SubjectCreate { subject_identifier: sid(world, &of.account)? }
        }
        SubjectCall::Destroy(of) => {
            Call::SubjectDestroy { subject: subject_of(world, &of.account)? }
        }
        SubjectCall::RemoveFromRoles(change) => Call::SubjectRemoveFromRoles {
            subject: subject_of(world, &change.account)?,
            role: role(&change.role),
        },
    }))
}

/// Changes objects as the administrator does.
pub(crate) fn change_domain(
    world: &World,
    change: &ChangeDomain,
    trail: &Trail,
) -> Result<(), StepError> {
    let domain = world.domain(&change.domain)?;
    domain.directory().apply_ldif("ldif", &change.ldif).map_err(|errors| {
        StepError::NoSuchChange { domain: change.domain.to_string(), cause: errors.to_string() }
    })?;
    trail.record(DomainChanged { domain: change.domain.to_string() });
    Ok(())
}

/// A role by its name; any other text as it is.
fn role(name: &str) -> Reference {
    name.parse::<Role>().map_or_else(|_| Reference::new(name), Role::reference)
}

/// The subject of an account, or a reference that nobody has.
fn subject_of(world: &World, account: &AdAccount) -> Result<Reference, StepError> {
    let sid = sid(world, account)?;
    let records = world.pool()?.database_view();
    let found = records.subjects.into_iter().find(|subject| subject.subject_identifier == sid);
    Ok(found.map_or_else(Reference::null, |subject| subject.reference))
}

fn sid(world: &World, account: &AdAccount) -> Result<String, StepError> {
    match account {
        AdAccount::Sid(sid) => Ok(sid.clone()),
        AdAccount::Named(name) => sid_of(world, name),
    }
}

fn sid_of(world: &World, name: &Spanned<String>) -> Result<String, StepError> {
    let (netbios, account) = match name.split_once('\\') {
        Some((netbios, account)) => (Some(netbios), account),
        None => (None, name.as_str()),
    };
    let domains = world
        .domains()
        .filter(|domain| netbios.is_none_or(|wanted| domain.directory().netbios_name() == wanted));
    for domain in domains {
        if let Some(sid) = domain.directory().sid_of(account) {
            return Ok(sid.to_string());
        }
    }
    // An account that is gone: its subject may have stayed.
    let records = world.pool()?.database_view();
    let has_name = |subject: &&sim_host::Subject| {
        let stored = subject.other_config.get("subject-name").map(String::as_str);
        stored.is_some_and(|stored| {
            stored == name.as_str() || stored.rsplit('\\').next() == Some(account)
        })
    };
    records
        .subjects
        .iter()
        .find(has_name)
        .map(|subject| subject.subject_identifier.clone())
        .ok_or_else(|| StepError::NoSuchAccount { account: name.to_string() })
}
