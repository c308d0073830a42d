//! Managers and agents on loopback sockets, with stores in a folder that goes away.

use std::{net::SocketAddr, path::Path, sync::Arc};

use ground::{Actor, Ledger, Secret, Seed, VirtualClock};
use tempfile::TempDir;
use tokio::net::TcpListener;
use trust_models::pinned::{
    Agent, Deployment, Fingerprint, Manager, PeerName, PinnedError, Serving, Setting,
};

use crate::world::now;

pub(crate) const PASSWORD: &str = "Superuser-password-1";

pub(crate) struct Lab {
    seed: u64,
    pub(crate) time: VirtualClock,
    pub(crate) ledger: Ledger,
    pub(crate) folder: TempDir,
}

/// An agent that listens.
pub(crate) struct Host {
    pub(crate) agent: Arc<Agent>,
    pub(crate) service: Serving,
    pub(crate) deployment: Serving,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::of_seed(1)
    }

    /// One in which all keys are others.
    pub(crate) fn of_seed(seed: u64) -> Self {
        let time = VirtualClock::starting_at(now());
        let ledger = Ledger::new(time.clock());
        // In memory, if there is such a place.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { seed, time, ledger, folder }
    }

    pub(crate) fn setting(&self, name: &str, start: u64) -> Setting {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        setting(&folder, name, 1_000 * self.seed + start, &self.time, &self.ledger)
    }

    pub(crate) fn manager(&self, name: &str) -> Arc<Manager> {
        Manager::start(self.setting(name, 1)).unwrap()
    }

    pub(crate) async fn host(&self, name: &str) -> Host {
        self.start_host(name, 1).await
    }

    /// The `start`th start of an agent.
    pub(crate) async fn start_host(&self, name: &str, start: u64) -> Host {
        let agent = Agent::start(self.setting(name, start), Secret::new(PASSWORD)).unwrap();
        let service = agent.serve(listener().await).unwrap();
        let deployment = agent.serve_deployment(listener().await).unwrap();
        Host { agent, service, deployment }
    }

    /// A manager and an agent that it has deployed.
    pub(crate) async fn deployed(&self) -> (Arc<Manager>, Host) {
        let (manager, host) = (self.manager("manager1"), self.host("agent1").await);
        host.deploy_by(&manager).await.unwrap();
        (manager, host)
    }

    /// The bytes of both stores.
    pub(crate) fn stores(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        for folder in std::fs::read_dir(self.folder.path()).unwrap() {
            for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                files.push((path.display().to_string(), std::fs::read(path).unwrap()));
            }
        }
        files.sort();
        files
    }
}

impl Host {
    pub(crate) fn order(&self, fingerprint: Option<Fingerprint>) -> Deployment {
        Deployment {
            agent: self.agent.name().clone(),
            address: self.deployment.address(),
            fingerprint,
            password: Secret::new(PASSWORD),
            service: self.service.address(),
        }
    }

    pub(crate) async fn deploy_by(&self, manager: &Manager) -> Result<(), PinnedError> {
        let fingerprint = self.agent.host_fingerprint().unwrap();
        manager.deploy(&self.order(Some(fingerprint))).await.map(drop)
    }
}

pub(crate) fn setting(
    folder: &Path,
    name: &str,
    start: u64,
    time: &VirtualClock,
    ledger: &Ledger,
) -> Setting {
    let trail = ledger.trail(Actor::Host(name.to_owned()));
    Setting::new(name, folder, Seed::new(start), time.clock(), trail)
}

pub(crate) fn agent1() -> PeerName {
    "agent1".into()
}

pub(crate) async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Nobody listens there.
pub(crate) fn nowhere() -> SocketAddr {
    ([127, 0, 0, 1], 1).into()
}
