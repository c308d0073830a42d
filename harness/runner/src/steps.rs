//! Applies one step to the world.

mod change;
mod error;
mod program;
mod request;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use fake_dc::facts::Connection;
use ground::{Event, EventId, Ledger, Trail, fact};
use scenario::{
    Action, BackgroundAction, ClientAction, ClockAction, DomainAction, HostAction, Step,
    XapiAction, XenapiAction,
};
use serde::Serialize;
use sim_host::{
    ApiError, CallResult, Output, Reference,
    samba::facts::{TcpConnecting, TcpFailed},
};
use trust_models::pinned::facts::ProxyReached;

use self::{
    change::{FileChanged, LivenessChanged, change_dc, change_file, change_route, set_liveness},
    program::{ProgramEnded, run_net},
    request::{host_request, pool_request},
};
pub(crate) use self::{error::StepError, program::run_program, request::installed};
use crate::{
    Place,
    accounts::{self, DomainChanged},
    calls::{self, Request},
    certificate_steps, client_steps,
    models::{self, Refusal},
    renewals::{self, CaRenewed},
    samba_client::ProgramAbandoned,
    wbinfo,
    world::{HostFaultCleared, HostFaultSet, World, WorldError},
    xenapi,
};

/// A step begins.
#[derive(Debug, Serialize)]
struct StepBegan {
    number: usize,
    title: String,
    action: String,
}
fact!(StepBegan, "scenario.step");

/// Virtual time has moved.
#[derive(Debug, Serialize)]
struct ClockAdvanced {
    seconds: u64,
}
fact!(ClockAdvanced, "clock.advanced");

/// Kinds of the facts that the runner itself records.
pub(crate) const KINDS: &[&str] = &[
    StepBegan::KIND,
    ClockAdvanced::KIND,
    DomainChanged::KIND,
    FileChanged::KIND,
    HostFaultCleared::KIND,
    HostFaultSet::KIND,
    LivenessChanged::KIND,
    CaRenewed::KIND,
    ProgramAbandoned::KIND,
    ProgramEnded::KIND,
    Refusal::KIND,
];

/// What a step did.
#[derive(Debug)]
pub(crate) struct Done {
    /// How its call ended; what is no call succeeds.
    pub(crate) result: Result<CallResult, ApiError>,
    /// What the program printed, if the step ran one.
    pub(crate) output: Option<Output>,
    /// Why it was refused, if it was an action of a neighbouring model of trust.
    pub(crate) refusal: Option<Refusal>,
    /// Everything that happened during it, in order of arrival.
    pub(crate) events: Vec<Event>,
}

/// Applies `step` and waits until the DCs have seen all of it.
pub(crate) async fn apply(
    world: &mut World,
    place: &Place,
    step: &Step,
) -> Result<Done, StepError> {
    let before = world.ledger.last();
    let trail = world.trail.begin(StepBegan {
        number: place.step,
        title: place.title.clone(),
        action: step.action.name(),
    });
    let on = step.on.as_ref().map(|host| host.as_str());
    world.turn_to(on)?;
    if world.rig.pools().len() > 1 {
        // One may call another.
        xenapi::open_services(world).await?;
    }
    let (mut output, mut refusal) = (None, None);
    let request = match &step.action.value {
        Action::Auth(call) => Some(accounts::auth(world, call)?),
        Action::Host(action) => host_request(world, action)?,
        Action::Pool(call) => pool_request(world, call).await?,
        Action::Session(call) => Some(accounts::session(world, call)?),
        Action::Subject(call) => Some(accounts::subject(world, call)?),
        _ => None,
    };
    let result = match (request, &step.action.value) {
        (Some(request), _) if step.background => {
            let pool = Arc::clone(world.pool()?);
            world.backgrounds.begin(&place.title, &pool, &world.sessions, request, &trail);
            Ok(CallResult::Void)
        }
        (Some(request), _) => call(world, &place.title, request, &trail, before).await?,
        (None, Action::Background(BackgroundAction::Ended(ended))) => {
            end_of_background(world, &ended.step, &trail).await?
        }
        (None, Action::Clock(ClockAction::Advance(advance))) => {
            let trail = trail.begin(ClockAdvanced { seconds: advance.0.as_secs() });
            world.keeper.advance(&world.rig, &trail, advance.0).await;
            if let Ok(cloud) = world.cloud() {
                cloud.clean_up(&trail);
            }
            Ok(CallResult::Void)
        }
        (None, Action::Client(ClientAction::Join(join))) => {
            let (keeper, rig) = (world.keeper.clone(), Arc::clone(&world.rig));
            let answer = client_steps::join(world, join, &trail);
            keeper.attend(&rig, &trail, answer).await.map_err(|_| stuck(&trail, before))??
        }
        (None, Action::Xenapi(XenapiAction::Call(call))) => {
            let (keeper, rig) = (world.keeper.clone(), Arc::clone(&world.rig));
            let answer = xenapi::call(world, &place.title, call, &trail);
            keeper.attend(&rig, &trail, answer).await.map_err(|_| stuck(&trail, before))??
        }
        (None, action) if action.is_of_another_model() => {
            let (keeper, rig) = (world.keeper.clone(), Arc::clone(&world.rig));
            let acted = keeper.attend(&rig, &trail, models::act(world, action, &trail)).await;
            refusal = acted.map_err(|_| stuck(&trail, before))??;
            if let Some(refusal) = &refusal {
                trail.record(refusal.clone());
            }
            Ok(CallResult::Void)
        }
        (None, other) => {
            let (keeper, rig) = (world.keeper.clone(), Arc::clone(&world.rig));
            let acted = keeper.attend(&rig, &trail, act(world, other, &trail)).await;
            output = acted.map_err(|_| stuck(&trail, before))??;
            Ok(CallResult::Void)
        }
    };
    if world.backgrounds.is_empty() || matches!(step.action.value, Action::Xenapi(_)) {
        xenapi::quiet(world).await?;
    }
    // The step may have put the host into another pool.
    world.turn_to(on)?;
    let all_is_done = world.keeper.settle(&world.rig, &trail);
    if tokio::time::timeout(SETTLE_LIMIT, all_is_done).await.is_err() {
        return Err(StepError::Restless { waits: calls::waits(&trail, before) });
    }
    settle(world, before).await?;
    Ok(Done { result, output, refusal, events: world.ledger.events_after(before) })
}

/// Makes a call and waits for its end.
async fn call(
    world: &mut World,
    title: &str,
    request: Request,
    trail: &Trail,
    before: Option<EventId>,
) -> Result<calls::Answer, StepError> {
    let known: BTreeSet<Reference> = references(world)?;
    let answer = calls::perform(world.pool()?, &world.sessions, title, request, trail);
    let answer = world.keeper.attend(&world.rig, trail, answer).await;
    let answer = answer.map_err(|_| stuck(trail, before))?;
    if let Some(new) = references(world)?.difference(&known).next() {
        world.installed.insert(title.to_owned(), new.clone());
    }
    if let Ok(CallResult::Text(text)) = &answer {
        world.read.insert(title.to_owned(), text.clone());
    }
    Ok(answer)
}

/// Waits for the end of a call in the background, for as long as that takes.
async fn end_of_background(
    world: &mut World,
    step: &str,
    trail: &Trail,
) -> Result<calls::Answer, StepError> {
    let World { backgrounds, keeper, rig, .. } = world;
    let ended = keeper.await_end(rig, trail, backgrounds.end(step)).await;
    ended.ok().flatten().ok_or_else(|| StepError::StillWaits { step: step.to_owned() })
}

fn stuck(trail: &Trail, before: Option<EventId>) -> StepError {
    StepError::Stuck { waits: calls::waits(trail, before) }
}

fn references(world: &World) -> Result<BTreeSet<Reference>, WorldError> {
    let certificates = world.pool()?.certificates().into_iter();
    Ok(certificates.map(|certificate| certificate.reference).collect())
}

/// Everything that is no call.
async fn act(
    world: &mut World,
    action: &Action,
    trail: &Trail,
) -> Result<Option<Output>, StepError> {
    match action {
        Action::Dc(action) => change_dc(world, action, trail)?,
        Action::Host(HostAction::SetFaults(change)) => {
            let faults = change.faults.iter().map(|fault| fault.as_str());
            world.set_host_faults(&change.host, faults, trail)?;
        }
        Action::Host(HostAction::ClearFaults(change)) => {
            world.set_host_faults(&change.host, [].into_iter(), trail)?;
        }
        Action::Domain(DomainAction::Change(change)) => {
            accounts::change_domain(world, change, trail)?;
        }
        Action::Domain(DomainAction::RenewCa(renewal)) => {
            renewals::renew_ca(world, renewal, trail)?;
        }
        Action::Host(HostAction::HoldProgram(held)) => {
            world.host(&held.host)?.hold_program(&held.program);
        }
        Action::Host(HostAction::ReleaseProgram(held)) => {
            world.host(&held.host)?.release_program(&held.program);
        }
        Action::Host(HostAction::SetLiveness(change)) => set_liveness(world, change, trail)?,
        Action::Route(action) => change_route(world, action, trail)?,
        Action::File(action) => change_file(world, action, trail)?,
        Action::Net(command) => return run_net(world, command, trail).await.map(Some),
        Action::Wbinfo(command) => return wbinfo::run(world, command, trail).await.map(Some),
        Action::Xapi(XapiAction::Restart(restart)) => {
            world.rig.restart(&restart.host, trail).await?;
        }
        Action::Xapi(action) => certificate_steps::change_operations(world, action, trail)?,
        Action::Auth(_)
        | Action::Background(_)
        | Action::Clock(_)
        | Action::Cloud(_)
        | Action::Host(_)
        | Action::Pool(_)
        | Action::Pinned(_)
        | Action::Pki(_)
        | Action::Session(_)
        | Action::Subject(_)
        | Action::Client(_)
        | Action::Xenapi(_) => {}
    }
    Ok(None)
}

/// Longest real time for DCs to see the ends of connections that hosts have closed.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);

/// Waits until every connection that a host opened since `before` has been accepted and closed by
/// its DC or a proxy before it, so that the ledger holds all of the step.
async fn settle(world: &World, before: Option<EventId>) -> Result<(), StepError> {
    let opened = connections(&world.ledger, before);
    let mut accepted = BTreeSet::new();
    let all_accepted = async {
        if opened.is_empty() {
            return;
        }
        world
            .ledger
            .wait_for_after(before, |event| {
                let taken = event.fact::<Connection>().is_some()
                    // Which comes to the DC by itself, or does not.
                    || event.fact::<ProxyReached>().is_some();
                accepted.extend(event.cause.filter(|_| taken));
                opened.is_subset(&accepted)
            })
            .await;
    };
    let settled = tokio::time::timeout(SETTLE_LIMIT, async {
        all_accepted.await;
        if world.backgrounds.is_empty() {
            world.pki.proxies.settled().await;
        }
        for domain in world.domains() {
            domain.quiet().await;
        }
    });
    if settled.await.is_err() {
        return Err(StepError::Unsettled { count: opened.difference(&accepted).count() });
    }
    Ok(())
}

/// The hosts' connecting events after `before` whose connection came about.
fn connections(ledger: &Ledger, before: Option<EventId>) -> BTreeSet<EventId> {
    let mut opened = BTreeSet::new();
    ledger.visit_after(before, |event| {
        if event.fact::<TcpConnecting>().is_some() {
            opened.insert(event.id);
        } else if let (Some(_), Some(cause)) = (event.fact::<TcpFailed>(), event.cause) {
            opened.remove(&cause);
        }
    });
    opened
}
