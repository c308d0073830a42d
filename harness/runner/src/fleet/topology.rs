//! The world of a scenario as a fleet: its DCs, faults, routes and records in DNS, and a host's files,
//! as they are when steps of the scenario have been done.

use std::{net::IpAddr, path::Path, sync::Arc};

use ground::{Actor, Seed};
use sim_host::{
    Credentials, Network, Patience, SambaCommand, SharedMedium, SharedNetwork, samba::Client,
    smb_conf,
};

use super::{
    domain::{Fleet, FleetDc, FleetError, FleetHost, administrator, join_by_hand},
    wire::Wire,
};
use crate::{
    Case, Place, Suite,
    load::LoadErrors,
    samba_client::SambaClient,
    steps::{self, StepError},
    suite::seed_of,
    world::{World, WorldError},
};

/// Where the model keeps the password of the machine account.
const SECRETS: &str = "/var/lib/samba/private/secrets.json";

/// Why a scenario gives no fleet.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TopologyError {
    /// The file has mistakes.
    #[error("{0}")]
    Load(LoadErrors),
    /// There is no such host.
    #[error("the scenario has no host `{name}`; it has {}", known.join(", "))]
    NoSuchHost {
        /// The name.
        name: String,
        /// The hosts that there are.
        known: Vec<String>,
    },
    /// There are fewer steps.
    #[error("the scenario has {steps} steps, and {asked} were asked for")]
    NoSuchStep {
        /// How many were asked for.
        asked: usize,
        /// How many there are.
        steps: usize,
    },
    /// The lookup finds no DC, so there is none to ask.
    #[error("{host} finds no DC of {domain}: {stdout}")]
    NothingFound {
        /// The host.
        host: String,
        /// The domain.
        domain: String,
        /// What the program printed.
        stdout: String,
    },
    /// More scenarios than one.
    #[error("{path} holds {count} scenarios; name the file of one")]
    NotOne {
        /// The path.
        path: String,
        /// How many it holds.
        count: usize,
    },
    /// The world cannot be built, or a step not be done.
    #[error("{what}")]
    Unplayable {
        /// What is in the way.
        what: String,
        /// What to do about it, where that is known.
        remedy: Option<String>,
        /// Whether the scenario is to blame.
        is_wrong_input: bool,
    },
}

impl From<WorldError> for TopologyError {
    fn from(error: WorldError) -> Self {
        let (remedy, is_wrong_input) = (error.remedy(), error.is_wrong_input());
        Self::Unplayable { what: error.to_string(), remedy, is_wrong_input }
    }
}

impl TopologyError {
    fn at(place: &Place, error: &StepError) -> Self {
        let (remedy, is_wrong_input) = (error.remedy(), error.is_wrong_input());
        Self::Unplayable { what: format!("{place}: {error}"), remedy, is_wrong_input }
    }

    /// Whether the input is to blame rather than the machine.
    pub fn is_wrong_input(&self) -> bool {
        match self {
            Self::Unplayable { is_wrong_input, .. } => *is_wrong_input,
            _ => true,
        }
    }
}

/// The world of a scenario, on sockets, as it is after its steps.
#[derive(Debug)]
pub struct Topology {
    world: World,
    host: String,
    title: String,
}

impl Topology {
    /// Builds the world of the scenario in `path` and does its steps: all of them, or the first
    /// `steps`. Expectations are not judged. `host` asks: without it, the first one. `seed` is that of
    /// the run.
    ///
    /// Must be called within a multi-threaded tokio runtime, on which the world goes on living.
    ///
    /// # Errors
    ///
    /// Anything of [`TopologyError`].
    pub async fn build(
        path: &Path,
        host: Option<&str>,
        steps: Option<usize>,
        seed: u64,
    ) -> Result<Self, FleetError> {
        let case = case(path)?;
        let all = case.scenario.steps.len();
        let count = steps.unwrap_or(all);
        if count > all {
            return Err(TopologyError::NoSuchStep { asked: count, steps: all }.into());
        }
        let known: Vec<String> =
            case.scenario.world.hosts.iter().map(|host| host.name.to_string()).collect();
        let host = host.or(known.first().map(String::as_str)).unwrap_or_default().to_owned();
        if !known.contains(&host) {
            return Err(TopologyError::NoSuchHost { name: host, known }.into());
        }
        let mut world = World::build(&case, seed_of(&case.name, seed), SambaClient::Model)
            .await
            .map_err(TopologyError::from)?;
        for (index, step) in case.scenario.steps.iter().take(count).enumerate() {
            if !step.runs_in(case.name.profile) {
                continue;
            }
            let place = Place { step: index + 1, title: step.title() };
            steps::apply(&mut world, &place, step)
                .await
                .map_err(|error| TopologyError::at(&place, &error))?;
        }
        let title = format!("{}, after {count} of {all} steps, as {host} sees it", case.name);
        Ok(Self { world, host, title })
    }

    /// The fleet of this world. Must be called within [`Fleet::runtime`].
    ///
    /// # Errors
    ///
    /// The host finds no DC, or its files cannot be read.
    pub async fn fleet(&self) -> Result<Fleet, FleetError> {
        let host = self.world.host(&self.host).map_err(TopologyError::from)?;
        let record = self.world.record_of(&self.host).map_err(TopologyError::from)?;
        let Some(first) = self.world.domains().next() else {
            return Err(fake_dc::Error::NoDcs.into());
        };
        let joined = record.external_auth_service_name;
        let domain = if joined.is_empty() { first.name().to_owned() } else { joined };
        let root = host.root().clone();
        let text = root.read_text_if_present(smb_conf::PATH)?.unwrap_or_default();
        let asks_ldaps = text.lines().any(|line| line.contains("sasl wrapping = ldaps"));
        let is_joined = root.read_text_if_present(SECRETS)?.is_some();
        if !asks_ldaps {
            let bundle = root.read_text_if_present(sim_host::LDAPS_BUNDLE)?;
            let bundle = match bundle {
                Some(bundle) => bundle,
                None => root.read_text_if_present(sim_host::GENERAL_BUNDLE)?.unwrap_or_default(),
            };
            let workgroup = domain.split('.').next().unwrap_or_default().to_uppercase();
            join_by_hand(&root, &domain, &workgroup, &bundle)?;
        }
        let wire = Wire::new(self.world.domains(), Some(&self.host))?;
        let network = Network {
            medium: Some(SharedMedium::new(wire)),
            patience: Patience::REAL,
            ..host.network()
        };
        let client = Client::new(
            root.clone(),
            SharedNetwork::new(network),
            host.clock().clone(),
            Seed::new(1).child("fleet"),
        );
        let host = FleetHost {
            root,
            client: Arc::new(client),
            credentials: if is_joined { Credentials::Machine } else { administrator() },
            trail: self.world.ledger.trail(Actor::Host(self.host.clone())),
        };
        let dcs = self.locate(&host, &domain).await?;
        Ok(Fleet::of_topology(self.title.clone(), dcs, host))
    }

    /// Ends the world.
    pub async fn stop(self) {
        self.world.stop().await;
    }

    /// The DCs in the order of xapi's lookup.
    async fn locate(&self, host: &FleetHost, domain: &str) -> Result<Vec<FleetDc>, FleetError> {
        let output = host.net(SambaCommand::LookupKdc { domain: domain.to_owned() }).await;
        let addresses = output.stdout.lines().filter_map(|line| {
            let (address, _port) = line.rsplit_once(':')?;
            address.parse::<IpAddr>().ok()
        });
        let known: Vec<FleetDc> =
            self.world.domains().flat_map(fake_dc::Domain::dcs).map(FleetDc::of).collect();
        let found = |address: IpAddr| {
            let dc = known.iter().find(|dc| dc.address == address).cloned();
            // A record that leads to no DC of the world: nobody answers there.
            dc.unwrap_or_else(|| FleetDc {
                name: address.to_string(),
                address,
                candidate: super::Candidate { priority: 0, weight: 100 },
            })
        };
        let dcs: Vec<FleetDc> = addresses.map(found).collect();
        if dcs.is_empty() {
            let stdout = output.stdout.trim().to_owned();
            let (host, domain) = (self.host.clone(), domain.to_owned());
            return Err(TopologyError::NothingFound { host, domain, stdout }.into());
        }
        Ok(dcs)
    }
}

/// The scenario of a file, in the profile of the real xapi where it has both.
fn case(path: &Path) -> Result<Case, TopologyError> {
    let suite = Suite::load(&[path.to_owned()]).map_err(TopologyError::Load)?;
    let mut cases: Vec<&Case> = suite.cases().iter().collect();
    if cases.iter().any(|case| case.name.profile == scenario::Profile::Landed) {
        cases.retain(|case| case.name.profile == scenario::Profile::Landed);
    }
    match cases.as_slice() {
        [case] => Ok(Case::clone(case)),
        _ => Err(TopologyError::NotOne { path: path.display().to_string(), count: cases.len() }),
    }
}
