//! Two appliances under one uploaded chain, and what becomes of their connection when the world
//! changes: ordered upload beside the other models of trust.

use std::{net::Ipv4Addr, path::PathBuf, sync::Arc};

use fake_dc_pki::{ChainPlan, KeyOwner};
use ground::{Actor, Ledger, Seed, Skew, Timestamp, Trail, VirtualClock};
use tokio::net::TcpListener;

use super::{
    Cloud, CloudError, CloudOptions, CopyError, Deed, Material, Script, agent,
    web::{Door, Reply, Request, Server},
};

const DOMAIN: &str = "corp.example";
const TEMPLATE: &str = "template";
const CONTENT: &[u8] = b"the template";
const SERVER: &str = "storage1";
const CLIENT: &str = "storage2";
/// Days after which every leaf has expired, and no CA.
const YEAR: i64 = 366;
/// Days after which the intermediate has expired, and not the root.
const FOUR_YEARS: i64 = 4 * YEAR;

/// What happens to the world of a [`Pair`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// An attacker has the key of the CA, and stands in the place of the server.
    CaCompromised,
    /// The intermediate expires before the server certificate.
    CaExpires,
    /// The client's clock is two years behind.
    ClockWrong,
    /// The server is removed from the cloud, and whoever has its disk goes on.
    HostRemoved,
    /// The server does not send its chain.
    IntermediateMissing,
    /// The server has another key, certified by the same CA.
    KeyRotated,
    /// The server certificate expires.
    LeafExpires,
    /// The server is called by a name that its certificate does not have.
    NameChanged,
    /// Another machine answers in the place of the server, with a certificate that it made itself.
    PeerReplaced,
    /// A proxy ends TLS between the two, with a certificate of its own CA.
    ProxyInserted,
}

impl Change {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::LeafExpires,
        Self::CaExpires,
        Self::KeyRotated,
        Self::NameChanged,
        Self::HostRemoved,
        Self::CaCompromised,
        Self::ProxyInserted,
        Self::ClockWrong,
        Self::IntermediateMissing,
        Self::PeerReplaced,
    ];
}

/// Two storage appliances that copy from each other. Each change wants a pair of its own.
#[derive(Debug)]
pub struct Pair {
    cloud: Cloud,
    material: Material,
    seed: Seed,
    time: VirtualClock,
    /// How wrong the clock of the appliances goes.
    skew: Skew,
    started: Timestamp,
    trail: Trail,
}

impl Pair {
    /// Starts a management server and two appliances below `directory`, and uploads a chain.
    ///
    /// # Errors
    ///
    /// Ports, files or certificates cannot be had, or the two do not trust each other.
    pub async fn start(
        seed: Seed,
        directory: PathBuf,
        time: &VirtualClock,
        ledger: &Ledger,
    ) -> Result<Self, CloudError> {
        let skew = Skew::default();
        let clock = time.clock().skewed_by(&skew);
        let started = clock.now();
        let options = CloudOptions { seed, directory, clock, ledger: ledger.clone() };
        let cloud = Cloud::start(options).await?;
        let trail = ledger.trail(Actor::Runner);
        for name in [SERVER, CLIENT] {
            cloud.create_storage(name, Script::Current, &trail).await?;
        }
        let (material, time) = (issue(&seed, "own", started, |_| {})?, time.clone());
        let pair = Self { cloud, material, seed, time, skew, started, trail };
        pair.upload(&pair.material).await?;
        pair.store_template()?;
        Ok(pair)
    }

    /// Connects once more: the client copies a template.
    ///
    /// # Errors
    ///
    /// The client refuses what it is shown, in Java's words.
    pub async fn connect(&self) -> Result<(), CopyError> {
        self.cloud.copy_template(TEMPLATE, SERVER, CLIENT, &self.trail).await
    }

    /// Changes the world and connects.
    ///
    /// # Errors
    ///
    /// The change itself cannot be made.
    pub async fn connect_after(&self, change: Change) -> Result<Result<(), CopyError>, CloudError> {
        match change {
            Change::LeafExpires => self.advance(YEAR),
            Change::CaExpires => {
                let end = self.started.plus_days(2 * FOUR_YEARS);
                let lasting = issue(&self.seed, "own", self.started, |plan| {
                    let begin = plan.now().plus_days(-1);
                    plan.leaf().valid(begin, end);
                })?;
                self.upload(&lasting).await?;
                self.advance(FOUR_YEARS);
            }
            Change::KeyRotated => {
                let rotated = issue(&self.seed, "own", self.started, |plan| {
                    plan.leaf().keyed(KeyOwner::Named("rotated".to_owned()));
                })?;
                self.upload(&rotated).await?;
            }
            Change::ClockWrong => self.skew.set(-2 * YEAR * 86_400),
            Change::IntermediateMissing => {
                self.cloud.suffer(SERVER, Deed::ChainCommentedOut).await?;
            }
            Change::NameChanged => {
                let server = self.cloud.storage(SERVER)?;
                let own =
                    Server::of(&server.files().map_err(lost)?.shown(), &self.material).await?;
                return Ok(self.connect_to("renamed.other.example", &own).await);
            }
            Change::HostRemoved => {
                let files = self.cloud.storage(SERVER)?.files().map_err(lost)?;
                self.cloud.destroy(SERVER).await?;
                let thief = Server::of(&files.shown(), &self.material).await?;
                return Ok(self.connect_to(&format!("127-1-0-10.{DOMAIN}"), &thief).await);
            }
            Change::CaCompromised => {
                let forged = issue(&self.seed, "own", self.started, |plan| {
                    plan.leaf().keyed(KeyOwner::Named("attacker".to_owned()));
                })?;
                return self.connect_to_impostor(&forged).await;
            }
            Change::ProxyInserted => {
                let own = issue(&self.seed, "proxy", self.started, |_| {})?;
                return self.connect_to_impostor(&own).await;
            }
            Change::PeerReplaced => {
                let own = issue(&self.seed, "stranger", self.started, |plan| {
                    plan.leaf().signed_by_itself();
                })?;
                let stranger = Server::of(&own.server, &own).await?;
                return Ok(self.connect_to(&format!("127-1-0-10.{DOMAIN}"), &stranger).await);
            }
        }
        Ok(self.connect().await)
    }

    /// Stops the appliances and their management server.
    pub async fn stop(self) {
        self.cloud.stop().await;
    }

    async fn connect_to_impostor(
        &self,
        material: &Material,
    ) -> Result<Result<(), CopyError>, CloudError> {
        let Material { server, root, intermediate, .. } = material;
        let impostor = Server::of(&format!("{server}{root}{intermediate}"), material).await?;
        Ok(self.connect_to(&format!("127-1-0-10.{DOMAIN}"), &impostor).await)
    }

    async fn connect_to(&self, name: &str, server: &Server) -> Result<(), CopyError> {
        let client = self.cloud.storage(CLIENT).map_err(|error| CopyError {
            reason: "no-appliance".to_owned(),
            words: error.to_string(),
        })?;
        client.copy(TEMPLATE, SERVER, name, server.address, &self.trail).await
    }

    async fn upload(&self, material: &Material) -> Result<(), CloudError> {
        for upload in material.uploads() {
            let uploaded = self.cloud.upload(&upload, &self.trail).await;
            uploaded.map_err(|error| lost(std::io::Error::other(error)))?;
        }
        Ok(())
    }

    fn store_template(&self) -> Result<(), CloudError> {
        self.cloud.storage(SERVER)?.store_template(TEMPLATE, CONTENT).map_err(lost)
    }

    fn advance(&self, days: i64) {
        let seconds = u64::try_from(days).unwrap_or_default() * 86_400;
        self.time.advance(std::time::Duration::from_secs(seconds));
    }
}

impl Server {
    /// A server outside the cloud that has every template.
    async fn of(shown: &str, material: &Material) -> Result<Self, CloudError> {
        let config = agent::server_config(shown, &material.key).map_err(lost)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(lost)?;
        let ledger = Ledger::new(VirtualClock::starting_at(Timestamp::from_unix(0)).clock());
        let answer = |_: Request| std::future::ready(Reply::text(200, "the template"));
        Self::start(listener, Door::Tls(Arc::new(config)), ledger, answer).map_err(lost)
    }
}

fn issue(
    seed: &Seed,
    name: &str,
    now: Timestamp,
    edit: impl FnOnce(&mut ChainPlan),
) -> Result<Material, CloudError> {
    Ok(Material::issue_with(seed, name, DOMAIN, now, edit)?)
}

fn lost(source: std::io::Error) -> CloudError {
    CloudError::Io { what: "a pair of appliances".to_owned(), source }
}
