//! A machine: what a host is, whichever pool it is in.
//!
//! When a host joins a pool or leaves one, its database, its record and its xapi process are others
//! than before. Its files, its network, its clock and its programs are the same.

use std::{
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use ground::{Clock, Secret, Seed, Skew};
use uuid::Uuid;

use crate::{
    HostError, HostRoot, Programs, SharedNetwork, hosts_file,
    samba::Client,
    trust_store::TrustStore,
    xapi::{Liveness, hold::Holds},
    xapi_conf,
};

/// Path of the file with the host's name.
pub(crate) const HOSTNAME: &str = "/etc/hostname";
/// Where the installer notes what the host is, its uuid among it.
const INVENTORY: &str = "/etc/xensource-inventory";
const INSTALLATION_UUID: &str = "INSTALLATION_UUID";
/// Where the host belongs.
const POOL_CONF: &str = "/etc/xensource/pool.conf";
/// The secret that hosts of a pool share.
const POOL_TOKEN: &str = "/etc/xensource/ptoken";

/// How to set up one host.
#[derive(Debug)]
pub struct HostConfig {
    /// Name in the scenario; also `name_label`, and `hostname` unless that is given.
    pub name: String,
    /// Host name, with or without domain; `None` is the name.
    pub hostname: Option<String>,
    /// Management address.
    pub address: IpAddr,
    /// Directory that stands for `/`. Files that are there already stay.
    pub root: PathBuf,
    /// How it reaches the network. Programs that are given below share it.
    pub network: SharedNetwork,
    /// Its own clock, while it is right.
    pub clock: Clock,
    /// How wrong that clock is. Programs that are given below read the clock with it.
    pub skew: Skew,
    /// Content of `/etc/xapi.conf`; `None` leaves the file as it is.
    pub xapi_conf: Option<String>,
    /// The Samba programs; `None` is the model.
    pub programs: Option<Arc<dyn Programs>>,
}

/// What `pool.conf` says of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Membership {
    /// It owns the database of its pool.
    Coordinator,
    /// It belongs to the pool whose coordinator has this address.
    MemberOf(IpAddr),
}

/// A simulated machine. What may change of it while it runs is shared with whoever holds it.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) name: String,
    pub(crate) hostname: String,
    pub(crate) address: IpAddr,
    pub(crate) root: HostRoot,
    pub(crate) network: SharedNetwork,
    pub(crate) clock: Clock,
    pub(crate) skew: Skew,
    pub(crate) seed: Seed,
    pub(crate) programs: Arc<dyn Programs>,
    pub(crate) trust_store: TrustStore,
    pub(crate) holds: Holds,
    liveness: RwLock<Liveness>,
}

impl Machine {
    /// Writes the files that every host has, as far as they are missing. The uuid of a new host is
    /// `uuid`.
    pub(crate) fn set_up(config: HostConfig, seed: Seed, uuid: Uuid) -> Result<Self, HostError> {
        let root = HostRoot::open(&config.root)?;
        root.remove_unfinished()?;
        if let Some(text) = &config.xapi_conf {
            root.write(xapi_conf::PATH, text.as_bytes(), 0o644)?;
        }
        if !root.exists(hosts_file::PATH)? {
            root.write(hosts_file::PATH, hosts_file::INSTALLED.as_bytes(), 0o644)?;
        }
        let hostname = config.hostname.unwrap_or_else(|| config.name.clone());
        if !root.exists(HOSTNAME)? {
            root.write(HOSTNAME, format!("{hostname}\n").as_bytes(), 0o644)?;
        }
        let (network, skew) = (config.network, config.skew);
        let clock = config.clock.skewed_by(&skew);
        let programs = config.programs.unwrap_or_else(|| {
            let seed = seed.child("samba");
            Arc::new(Client::new(root.clone(), network.clone(), clock.clone(), seed))
        });
        let trust_store = TrustStore::new(root.clone());
        trust_store.recover()?;
        trust_store.create_directories()?;
        let machine = Self {
            name: config.name,
            hostname,
            address: config.address,
            root,
            network,
            clock,
            skew,
            seed,
            programs,
            trust_store,
            holds: Holds::new(config.clock.waiting_room()),
            liveness: RwLock::default(),
        };
        if !machine.root.exists(INVENTORY)? {
            machine.set_uuid(uuid)?;
        }
        Ok(machine)
    }

    /// Its uuid, which the installer drew.
    pub(crate) fn uuid(&self) -> Result<Uuid, HostError> {
        let text = self.root.read_text_if_present(INVENTORY)?.unwrap_or_default();
        let values = text.lines().filter_map(|line| line.split_once('='));
        let mut uuids = values.filter(|(key, _)| *key == INSTALLATION_UUID);
        let uuid = uuids.next().and_then(|(_, value)| value.trim_matches('\'').parse().ok());
        uuid.ok_or(HostError::Inventory { path: INVENTORY, key: INSTALLATION_UUID })
    }

    /// It is another host from now on.
    pub(crate) fn set_uuid(&self, uuid: Uuid) -> Result<(), HostError> {
        let text = format!("{INSTALLATION_UUID}='{uuid}'\n");
        self.root.write(INVENTORY, text.as_bytes(), 0o644)
    }

    /// Where its files say that it belongs.
    pub(crate) fn membership(&self) -> Result<Membership, HostError> {
        let text = self.root.read_text_if_present(POOL_CONF)?.unwrap_or_default();
        match text.trim() {
            "master" => Ok(Membership::Coordinator),
            text => text
                .strip_prefix("slave:")
                .and_then(|address| address.parse().ok())
                .map(Membership::MemberOf)
                .ok_or_else(|| HostError::PoolConf { path: POOL_CONF, found: text.to_owned() }),
        }
    }

    /// Makes it belong elsewhere, from its next start on.
    pub(crate) fn set_membership(&self, membership: Membership) -> Result<(), HostError> {
        let text = match membership {
            Membership::Coordinator => "master".to_owned(),
            Membership::MemberOf(coordinator) => format!("slave:{coordinator}"),
        };
        self.root.write(POOL_CONF, text.as_bytes(), 0o644)
    }

    /// The secret of its pool.
    pub(crate) fn pool_secret(&self) -> Result<Secret, HostError> {
        Ok(Secret::new(self.root.read_text_if_present(POOL_TOKEN)?.unwrap_or_default()))
    }

    /// Gives it the secret of a pool.
    pub(crate) fn set_pool_secret(&self, secret: &Secret) -> Result<(), HostError> {
        self.root.write(POOL_TOKEN, secret.expose().as_bytes(), 0o600)
    }

    /// It shares no secret with anybody.
    pub(crate) fn forget_pool_secret(&self) -> Result<(), HostError> {
        self.root.remove(POOL_TOKEN).map(drop)
    }

    /// Whether a coordinator reaches it.
    pub(crate) fn liveness(&self) -> Liveness {
        *self.liveness.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_liveness(&self, liveness: Liveness) {
        *self.liveness.write().unwrap_or_else(PoisonError::into_inner) = liveness;
    }
}
