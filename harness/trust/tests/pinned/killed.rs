//! Deployments whose manager, whose host, or both die: whatever the moment, the next start brings both
//! stores to the old state or to the new one.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use ground::{Ledger, Secret, Seed, VirtualClock};
use rand::RngExt as _;
use tokio::net::TcpListener;
use trust_models::pinned::{Agent, Deployment, Manager, Order, Setting};

use crate::{
    lab::{Lab, PASSWORD, agent1, setting},
    world::now,
};

/// Say to this executable where to work, what to be, and where the other is.
const FOLDER: &str = "FOLDER_OF_THE_VICTIM";
const ROLE: &str = "ROLE_OF_THE_VICTIM";
const PEER: &str = "PEER_OF_THE_VICTIM";
const START: &str = "START_OF_THE_VICTIM";
/// What it says when it is at work.
const AT_WORK: &str = "at work: ";
const DEATHS: u64 = 70;

/// Both in one process, which dies with both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_die() {
    let mut rng = Seed::new(1).stream("deaths of both");
    let lab = Lab::new();
    lab.deployed().await;
    let mut outcomes = Outcomes::default();
    for death in 0..DEATHS {
        let mut victim = Victim::start(lab.folder.path(), "both", "", death);
        victim.die_after(rng.random_range(0..400_000));
        outcomes.note(settled(&lab, death, None, None).await);
    }
    outcomes.were_various();
}

/// The host lives on, and a new manager settles what the dead one left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_manager_dies() {
    let mut rng = Seed::new(1).stream("deaths of the manager");
    let lab = Lab::new();
    let (_, host) = lab.deployed().await;
    let address = host.deployment.address().to_string();
    let mut outcomes = Outcomes::default();
    for death in 0..DEATHS {
        let mut victim = Victim::start(lab.folder.path(), "manager", &address, death);
        victim.die_after(rng.random_range(0..400_000));
        outcomes.note(settled(&lab, death, None, Some(&host)).await);
    }
    outcomes.were_various();
}

/// The manager lives on, and settles when the host is there again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_dies() {
    let mut rng = Seed::new(1).stream("deaths of the host");
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    drop(host);
    let mut outcomes = Outcomes::default();
    for death in 0..DEATHS {
        let mut victim = Victim::start(lab.folder.path(), "host", "", death);
        let address = victim.address;
        let deploying = Arc::clone(&manager);
        let deployments = tokio::spawn(async move {
            let order = order(address);
            while deploying.deploy(&order).await.is_ok() {}
        });
        let spins = rng.random_range(0..400_000);
        tokio::task::spawn_blocking(move || victim.die_after(spins)).await.unwrap();
        deployments.await.unwrap();
        outcomes.note(settled(&lab, death, Some(&manager), None).await);
    }
    outcomes.were_various();
}

/// Settles, and checks that both stores tell of the same deployment. How much there was to settle.
async fn settled(
    lab: &Lab,
    death: u64,
    manager: Option<&Arc<Manager>>,
    host: Option<&crate::lab::Host>,
) -> (bool, bool) {
    let start = 10_000 + death;
    let manager = match manager {
        Some(manager) => Arc::clone(manager),
        None => Manager::start(lab.setting("manager1", start)).unwrap(),
    };
    let started;
    let host = match host {
        Some(host) => host,
        None => {
            started = lab.start_host("agent1", start).await;
            &started
        }
    };
    let (unsettled, undecided) =
        (!manager.unsettled().is_empty(), !host.agent.undecided().is_empty());
    if death.is_multiple_of(2) {
        // The host has another port than before.
        manager.find_again(&agent1(), host.deployment.address()).unwrap();
        manager.settle().await.unwrap();
    } else {
        // The next deployment begins with what the last one left.
        host.deploy_by(&manager).await.unwrap();
    }
    assert!(manager.unsettled().is_empty() && host.agent.undecided().is_empty());
    manager.lead(&agent1(), Some(host.service.address()));
    // Old or new: the two believe each other, and the symmetric key is of the same deployment.
    manager.order(&agent1(), &Order::Ping).await.unwrap();
    for layer in [trust_models::pinned::SecondLayer::SymmetricKey, Default::default()] {
        host.agent.set_second_layer(layer);
        manager.set_second_layer(layer);
        manager.order(&agent1(), &Order::Ping).await.unwrap();
    }
    (unsettled, undecided)
}

/// How often a death left something to settle on either side.
#[derive(Default)]
struct Outcomes {
    nothing: usize,
    something: usize,
}

impl Outcomes {
    fn note(&mut self, (unsettled, undecided): (bool, bool)) {
        if unsettled || undecided { self.something += 1 } else { self.nothing += 1 }
    }

    fn were_various(&self) {
        assert!(self.something > 0, "no death met a deployment: {} of {DEATHS}", self.nothing);
    }
}

struct Victim {
    process: Child,
    address: std::net::SocketAddr,
}

impl Victim {
    fn start(folder: &Path, role: &str, peer: &str, start: u64) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "killed::works_until_it_dies"])
            .env(FOLDER, folder)
            .env(ROLE, role)
            .env(PEER, peer)
            .env(START, (20_000 + start).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said = lines.filter_map(|line| line.strip_prefix(AT_WORK).map(str::to_owned)).next();
        let address = said.expect("the victim did not begin").parse().unwrap();
        Self { process, address }
    }

    /// It dies wherever it is.
    fn die_after(&mut self, spins: u32) {
        for _ in 0..spins {
            std::hint::spin_loop();
        }
        self.process.kill().unwrap();
        let ended = self.process.wait().unwrap();
        assert_eq!(ended.signal(), Some(9), "it had ended before: {ended}");
    }
}

fn order(address: std::net::SocketAddr) -> Deployment {
    Deployment {
        agent: agent1(),
        address,
        fingerprint: None,
        password: Secret::new(PASSWORD),
        service: address,
    }
}

/// Not a test: what the process does that dies.
#[tokio::test]
async fn works_until_it_dies() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let [role, peer, start] = [ROLE, PEER, START].map(|name| env::var(name).unwrap());
    let time = VirtualClock::starting_at(now());
    let ledger = Ledger::new(time.clock());
    let setting = |name: &str| -> Setting {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).unwrap();
        setting(&folder, name, start.parse().unwrap(), &time, &ledger)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap();
    let deploys = async |address| {
        let manager = Manager::start(setting("manager1")).unwrap();
        writeln!(std::io::stdout().lock(), "\n{AT_WORK}{own}").unwrap();
        loop {
            manager.deploy(&order(address)).await.unwrap();
        }
    };
    match role.as_str() {
        "manager" => deploys(peer.parse().unwrap()).await,
        role => {
            let agent = Agent::start(setting("agent1"), Secret::new(PASSWORD)).unwrap();
            let _serving = agent.serve_deployment(listener).unwrap();
            if role == "both" {
                deploys(own).await;
            }
            writeln!(std::io::stdout().lock(), "\n{AT_WORK}{own}").unwrap();
            std::future::pending().await
        }
    }
}
