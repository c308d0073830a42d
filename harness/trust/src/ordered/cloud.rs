//! A management server with its appliances.

mod agents;
mod state;

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use ground::{Actor, Clock, Ledger, Secret, Seed, Timestamp, Trail};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use self::{
    agents::Agents,
    state::{Links, intervals, management, no_appliance, of_appliance},
};
pub(super) use state::State;

use super::{
    BUILT_IN_DOMAIN, CloudError, ConsoleAppliance, CopyError, Deed, Intervals, Keystore, Link,
    Material, Protocol, RefusedCall, Script, StorageAppliance, Upload, UploadError, Uploaded,
    agent, api, facts,
    links::CleanUp,
    reasons::CALL_FAILED,
    web::{Door, Objection, Obstacle, Server},
};

/// The setting for the protocol of consoles that are created from then on.
pub const CONSOLE_SSL: &str = "consoleproxy.sslEnabled";
/// The setting for the life of a link.
pub const URL_EXPIRATION: &str = "extract.url.expiration.interval";
/// The setting for how often the clean-up runs.
pub const URL_CLEANUP: &str = "extract.url.cleanup.interval";

/// What the management server is called in the ledger.
pub const MANAGEMENT: &str = "management-server";
const DATABASE: &str = "cloud.db";
/// Appliances of a cloud; each has an address of its own, of this machine alone.
const APPLIANCES_MAX: u8 = 200;
const FIRST_ADDRESS: u8 = 10;

/// What a cloud is made of.
#[derive(Clone, Debug)]
pub struct CloudOptions {
    /// Decides over identifiers and over the built-in certificates.
    pub seed: Seed,
    /// Where the table and the disks of appliances are.
    pub directory: PathBuf,
    /// What everybody reads the time from.
    pub clock: Clock,
    /// Where everything is recorded.
    pub ledger: Ledger,
}

/// A management server that runs, and the appliances that report to it. Dropping it stops them.
pub struct Cloud {
    state: Arc<State>,
    api: Server,
    agents: Agents,
    /// Of the management server.
    own_key: Secret,
}

/// The upload that was refused last, and was not followed by one that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedUpload {
    /// Name of the row.
    pub name: String,
    /// Why, as a name.
    pub reason: &'static str,
    /// Why, in words.
    pub words: String,
}

impl Cloud {
    /// Starts a management server. A table that is in its directory already goes on to be used.
    ///
    /// # Errors
    ///
    /// The table, a port, or a certificate cannot be had.
    pub async fn start(options: CloudOptions) -> Result<Self, CloudError> {
        let failed = |what: &str| {
            let what = what.to_owned();
            move |source| CloudError::Io { what, source }
        };
        std::fs::create_dir_all(&options.directory).map_err(failed("the directory of a cloud"))?;
        let now = options.clock.now();
        let issue = |name, domain| Material::issue(&options.seed, name, domain, now, &[]);
        let (built_in, own) = (issue("built in", BUILT_IN_DOMAIN)?, issue(MANAGEMENT, "cloud")?);
        let keystore = Keystore::open(&options.directory.join(DATABASE))?;
        let tls = agent::server_config(&own.server, &own.key)
            .map_err(failed("the identity of the management server"))?;
        let tls = Arc::new(tls);

        let listening = failed("a port of the management server");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(listening)?;
        let management =
            listener.local_addr().map_err(failed("a port of the management server"))?;
        let state = Arc::new(State::new(options, built_in, keystore, management)?);
        let agents = Agents::start(listener, TlsAcceptor::from(Arc::clone(&tls)), &state);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(failed("the port of the API"))?;
        let api = api::serve(listener, Door::Either(tls), Arc::clone(&state))
            .map_err(failed("the port of the API"))?;
        state.note_start(&state.trail());
        Ok(Self { state, api, agents, own_key: own.key })
    }

    /// Where the API is, for HTTP and HTTPS: `/client/api`.
    pub fn api_address(&self) -> SocketAddr {
        self.api.address
    }

    /// Calls `uploadCustomCertificate` as a client does, over HTTP, and waits for the job.
    ///
    /// # Errors
    ///
    /// The call or its job is refused; the words are those of the answer.
    pub async fn call_upload(
        &self,
        upload: &Upload,
        is_encoded: bool,
        trail: &Trail,
    ) -> Result<(), RefusedUpload> {
        let query = upload.to_query(is_encoded);
        let answered = api::call_and_wait(self.api.address, &query, &self.state, trail).await;
        answered.map_err(|words| {
            let known = self.last_refusal().filter(|refused| refused.words == words);
            let reason = known.map_or(CALL_FAILED, |refused| refused.reason);
            RefusedUpload { name: upload.name.clone(), reason, words }
        })
    }

    /// Calls any command of the API over HTTP.
    ///
    /// # Errors
    ///
    /// The call is refused.
    pub async fn call_api(
        &self,
        command: &str,
        parameters: impl IntoIterator<Item = (&'_ str, &'_ str)>,
        trail: &Trail,
    ) -> Result<(), RefusedCall> {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("command", command)
            .append_pair("response", "json")
            .extend_pairs(parameters)
            .finish();
        api::call(self.api.address, &query, trail).await.map(drop)
    }

    /// Takes an upload and does what follows from it, without the API.
    ///
    /// # Errors
    ///
    /// It is refused, and nothing has changed.
    pub async fn upload(&self, upload: &Upload, trail: &Trail) -> Result<Uploaded, UploadError> {
        self.state.upload(upload, trail).await
    }

    /// Changes a global setting. Intervals count from the next start of the management server on,
    /// the protocol from the next console that is created.
    ///
    /// # Errors
    ///
    /// There is no such setting, or it cannot have that value.
    pub fn configure(&self, name: &str, value: &str) -> Result<(), CloudError> {
        self.state.configure(name, value)
    }

    /// Stops and starts the management server. Appliances report again, and are set up again.
    ///
    /// # Errors
    ///
    /// An appliance does not come back.
    pub async fn restart_management(&self, trail: &Trail) -> Result<(), CloudError> {
        self.agents.hang_up();
        self.clean_up(trail);
        let intervals = intervals(&self.state.keystore())?;
        let now = self.state.options.clock.now();
        self.state.links().clean_up = CleanUp::new(intervals, now);
        self.state.note_start(trail);
        self.state.restart_all(trail).await
    }

    /// Creates a storage appliance and starts it.
    ///
    /// # Errors
    ///
    /// It has the name of another, or does not start.
    pub async fn create_storage(
        &self,
        name: &str,
        script: Script,
        trail: &Trail,
    ) -> Result<Arc<StorageAppliance>, CloudError> {
        let address = self.state.new_address(name)?;
        let options = &self.state.options;
        let appliance = StorageAppliance::create(
            name,
            address,
            options.directory.join(name),
            script,
            &self.state.built_in,
            options.ledger.trail(Actor::Host(name.to_owned())),
            options.clock.clone(),
        );
        let appliance = Arc::new(appliance.map_err(of_appliance(name))?);
        self.state.storage().insert(name.to_owned(), Arc::clone(&appliance));
        self.state.start_storage(&appliance, trail).await?;
        Ok(appliance)
    }

    /// Creates a console and starts it. It speaks what is configured now, and goes on to do so.
    ///
    /// # Errors
    ///
    /// It has the name of another, or does not start.
    pub async fn create_console(
        &self,
        name: &str,
        trail: &Trail,
    ) -> Result<Arc<ConsoleAppliance>, CloudError> {
        let address = self.state.new_address(name)?;
        let own = self.state.options.ledger.trail(Actor::Host(name.to_owned()));
        let protocol = self.state.console_protocol()?;
        let console = Arc::new(ConsoleAppliance::create(name, address, protocol, own));
        self.state.consoles().insert(name.to_owned(), Arc::clone(&console));
        self.state.start_console(&console, trail).await?;
        Ok(console)
    }

    /// Stops an appliance and removes it with its disk.
    ///
    /// # Errors
    ///
    /// There is none of that name, or its disk cannot be removed.
    pub async fn destroy(&self, name: &str) -> Result<(), CloudError> {
        let console = self.state.consoles().remove(name);
        if let Some(console) = console {
            console.stop().await;
            return Ok(());
        }
        let removed = self.state.storage().remove(name);
        let appliance = removed.ok_or_else(|| no_appliance(name))?;
        appliance.stop().await;
        self.state.links().links.retain(|link| link.appliance != name);
        std::fs::remove_dir_all(appliance.root()).map_err(of_appliance(name))
    }

    /// Restarts an appliance, which is then set up again.
    ///
    /// # Errors
    ///
    /// There is none of that name, or it does not come back.
    pub async fn restart(&self, name: &str, trail: &Trail) -> Result<(), CloudError> {
        let console = self.state.consoles().get(name).cloned();
        if let Some(console) = console {
            return self.state.start_console(&console, trail).await;
        }
        let appliance = self.storage(name)?;
        self.state.restart_storage(&appliance, trail).await
    }

    /// Somebody does something to the files of a storage appliance.
    ///
    /// # Errors
    ///
    /// There is none of that name, or its files cannot be changed.
    pub async fn suffer(&self, name: &str, deed: Deed) -> Result<(), CloudError> {
        self.storage(name)?.suffer(deed).await.map_err(of_appliance(name))
    }

    /// A storage appliance.
    ///
    /// # Errors
    ///
    /// There is none of that name.
    pub fn storage(&self, name: &str) -> Result<Arc<StorageAppliance>, CloudError> {
        self.state.storage().get(name).cloned().ok_or_else(|| no_appliance(name))
    }

    /// All storage appliances, by name.
    pub fn storage_appliances(&self) -> Vec<Arc<StorageAppliance>> {
        self.state.storage().values().cloned().collect()
    }

    /// A console appliance.
    ///
    /// # Errors
    ///
    /// There is none of that name.
    pub fn console(&self, name: &str) -> Result<Arc<ConsoleAppliance>, CloudError> {
        self.state.consoles().get(name).cloned().ok_or_else(|| no_appliance(name))
    }

    /// All consoles, by name.
    pub fn consoles(&self) -> Vec<Arc<ConsoleAppliance>> {
        self.state.consoles().values().cloned().collect()
    }

    /// Has one appliance copy a template from another, by the name that goes with the domain in use.
    ///
    /// # Errors
    ///
    /// The chain that the source shows is refused, or something else stands in the way.
    pub async fn copy_template(
        &self,
        template: &str,
        source: &str,
        destination: &str,
        trail: &Trail,
    ) -> Result<(), CopyError> {
        let missing = |error: CloudError| Objection::of(Obstacle::NoAppliance, error);
        let from = self.storage(source).map_err(missing)?;
        let to = self.storage(destination).map_err(missing)?;
        let name = self.state.host_name(from.address());
        let name = name.map_err(|error| Objection::of(Obstacle::FilesUnusable, error))?;
        let stopped =
            || Objection::of(Obstacle::ConnectionFailed, format!("`{source}` does not run"));
        let address = from.https().await.ok_or_else(stopped)?;
        to.copy(template, source, &name, address, trail).await
    }

    /// The link for a download of a template: the one that is there, or a new one.
    ///
    /// # Errors
    ///
    /// There is no such appliance or template.
    pub fn extract_template(
        &self,
        appliance: &str,
        template: &str,
        trail: &Trail,
    ) -> Result<Link, CloudError> {
        self.clean_up(trail);
        let storage = self.storage(appliance)?;
        let trail = trail.of(management());
        let mut links = self.state.links();
        let found = links
            .links
            .iter()
            .find(|link| link.appliance == appliance && link.template == template)
            .cloned();
        if let Some(link) = found {
            trail.record(facts::LinkMade { url: link.url.clone(), existed: true });
            return Ok(link);
        }
        links.made += 1;
        let uuid = self.state.options.seed.uuid(&format!("link {}", links.made));
        let file_name = format!("{uuid}.qcow2");
        let host_name = self.state.host_name(storage.address())?;
        storage.make_link(&file_name, template).map_err(of_appliance(appliance))?;
        let link = Link {
            url: format!("https://{host_name}/userdata/{file_name}"),
            appliance: appliance.to_owned(),
            template: template.to_owned(),
            made: self.state.options.clock.now(),
        };
        links.links.push(link.clone());
        trail.record(facts::LinkMade { url: link.url.clone(), existed: false });
        Ok(link)
    }

    /// The links that have not been deleted.
    pub fn links(&self) -> Vec<Link> {
        self.state.links().links.clone()
    }

    /// When the clean-up will delete a link, as it is configured in the running server.
    pub fn deletes(&self, link: &Link) -> Timestamp {
        self.state.links().clean_up.deletes(link)
    }

    /// The intervals that the running server goes by.
    pub fn intervals(&self) -> Intervals {
        self.state.links().clean_up.intervals()
    }

    /// The intervals that are configured.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn configured_intervals(&self) -> Result<Intervals, CloudError> {
        intervals(&self.state.keystore())
    }

    /// The protocol that is configured for consoles.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn console_protocol(&self) -> Result<Protocol, CloudError> {
        self.state.console_protocol()
    }

    /// Runs the clean-up as often as it has been due. Whoever moves the clock calls this.
    pub fn clean_up(&self, trail: &Trail) {
        let now = self.state.options.clock.now();
        let gone = {
            let mut links = self.state.links();
            let Links { links, clean_up, .. } = &mut *links;
            clean_up.run(links, now)
        };
        let mut runs: BTreeMap<Timestamp, Vec<String>> = BTreeMap::new();
        for (at, link) in gone {
            if let Ok(appliance) = self.storage(&link.appliance) {
                // What is not there any more need not be deleted.
                let _ = appliance.delete_link(link.file_name());
            }
            runs.entry(at).or_default().push(link.url);
        }
        let trail = trail.of(management());
        for (at, urls) in runs {
            trail.record(facts::Cleaned { at, urls });
        }
    }

    /// The rows of the keystore.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn rows(&self) -> Result<Vec<super::Row>, CloudError> {
        Ok(self.state.keystore().rows()?)
    }

    /// The domain of the certificate in use.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn domain(&self) -> Result<String, CloudError> {
        Ok(self.state.domain()?)
    }

    /// The upload that was refused last, unless one was taken since.
    pub fn last_refusal(&self) -> Option<RefusedUpload> {
        self.state.last_refusal().clone()
    }

    /// The certificates that the release brings along.
    pub fn built_in(&self) -> &Material {
        &self.state.built_in
    }

    /// Every private key that the management server and its storage appliances have now.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub fn private_keys(&self) -> Result<Vec<Secret>, CloudError> {
        let mut keys = vec![self.own_key.clone(), self.built_in().key.clone()];
        keys.extend(self.rows()?.into_iter().filter_map(|row| row.key));
        // Files that cannot be read are nobody's key.
        let files =
            self.storage_appliances().into_iter().filter_map(|storage| storage.files().ok());
        keys.extend(files.map(|files| files.key));
        Ok(keys)
    }

    /// The file of the table.
    pub fn database(&self) -> PathBuf {
        self.state.options.directory.join(DATABASE)
    }

    /// What its tasks share.
    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Stops everything, and waits until it has stopped.
    pub async fn stop(mut self) {
        self.api.stop().await;
        self.state.jobs.stop().await;
        for appliance in self.state.take_storage() {
            appliance.stop().await;
        }
        for console in self.state.take_consoles() {
            console.stop().await;
        }
        self.agents.stop().await;
    }
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloud").field("api", &self.api.address).finish_non_exhaustive()
    }
}
