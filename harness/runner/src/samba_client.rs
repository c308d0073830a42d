//! Who runs the Samba commands of the hosts: the model, or the real programs.
//!
//! A host with the real programs has a network of its own, in which the standard ports of every DC
//! are the doors of that host's routes. So nothing is translated and nothing stands between, faults
//! on a route are met by that host alone, and the ledger knows who came.

mod untold;
mod witness;
mod words;

use std::{collections::BTreeMap, net::IpAddr, os::fd::OwnedFd, sync::Arc, time::Duration};

use fake_dc::{Domain, Ports, RouteSpec, SocketSource};
use ground::{Clock, Seed, fact};
use serde::Serialize;
use sim_host::{
    HostRoot, Network, Programs, SharedNetwork,
    real::{self, Namespace},
    samba,
};

pub(crate) use self::untold::needs_the_model;
use self::witness::Witness;
use crate::world::WorldError;

/// Who runs the Samba commands of the hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SambaClient {
    /// The model of `sim_host::samba`.
    #[default]
    Model,
    /// The real `net` of this machine, with the files of the host; see [`sim_host::real`].
    Net {
        /// How long a program may run. A case in which one takes longer is skipped.
        patience: Duration,
    },
}

/// Longer than any wait that the real program ends itself, but for that of silent DNS
/// (real-client-wire.md, last table).
pub const PATIENCE: Duration = Duration::from_secs(45);

/// A program was still running when it had been waited for long enough, and was ended.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ProgramAbandoned {
    /// The command line.
    pub(crate) command: String,
    /// How long it was waited for.
    pub(crate) seconds: u64,
}
fact!(ProgramAbandoned, "program.abandoned");

/// What the programs of one host need to know.
#[derive(Debug)]
pub(crate) struct HostPart<'a> {
    pub(crate) name: &'a str,
    pub(crate) root: &'a HostRoot,
    pub(crate) network: &'a SharedNetwork,
    /// The host's own, however wrong.
    pub(crate) clock: Clock,
    pub(crate) seed: Seed,
}

/// The real programs of a host, in a network where every DC has its standard ports.
pub(crate) fn real_programs<'d>(
    host: HostPart<'_>,
    domains: impl Iterator<Item = &'d Domain> + Clone,
    patience: Duration,
) -> Result<Arc<dyn Programs>, WorldError> {
    let HostPart { name, root, network, clock, seed } = host;
    let namespace = Arc::new(Namespace::with_own_network(root, name)?);
    let there = Arc::clone(&namespace);
    let sockets =
        SocketSource::elsewhere(move |transport| there.socket(transport).map(OwnedFd::from));
    let mut seen = Network::default();
    let mut dcs: BTreeMap<String, IpAddr> = BTreeMap::new();
    for domain in domains {
        for dc in domain.dcs() {
            let spec = RouteSpec::new(name, dc.name()).ports(Ports::STANDARD);
            domain.open_route(&spec.elsewhere(sockets.clone()))?;
            seen.nameservers.push((dc.ip(), Ports::STANDARD.dns).into());
            dcs.insert(dc.name().to_owned(), dc.ip().into());
        }
    }
    network.set(seen);
    let model = samba::Client::new(root.clone(), network.clone(), clock.clone(), seed);
    let client =
        real::Client::new(root.clone(), network.clone(), clock, namespace, model, patience);
    Ok(Arc::new(Witness::new(name, client, dcs)))
}
