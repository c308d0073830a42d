//! What a step changes by hand: faults of DCs, ways and hosts, and files.

use ground::{Trail, fact};
use scenario::{DcAction, DcFault, FileAction, Liveness, RouteAction, SetLiveness, Spanned};
use serde::Serialize;
use sim_host::Entry;

use super::StepError;
use crate::{
    certificate_steps,
    world::{World, WorldError},
};

/// Somebody changed a file on a host by hand.
#[derive(Debug, Serialize)]
pub(super) struct FileChanged {
    host: String,
    path: String,
    change: &'static str,
}
fact!(FileChanged, "file.changed");

/// A member went down, fell silent or came back.
#[derive(Debug, Serialize)]
pub(super) struct LivenessChanged {
    host: String,
    state: &'static str,
}
fact!(LivenessChanged, "host.liveness");

pub(super) fn change_dc(world: &World, action: &DcAction, trail: &Trail) -> Result<(), WorldError> {
    let (name, change): (&str, &[Spanned<DcFault>]) = match action {
        DcAction::AddFaults(change) | DcAction::SetFaults(change) => (&change.dc, &change.faults),
        DcAction::RemoveFaults(change) => (&change.dc, &change.faults),
        DcAction::ClearFaults(change) => (&change.dc, &[]),
        DcAction::EnrolCertificate(change) => {
            let domain = world.dc(&change.dc)?.0;
            let (cause, days) = (trail.cause(), change.days);
            return Ok(domain.enrol_certificate(cause, &change.dc, days, change.beside)?);
        }
        DcAction::RenewCertificate(change) => {
            let domain = world.dc(&change.dc)?.0;
            return Ok(domain.renew_certificate_because(trail.cause(), &change.dc)?);
        }
    };
    let (domain, dc) = world.dc(name)?;
    let named = change.iter().map(|fault| fault.to_string());
    let has = dc.faults();
    let faults: Vec<String> = match action {
        DcAction::AddFaults(_) => has.iter().map(ToString::to_string).chain(named).collect(),
        DcAction::RemoveFaults(_) => {
            without(name, has.iter().map(ToString::to_string).collect(), named)?
        }
        _ => named.collect(),
    };
    Ok(domain.set_faults_because(trail.cause(), name, faults)?)
}

pub(super) fn set_liveness(
    world: &World,
    change: &SetLiveness,
    trail: &Trail,
) -> Result<(), WorldError> {
    let state = match change.state {
        Liveness::Live => sim_host::Liveness::Live,
        Liveness::Offline => sim_host::Liveness::Offline,
        Liveness::Unreachable => sim_host::Liveness::Unreachable,
    };
    world.host(&change.host)?.set_liveness(state);
    let host = change.host.to_string();
    trail.record(LivenessChanged { host, state: change.state.as_str() });
    Ok(())
}

pub(super) fn change_route(
    world: &mut World,
    action: &RouteAction,
    trail: &Trail,
) -> Result<(), WorldError> {
    match action {
        RouteAction::SetFaults(change) => {
            let faults = change.faults.iter().map(|fault| fault.as_str());
            world.set_route_faults(&change.host, &change.dc, faults, trail)
        }
        RouteAction::ClearFaults(change) => {
            world.set_route_faults(&change.host, &change.dc, [].into_iter(), trail)
        }
    }
}

/// `faults` without those that `removed` names as they are written, or by their ids alone.
fn without(
    dc: &str,
    mut faults: Vec<String>,
    removed: impl Iterator<Item = String>,
) -> Result<Vec<String>, WorldError> {
    for fault in removed {
        let before = faults.len();
        faults.retain(|has| *has != fault && has.split([':', '@']).next() != Some(&fault));
        if faults.len() == before {
            let has = if faults.is_empty() { "none".to_owned() } else { faults.join(", ") };
            return Err(WorldError::NoSuchFault { dc: dc.to_owned(), fault, has });
        }
    }
    Ok(faults)
}

pub(super) fn change_file(
    world: &mut World,
    action: &FileAction,
    trail: &Trail,
) -> Result<(), StepError> {
    let (host, path, change) = match action {
        FileAction::Write(write) => {
            let text = certificate_steps::content(world, &write.content)?;
            world.host(&write.host)?.root().write(&write.path, text.as_bytes(), 0o644)?;
            (&write.host, &write.path, "written")
        }
        FileAction::Edit(edit) => {
            let root = world.host(&edit.host)?.root().clone();
            let text = root.read_text_if_present(&edit.path)?.unwrap_or_default();
            if !text.contains(edit.find.as_str()) {
                return Err(StepError::NoSuchText {
                    host: edit.host.to_string(),
                    path: edit.path.to_string(),
                    text: edit.find.to_string(),
                });
            }
            let text = text.replace(edit.find.as_str(), &edit.with);
            root.write(&edit.path, text.as_bytes(), 0o644)?;
            (&edit.host, &edit.path, "edited")
        }
        FileAction::Delete(delete) => {
            let root = world.host(&delete.host)?.root().clone();
            match root.entry(&delete.path)? {
                Entry::Directory => root.remove_directory(&delete.path)?,
                Entry::File | Entry::Missing => root.remove(&delete.path)?,
            };
            (&delete.host, &delete.path, "deleted")
        }
        FileAction::MakeDirectory(make) => {
            world.host(&make.host)?.root().create_directory(&make.path, 0o755)?;
            (&make.host, &make.path, "made")
        }
    };
    let (host, path) = (host.to_string(), path.to_string());
    world.note_edit(&host, &path);
    trail.record(FileChanged { host, path, change });
    Ok(())
}
