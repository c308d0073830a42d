//! The step `xenapi.call`: any method, over a real socket, as a client of the pool would call it.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use fake_dc_pki::PkiError;
use ground::Trail;
use scenario::{Account, Argument, Caller, CertificateSource, XenapiCall};
use sim_host::{ApiError, CallResult, Reference};
use xenapi_client::{Answer, Client, ClientError, Encoding, Value, joining::JoinError};
use xenapi_wire::{Options, ServeError, Server, serve};

use crate::world::{ROOT_PASSWORD, World, WorldError};

/// Longest real time for a call that goes on by itself.
const QUIET_LIMIT: Duration = Duration::from_secs(10);
/// Where hosts expect each other's service.
const PORT: u16 = 443;
pub(crate) const ROOT: &str = "root";
const LOGIN: &str = "session.login_with_password";

/// What the clients of a case hold.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    /// Running servers by the names of their hosts.
    servers: BTreeMap<String, Server>,
    /// Kept sessions by the names of the accounts.
    sessions: BTreeMap<String, String>,
    /// Texts and references that calls returned, by the names of their steps.
    returned: BTreeMap<String, String>,
}

impl Clients {
    /// Closes all servers.
    pub(crate) async fn stop(self) {
        for server in self.servers.into_values() {
            server.stop().await;
        }
    }
}

/// Why a call did not come about.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("{method}: {error}")]
    Client { method: String, error: ClientError },
    #[error(transparent)]
    Join(JoinError),
    #[error("a call that goes on by itself has not ended within {} s", QUIET_LIMIT.as_secs())]
    Endless,
    #[error("the step `{step}` has returned no text and no reference")]
    NothingReturned { step: String },
    #[error(transparent)]
    Pki(#[from] PkiError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    World(#[from] Box<WorldError>),
}

impl From<WorldError> for CallError {
    fn from(error: WorldError) -> Self {
        Self::World(Box::new(error))
    }
}

impl CallError {
    /// Whether the scenario is to blame rather than the machine.
    pub(crate) fn is_wrong_input(&self) -> bool {
        match self {
            Self::NothingReturned { .. } => true,
            Self::World(error) => error.is_wrong_input(),
            Self::Client { .. } | Self::Endless | Self::Join(_) | Self::Pki(_) | Self::Serve(_) => {
                false
            }
        }
    }
}

/// The password that the step holds, if it does.
pub(crate) fn password_of(call: &XenapiCall) -> Option<&str> {
    match (&call.caller, call.params.get(1)) {
        (Caller::Account(account), _) => Some(account.password.as_str()),
        (_, Some(Argument::Text(password))) if call.method == LOGIN => Some(password),
        _ => None,
    }
}

/// Calls the method, and waits until what it began has ended.
pub(crate) async fn call(
    world: &mut World,
    title: &str,
    call: &XenapiCall,
    trail: &Trail,
) -> Result<Result<CallResult, ApiError>, CallError> {
    let hosts = world.pool()?.hosts();
    let coordinator = hosts.first().map_or("", |host| host.name()).to_owned();
    let host = call.host.as_ref().map_or(coordinator.as_str(), |host| host.as_str()).to_owned();
    let door = Door {
        coordinator: client(world, &coordinator).await?,
        asked: client(world, &host).await?,
        trail,
    };
    let answer = door.converse(world, call).await?;
    let result = answer.map(result_of);
    if let Ok(CallResult::Text(text)) = &result {
        world.clients.returned.insert(title.to_owned(), text.clone());
    }
    if let Ok(CallResult::Reference(reference)) = &result {
        world.clients.returned.insert(title.to_owned(), reference.to_string());
        if call.method == LOGIN {
            world.secrets.push(reference.to_string());
        }
    }
    Ok(result)
}

/// Waits until all services have done what they were asked for.
pub(crate) async fn quiet(world: &World) -> Result<(), CallError> {
    for server in world.clients.servers.values() {
        let quiet = tokio::time::timeout(QUIET_LIMIT, server.quiet());
        quiet.await.map_err(|_| CallError::Endless)?;
    }
    Ok(())
}

/// Where other hosts look for the service of a host.
pub(crate) fn believed_service(
    world: &World,
    host: &str,
) -> Result<Option<SocketAddr>, WorldError> {
    let address = world.record_of(host)?.address.parse::<IpAddr>();
    Ok(address.ok().map(|address| (address, PORT).into()))
}

/// Every host's service runs from now on, and all hosts find it at its address and the standard
/// port.
pub(crate) async fn open_services(world: &mut World) -> Result<(), CallError> {
    let hosts: Vec<_> = world.rig.pools().iter().flat_map(|pool| pool.hosts()).collect();
    let mut listening = Vec::new();
    for host in &hosts {
        if let Some(believed) = believed_service(world, host.name())? {
            let service = service_of(world, host.name()).await?;
            let met = world.pki.proxies.lead(believed, service).map_err(WorldError::from)?;
            listening.push((believed, met));
        }
    }
    for host in &hosts {
        let mut network = host.network();
        let before = network.translations.clone();
        network.translations.extend(listening.iter().copied());
        if network.translations != before {
            host.set_network(network);
        }
    }
    Ok(())
}

/// Where a host's service listens, which runs from now on.
pub(crate) async fn service_of(world: &mut World, host: &str) -> Result<SocketAddr, CallError> {
    if !world.clients.servers.contains_key(host) {
        let options = Options { host: Some(host.to_owned()), ..Options::new(world.trail.clone()) };
        let server = serve(world.pool_of(host)?, options).await?;
        world.clients.servers.insert(host.to_owned(), server);
    }
    Ok(world.clients.servers[host].address())
}

/// A client of a host's service.
async fn client(world: &mut World, host: &str) -> Result<Client, CallError> {
    Ok(Client::new(service_of(world, host).await?).encoding(Encoding::JsonRpc))
}

/// The way in for one step.
struct Door<'a> {
    coordinator: Client,
    asked: Client,
    trail: &'a Trail,
}

impl Door<'_> {
    async fn converse(&self, world: &mut World, call: &XenapiCall) -> Result<Answer, CallError> {
        let account = match &call.caller {
            Caller::Account(Account { user, password }) => (user.as_str(), password.as_str()),
            Caller::Root(_) => (ROOT, ROOT_PASSWORD),
            Caller::Nobody(_) => return self.send(world, call, None).await,
            Caller::Session(text) => return self.send(world, call, Some(text)).await,
            Caller::SessionOf(step) => {
                let session = returned(world, step)?.to_owned();
                return self.send(world, call, Some(&session)).await;
            }
        };
        if let Some(kept) = world.clients.sessions.get(account.0).cloned() {
            let answer = self.send(world, call, Some(&kept)).await?;
            let ended = ApiError::new("SESSION_INVALID", [kept.as_str()]);
            if answer.as_ref().err() != Some(&ended) {
                return Ok(answer);
            }
        }
        let (user, password) = account;
        let params = [user, password].map(Value::text);
        let session = match self.post(&self.coordinator, LOGIN, params.to_vec()).await? {
            Ok(session) => text_of(&session),
            Err(error) => return Ok(Err(error)),
        };
        world.secrets.push(session.clone());
        world.clients.sessions.insert(user.to_owned(), session.clone());
        self.send(world, call, Some(&session)).await
    }

    async fn send(
        &self,
        world: &World,
        call: &XenapiCall,
        session: Option<&str>,
    ) -> Result<Answer, CallError> {
        let mut params: Vec<_> = session.map(Value::text).into_iter().collect();
        for argument in &call.params {
            params.push(value_of(world, argument, session)?);
        }
        self.post(&self.asked, &call.method, params).await
    }

    async fn post(
        &self,
        client: &Client,
        method: &str,
        params: Vec<Value>,
    ) -> Result<Answer, CallError> {
        client
            .call(method, params, self.trail)
            .await
            .map_err(|error| CallError::Client { method: method.to_owned(), error })
    }
}

fn value_of(world: &World, argument: &Argument, session: Option<&str>) -> Result<Value, CallError> {
    Ok(match argument {
        Argument::Bool(value) => Value::Bool(*value),
        Argument::HostReference(host) => Value::text(world.record_of(host)?.reference),
        Argument::HostUuid(host) => Value::text(world.record_of(host)?.uuid),
        Argument::Installed(step) => {
            let reference = world.installed.get(step.as_str());
            let nothing = || CallError::NothingReturned { step: step.to_string() };
            Value::text(reference.ok_or_else(nothing)?)
        }
        Argument::Int(value) => Value::Int(*value),
        Argument::List(items) => {
            let items = items.iter().map(|item| value_of(world, item, session));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        Argument::Map(entries) => {
            let entries = entries
                .iter()
                .map(|(key, part)| Ok((key.clone(), value_of(world, part, session)?)));
            Value::Struct(entries.collect::<Result<_, CallError>>()?)
        }
        Argument::MessageReference(name) => {
            let messages = world.pool()?.messages();
            let found = messages.iter().find(|message| message.name == name.as_str());
            let null = Reference::null();
            Value::text(found.map_or(&null, |message| &message.reference).as_str())
        }
        Argument::PoolReference => Value::text(world.pool()?.reference().as_str()),
        Argument::PoolUuid => Value::text(world.pool()?.database_view().pool.uuid.to_string()),
        Argument::Returned(step) => Value::text(returned(world, step)?),
        Argument::Root(domain) => {
            let span = 0..0;
            let domain = scenario::Spanned { value: domain.clone(), span };
            Value::text(world.certificate(&CertificateSource::Root(domain))?)
        }
        Argument::Session => Value::text(session.unwrap_or_default()),
        Argument::Text(text) => Value::text(text.as_str()),
    })
}

fn returned<'w>(world: &'w World, step: &str) -> Result<&'w str, CallError> {
    let text = world.clients.returned.get(step).map(String::as_str);
    text.ok_or_else(|| CallError::NothingReturned { step: step.to_owned() })
}

/// What expectations compare. A map of records is the set of their references; what is deeper in a
/// record than a text is written as JSON.
fn result_of(value: Value) -> CallResult {
    if let Some(pairs) = sets_by_text(&value) {
        return CallResult::SetsByKey(pairs);
    }
    match value {
        Value::Array(items) => CallResult::Texts(items.iter().map(text_of).collect()),
        Value::Struct(members) => {
            let is_record = |(_, value): &(String, Value)| value.member("uuid").is_some();
            if !members.is_empty() && members.iter().all(is_record) {
                return CallResult::Texts(members.into_iter().map(|(key, _)| key).collect());
            }
            let members = members.into_iter().map(|(key, value)| {
                let text = text_of(&value);
                (key, text)
            });
            CallResult::Map(members.collect())
        }
        value => match text_of(&value) {
            text if text.starts_with("OpaqueRef:") => CallResult::Reference(Reference::new(text)),
            text => CallResult::Text(text),
        },
    }
}

/// A map of sets of texts, or a list of its pairs. As most clients do, this one makes a real map of a
/// map: of a key that recurs only the last is left.
fn sets_by_text(value: &Value) -> Option<Vec<(String, Vec<String>)>> {
    let pairs = value.as_sets_by_key().filter(|pairs| !pairs.is_empty())?;
    let is_map = value.members().is_some();
    Some(if is_map { BTreeMap::from_iter(pairs).into_iter().collect() } else { pairs })
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => other.to_json(),
    }
}
