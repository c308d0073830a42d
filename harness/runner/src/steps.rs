//! Applies one step to the world.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use fake_dc::facts::Connection;
use ground::{Event, EventId, Ledger, Secret, Trail, fact};
use scenario::{
    Action, AdsSearch, BackgroundAction, ClientAction, ClockAction, DcAction, DcFault,
    DomainAction, FileAction, HostAction, InstalledCertificate, JoinPool, Liveness, NetCommand,
    PoolCall, RouteAction, SetLiveness, Spanned, Step, XapiAction, XenapiAction,
};
use serde::Serialize;
use sim_host::{
    ApiError, AuthConfig, Call, CallResult, CertificateType, Credentials, Entry, ExtAuthSetting,
    HostError, JoinParameters, Output, Reference, SambaCommand, Server,
    samba::facts::{TcpConnecting, TcpFailed},
};

use crate::{
    Place,
    accounts::{self, DomainChanged},
    calls::{self, Request},
    certificate_steps, client_steps, exchange_steps,
    models::{self, Refusal},
    renewals::{self, CaRenewed},
    samba_client::ProgramAbandoned,
    wbinfo,
    world::{HostFaultCleared, HostFaultSet, ROOT_PASSWORD, World, WorldError},
    xenapi::{self, CallError},
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

/// Somebody changed a file on a host by hand.
#[derive(Debug, Serialize)]
struct FileChanged {
    host: String,
    path: String,
    change: &'static str,
}
fact!(FileChanged, "file.changed");

/// A member went down, fell silent or came back.
#[derive(Debug, Serialize)]
struct LivenessChanged {
    host: String,
    state: &'static str,
}
fact!(LivenessChanged, "host.liveness");

/// A program that somebody ran on a host by hand has ended.
#[derive(Debug, Serialize)]
struct ProgramEnded {
    exit: i32,
    stdout: String,
    stderr: String,
}
fact!(ProgramEnded, "program.ended");

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

/// Why a step cannot be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("`{text}` does not occur in {host}:{path}")]
    NoSuchText { host: String, path: String, text: String },
    #[error("no account is called `{account}`")]
    NoSuchAccount { account: String },
    #[error("{domain} refuses the change: {cause}")]
    NoSuchChange { domain: String, cause: String },
    #[error("the step `{step}` has opened no session")]
    NoSession { step: String },
    #[error("no session at the remote pool: {error}")]
    NoRemoteSession { error: ApiError },
    #[error("a call in the background has not come to rest within {} s: {waits}", SETTLE_LIMIT.as_secs())]
    Restless { waits: String },
    #[error("the call in the background `{step}` still waits")]
    StillWaits { step: String },
    #[error("nobody can go on: {waits}")]
    Stuck { waits: String },
    #[error("the step `{step}` has installed no certificate")]
    NothingInstalled { step: String },
    #[error(
        "{count} connections that hosts opened were not seen to end by their DC within {} s",
        SETTLE_LIMIT.as_secs()
    )]
    Unsettled { count: usize },
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Xenapi(#[from] CallError),
}

impl StepError {
    /// Whether the scenario, or a file it names, is to blame rather than the machine.
    pub(crate) fn is_wrong_input(&self) -> bool {
        match self {
            Self::NoRemoteSession { .. }
            | Self::NoSession { .. }
            | Self::NoSuchAccount { .. }
            | Self::NoSuchChange { .. }
            | Self::NoSuchText { .. }
            | Self::NothingInstalled { .. }
            | Self::StillWaits { .. }
            | Self::Stuck { .. } => true,
            Self::World(error) => error.is_wrong_input(),
            Self::Xenapi(error) => error.is_wrong_input(),
            Self::Host(_) | Self::Restless { .. } | Self::Unsettled { .. } => false,
        }
    }

    /// What to do about it, where that is known.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::StillWaits { .. } => {
                Some("release what it waits for before it is asked how it ended".to_owned())
            }
            Self::Stuck { .. } => {
                Some("let the call go on in the background with `background = true`".to_owned())
            }
            Self::World(error) => error.remedy(),
            _ => None,
        }
    }
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

/// `None` if nothing is to be called.
async fn pool_request(world: &mut World, call: &PoolCall) -> Result<Option<Request>, StepError> {
    if let Some(call) = exchange_steps::call(world, call).await? {
        return Ok(Some(Request::Call(Call::Exchange(call))));
    }
    let call = match call {
        PoolCall::Eject(call) => {
            Call::PoolEject { host: world.host(&call.host)?.reference().clone() }
        }
        PoolCall::Join(join) => Call::PoolJoin(join_parameters(world, join, false)),
        PoolCall::JoinForce(join) => Call::PoolJoin(join_parameters(world, join, true)),
        PoolCall::InstallTrustedCertificate(call) => Call::PoolInstallTrustedCertificate {
            pool: None,
            ca: call.ca,
            certificate: world.certificate(&call.cert)?,
            purpose: call.purpose.iter().map(ToString::to_string).collect(),
        },
        PoolCall::UninstallTrustedCertificate(call) => Call::PoolUninstallTrustedCertificate {
            pool: None,
            certificate: installed(world, &call.certificate)?,
        },
        PoolCall::DetectNonhomogeneousExternalAuth(_) => {
            Call::PoolDetectNonhomogeneousExternalAuth { pool: None }
        }
        PoolCall::EnableExternalAuth(call) => Call::PoolEnableExternalAuth {
            pool: None,
            config: config(&call.config),
            service_name: call.service_name.clone(),
            auth_type: call.auth_type.clone(),
        },
        PoolCall::DisableExternalAuth(call) => {
            Call::PoolDisableExternalAuth { pool: None, config: config(&call.config) }
        }
        PoolCall::ExternalAuthSetLdaps(call) => {
            Call::PoolExternalAuthSetLdaps { pool: None, ldaps: call.ldaps, force: call.force }
        }
        PoolCall::SetExtAuthCacheEnabled(set) => {
            Call::PoolSetExtAuth { setting: ExtAuthSetting::CacheEnabled(set.value) }
        }
        PoolCall::SetExtAuthCacheExpiry(set) => {
            Call::PoolSetExtAuth { setting: ExtAuthSetting::CacheExpiry(set.value) }
        }
        PoolCall::SetExtAuthCacheSize(set) => {
            Call::PoolSetExtAuth { setting: ExtAuthSetting::CacheSize(set.value) }
        }
        PoolCall::SetExtAuthMaxThreads(set) => {
            Call::PoolSetExtAuth { setting: ExtAuthSetting::MaxThreads(set.value) }
        }
        other => match certificate_steps::call(world, other)? {
            Some(call) => call,
            None => return Ok(None),
        },
    };
    Ok(Some(Request::Call(call)))
}

fn join_parameters(world: &World, join: &JoinPool, force: bool) -> JoinParameters {
    let host = world.record_of(&join.master_address).map(|host| host.address);
    let password = join.master_password.as_ref().map_or(ROOT_PASSWORD, |own| own.as_str());
    JoinParameters {
        master_address: host.unwrap_or_else(|_| join.master_address.clone()),
        master_username: join.master_username.clone(),
        master_password: Secret::new(password),
        force,
    }
}

/// `None` if it is no call.
fn host_request(world: &World, action: &HostAction) -> Result<Option<Request>, StepError> {
    let reference = |host: &str| world.host(host).map(|host| host.reference().clone());
    let call = match action {
        HostAction::DisableExternalAuth(call) => Call::HostDisableExternalAuth {
            host: reference(&call.host)?,
            config: config(&call.config),
            force: call.force,
        },
        HostAction::EnableExternalAuth(call) => Call::HostEnableExternalAuth {
            host: reference(&call.host)?,
            config: config(&call.config),
            service_name: call.service_name.clone(),
            auth_type: call.auth_type.clone(),
        },
        HostAction::ExternalAuthSetLdaps(call) => Call::HostExternalAuthSetLdaps {
            host: reference(&call.host)?,
            ldaps: call.ldaps,
            force: call.force,
        },
        HostAction::GetServerCertificate(call) => {
            Call::HostGetServerCertificate { host: reference(&call.host)? }
        }
        HostAction::ClearFaults(_)
        | HostAction::HoldProgram(_)
        | HostAction::ReleaseProgram(_)
        | HostAction::SetFaults(_)
        | HostAction::SetLiveness(_) => return Ok(None),
    };
    Ok(Some(Request::Call(call)))
}

fn config(config: &scenario::AuthConfig) -> AuthConfig {
    config.0.clone().into_iter().collect()
}

fn references(world: &World) -> Result<BTreeSet<Reference>, WorldError> {
    let certificates = world.pool()?.certificates().into_iter();
    Ok(certificates.map(|certificate| certificate.reference).collect())
}

/// The reference of a certificate that a step names.
pub(crate) fn installed(
    world: &World,
    certificate: &Spanned<InstalledCertificate>,
) -> Result<Reference, StepError> {
    match &certificate.value {
        InstalledCertificate::InstalledBy(step) => world
            .installed
            .get(step.as_str())
            .cloned()
            .ok_or_else(|| StepError::NothingInstalled { step: step.to_string() }),
        InstalledCertificate::Cert(source) => {
            let pem = world.certificate(source)?;
            Ok(world.pool()?.certificate_by_pem(&pem).unwrap_or_else(Reference::null))
        }
        InstalledCertificate::IdentityOf(host) => {
            let host = world.host(host)?;
            let rows = world.pool()?.database_view().certificates;
            let own = rows
                .into_iter()
                .find(|row| row.kind == CertificateType::Host && row.host == *host.reference());
            Ok(own.map_or_else(Reference::null, |row| row.reference))
        }
    }
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

fn change_dc(world: &World, action: &DcAction, trail: &Trail) -> Result<(), WorldError> {
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

fn set_liveness(world: &World, change: &SetLiveness, trail: &Trail) -> Result<(), WorldError> {
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

fn change_route(world: &World, action: &RouteAction, trail: &Trail) -> Result<(), WorldError> {
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

fn change_file(world: &mut World, action: &FileAction, trail: &Trail) -> Result<(), StepError> {
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

/// Runs `net` as an administrator on the host would.
async fn run_net(world: &World, command: &NetCommand, trail: &Trail) -> Result<Output, StepError> {
    let (host, command) = match command {
        NetCommand::AdsLookup(lookup) => {
            (&lookup.host, SambaCommand::AdsLookup { server: world.dc(&lookup.dc)?.1.ip().into() })
        }
        NetCommand::AdsSearch(search) => (&search.host, search_command(world, search)?),
        NetCommand::LookupKdc(lookup) => {
            (&lookup.host, SambaCommand::LookupKdc { domain: lookup.domain.to_string() })
        }
    };
    run_program(world, host, command, trail).await
}

/// Runs a program of a host, for everybody to see what it says.
pub(crate) async fn run_program(
    world: &World,
    host: &str,
    command: SambaCommand,
    trail: &Trail,
) -> Result<Output, StepError> {
    let output = world.pool_of(host)?.run_program(host, command, trail).await?;
    trail.record(ProgramEnded {
        exit: output.exit,
        stdout: output.stdout.clone(),
        stderr: output.stderr.clone(),
    });
    Ok(output)
}

fn search_command(world: &World, search: &AdsSearch) -> Result<SambaCommand, WorldError> {
    let server = Server::Address(world.dc(&search.dc)?.1.ip().into());
    let credentials = match (&search.user, &search.password) {
        (Some(user), Some(password)) => {
            Credentials::User { user: user.clone(), password: Secret::new(password.as_str()) }
        }
        _ => Credentials::Machine,
    };
    let (filter, attributes) = (search.filter.clone(), search.attributes.clone());
    Ok(SambaCommand::AdsSearch { server, credentials, filter, attributes })
}

/// Longest real time for DCs to see the ends of connections that hosts have closed.
const SETTLE_LIMIT: Duration = Duration::from_secs(10);

/// Waits until every connection that a host opened since `before` has been accepted and closed by
/// its DC, so that the ledger holds all of the step.
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
                if let (Some(_), Some(cause)) = (event.fact::<Connection>(), event.cause) {
                    accepted.insert(cause);
                }
                opened.is_subset(&accepted)
            })
            .await;
    };
    let settled = tokio::time::timeout(SETTLE_LIMIT, async {
        all_accepted.await;
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
