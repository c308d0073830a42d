//! What a pool has besides the records of its database: interfaces, storage, software, a cluster.
//!
//! None of it does anything here; pool.join compares it (xapi-flows.md §12.2). Every pool has the
//! same, but for the [`Circumstance`]s that somebody has put it in. The wire serves the classes that
//! a joiner reads of a pool; what only the joiner itself looks at is the circumstance alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{HostRecord, Records, Reference};

macro_rules! circumstances {
    ($($(#[doc = $doc:literal])+ $variant:ident: $name:literal;)+) => {
        /// Something about a pool that keeps its host from joining another, or others from joining
        /// it.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum Circumstance {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Circumstance {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in scenarios.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

circumstances! {
    /// Its interfaces are in a bond.
    Bonds: "bonds";
    /// It has a cluster, on its management network.
    Cluster: "cluster";
    /// It has a cluster, on a VLAN.
    ClusterOnVlan: "cluster-on-vlan";
    /// An update is installed that all hosts of a pool must have.
    EnforcedUpdate: "enforced-update";
    /// Its storage managers can do less than those of other pools.
    FewerStorageFeatures: "fewer-storage-features";
    /// High availability is on.
    HaEnabled: "ha-enabled";
    /// A network of it is for unencrypted NBD.
    InsecureNbdNetwork: "insecure-nbd-network";
    /// Its management interface has an IPv6 address.
    Ipv6Management: "ipv6-management";
    /// Its network runs on the Linux bridge, not on Open vSwitch.
    LinuxBridge: "linux-bridge";
    /// Its management interface is on a VLAN.
    ManagementOnVlan: "management-on-vlan";
    /// A host still has to do what an update demands of it.
    MandatoryGuidance: "mandatory-guidance";
    /// A network of it is for NBD with TLS.
    NbdNetwork: "nbd-network";
    /// It has networks over SR-IOV.
    NetworkSriovs: "network-sriovs";
    /// Its hosts run no licence daemon.
    NoLicenceDaemon: "no-licence-daemon";
    /// Its management interface is not configured yet.
    NoManagementInterface: "no-management-interface";
    /// It has no storage manager for NFS.
    NoNfsStorage: "no-nfs-storage";
    /// It has VLANs besides that of its management interface.
    NonManagementVlans: "non-management-vlans";
    /// Its xapi speaks an older version of the API.
    OlderApi: "older-api";
    /// Its xapi was built from another commit.
    OtherBuild: "other-build";
    /// Its processors are of another vendor.
    OtherCpuVendor: "other-cpu-vendor";
    /// Its database has another schema.
    OtherDatabaseSchema: "other-database-schema";
    /// It runs another version of the platform.
    OtherPlatform: "other-platform";
    /// Its licence says how many hosts a pool may have.
    PoolSizeLimited: "pool-size-limited";
    /// Its licence allows no pools.
    PoolingUnlicensed: "pooling-unlicensed";
    /// Virtual machines run on it.
    RunningVms: "running-vms";
    /// It is told what to do by an SDN controller.
    SdnController: "sdn-controller";
    /// It has storage that other hosts use, too.
    SharedSrs: "shared-srs";
    /// Its hosts have a cheaper edition.
    StandardEdition: "standard-edition";
    /// It has tunnels.
    Tunnels: "tunnels";
    /// The network of a cluster would have two addresses on it.
    TwoClusterAddresses: "two-cluster-addresses";
    /// Its hosts have an edition that the licence daemon of others does not know.
    UnknownEdition: "unknown-edition";
    /// Something is going on with a virtual machine.
    VmOperations: "vm-operations";
}

impl fmt::Display for Circumstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Circumstance {
    type Err = UnknownCircumstance;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|circumstance| circumstance.name() == text)
            .ok_or_else(|| UnknownCircumstance { name: text.to_owned() })
    }
}

/// A word that is no circumstance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown circumstance `{name}`")]
pub struct UnknownCircumstance {
    name: String,
}

/// What a pool has, and what all of its hosts have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Estate {
    /// `host.API_version_major` and `host.API_version_minor`.
    pub api_version: (i64, i64),
    /// `vendor` of `host.cpu_info` and `pool.cpu_info`.
    pub cpu_vendor: String,
    /// `host.pending_guidances`: what must be done after an update.
    pub pending_guidances: Vec<String>,
    /// `host.software_version`.
    pub software_version: BTreeMap<String, String>,
    /// Class `Cluster_host`.
    pub cluster_hosts: Vec<ClusterHost>,
    /// Class `PIF`.
    pub interfaces: Vec<Interface>,
    /// Class `network`.
    pub networks: Vec<Network>,
    /// Class `SDN_controller`.
    pub sdn_controllers: Vec<SdnController>,
    /// Class `SM`.
    pub storage_managers: Vec<StorageManager>,
    /// Class `pool_update`.
    pub updates: Vec<PoolUpdate>,
}

/// What every object has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Reference.
    pub reference: Reference,
    /// Uuid.
    pub uuid: Uuid,
}

/// A host of a cluster, class `Cluster_host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterHost {
    /// Reference and uuid.
    pub identity: Identity,
    /// `host`.
    pub host: Reference,
    /// `PIF`.
    pub interface: Reference,
}

/// An interface, class `PIF`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Reference and uuid.
    pub identity: Identity,
    /// `host`.
    pub host: Reference,
    /// `management`: whether the host is managed through it.
    pub management: bool,
    /// `VLAN`; -1 is none.
    pub vlan: i64,
    /// `primary_address_type`.
    pub primary_address_type: String,
}

/// A network, class `network`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Reference and uuid.
    pub identity: Identity,
    /// `purpose`.
    pub purpose: Vec<String>,
}

/// A controller of the virtual switches, class `SDN_controller`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdnController {
    /// Reference and uuid.
    pub identity: Identity,
    /// `address`.
    pub address: String,
}

/// A storage manager, class `SM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageManager {
    /// Reference and uuid.
    pub identity: Identity,
    /// `type`.
    pub kind: String,
    /// `features`, with the version of each.
    pub features: BTreeMap<String, i64>,
}

/// An installed update, class `pool_update`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUpdate {
    /// Reference and uuid; the uuid says which update it is, in every pool.
    pub identity: Identity,
    /// `enforce_homogeneity`: whether all hosts of a pool must have it.
    pub enforce_homogeneity: bool,
}

/// API version of the release that is modelled.
const API_VERSION: (i64, i64) = (2, 23);
/// The release that published the last of the modelled calls.
const RELEASE: &str = "26.16.0";
/// The editions that the licence daemon knows, the cheapest first.
pub(crate) const EDITIONS: [&str; 3] = ["free", "standard-per-socket", "enterprise-per-socket"];
const NO_VLAN: i64 = -1;
const SOME_VLAN: i64 = 42;

impl Estate {
    /// What the pool with these records has. Identities are drawn from uuids.
    pub(crate) fn of(Records { pool, hosts, .. }: &Records) -> Self {
        let draw = Draw { pool: pool.uuid, circumstances: &pool.circumstances };
        let mut estate = Self::of_hosts(&draw);
        estate.interfaces = hosts.iter().filter_map(|host| draw.management(host)).collect();
        if draw.has(Circumstance::Cluster) || draw.has(Circumstance::ClusterOnVlan) {
            for host in hosts {
                let interface = draw.cluster_interface(host);
                estate.cluster_hosts.push(ClusterHost {
                    identity: draw.identity(&format!("Cluster_host of {}", host.uuid)),
                    host: host.reference.clone(),
                    interface: interface.identity.reference.clone(),
                });
                if !interface.management {
                    estate.interfaces.push(interface);
                }
            }
        }
        estate
    }

    /// All but what each host has for itself.
    fn of_hosts(draw: &Draw<'_>) -> Self {
        use Circumstance as C;

        let api_version =
            if draw.has(C::OlderApi) { (API_VERSION.0, API_VERSION.1 - 1) } else { API_VERSION };
        let software_version = [
            ("db_schema", draw.choose(C::OtherDatabaseSchema, "5.790", "5.796")),
            ("git_id", draw.choose(C::OtherBuild, "2f0d5a1c", "e2ee48d6")),
            ("network_backend", draw.choose(C::LinuxBridge, "bridge", "openvswitch")),
            ("platform_version", draw.choose(C::OtherPlatform, "3.4.80", "3.4.90")),
            ("product_brand", "XenServer".to_owned()),
            ("xapi", format!("{}.{}", api_version.0, api_version.1)),
            ("xapi_build", RELEASE.to_owned()),
        ];
        let purpose = [(C::NbdNetwork, "nbd"), (C::InsecureNbdNetwork, "insecure_nbd")];
        let kinds: &[&str] = if draw.has(C::NoNfsStorage) { &["lvm"] } else { &["lvm", "nfs"] };
        let version = if draw.has(C::FewerStorageFeatures) { 1 } else { 2 };
        let features =
            BTreeMap::from([("SR_UPDATE".to_owned(), 1), ("VDI_SNAPSHOT".to_owned(), version)]);
        let sdn_controller = SdnController {
            identity: draw.identity("SDN_controller"),
            address: "192.0.2.9".to_owned(),
        };
        let uuid = digest("an update that all hosts must have");
        let update = PoolUpdate {
            identity: Identity { reference: draw.identity("pool_update").reference, uuid },
            enforce_homogeneity: true,
        };
        Self {
            api_version,
            cpu_vendor: draw.choose(C::OtherCpuVendor, "AuthenticAMD", "GenuineIntel"),
            pending_guidances: draw.if_has(C::MandatoryGuidance, "reboot_host".to_owned()),
            software_version: software_version.map(|(key, text)| (key.to_owned(), text)).into(),
            networks: vec![Network {
                identity: draw.identity("network"),
                purpose: purpose
                    .into_iter()
                    .flat_map(|(circumstance, word)| draw.if_has(circumstance, word.to_owned()))
                    .collect(),
            }],
            sdn_controllers: draw.if_has(C::SdnController, sdn_controller),
            storage_managers: kinds
                .iter()
                .map(|kind| StorageManager {
                    identity: draw.identity(&format!("SM {kind}")),
                    kind: (*kind).to_owned(),
                    features: features.clone(),
                })
                .collect(),
            updates: draw.if_has(C::EnforcedUpdate, update),
            ..Self::default()
        }
    }

    /// `host.edition` in these circumstances.
    pub(crate) fn edition(circumstances: &BTreeSet<Circumstance>) -> &'static str {
        let has = |circumstance| circumstances.contains(&circumstance);
        if has(Circumstance::UnknownEdition) {
            "platinum"
        } else if has(Circumstance::StandardEdition) {
            EDITIONS[1]
        } else {
            EDITIONS[2]
        }
    }
}

/// Draws the estate of a pool.
struct Draw<'a> {
    pool: Uuid,
    circumstances: &'a BTreeSet<Circumstance>,
}

impl Draw<'_> {
    fn has(&self, circumstance: Circumstance) -> bool {
        self.circumstances.contains(&circumstance)
    }

    fn choose(&self, circumstance: Circumstance, then: &str, otherwise: &str) -> String {
        (if self.has(circumstance) { then } else { otherwise }).to_owned()
    }

    fn if_has<T>(&self, circumstance: Circumstance, object: T) -> Vec<T> {
        if self.has(circumstance) { vec![object] } else { Vec::new() }
    }

    fn identity(&self, name: &str) -> Identity {
        let uuid = digest(&format!("{} {name}", self.pool));
        Identity { reference: uuid.into(), uuid }
    }

    fn management(&self, host: &HostRecord) -> Option<Interface> {
        let vlan = if self.has(Circumstance::ManagementOnVlan) { SOME_VLAN } else { NO_VLAN };
        (!self.has(Circumstance::NoManagementInterface)).then(|| Interface {
            identity: self.identity(&format!("management of {}", host.uuid)),
            host: host.reference.clone(),
            management: true,
            vlan,
            primary_address_type: self.choose(Circumstance::Ipv6Management, "IPv6", "IPv4"),
        })
    }

    /// A cluster is on the management network, unless it is on a VLAN.
    fn cluster_interface(&self, host: &HostRecord) -> Interface {
        let management = self.management(host).filter(|_| self.has(Circumstance::Cluster));
        management.unwrap_or_else(|| Interface {
            identity: self.identity(&format!("VLAN of {}", host.uuid)),
            host: host.reference.clone(),
            management: false,
            vlan: SOME_VLAN,
            primary_address_type: "IPv4".to_owned(),
        })
    }
}

fn digest(name: &str) -> Uuid {
    Uuid::from_bytes(Md5::digest(name).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_read_back() {
        assert!(Circumstance::ALL.windows(2).all(|pair| pair[0].name() < pair[1].name()));
        for circumstance in Circumstance::ALL {
            assert_eq!(circumstance.name().parse(), Ok(*circumstance));
            let written = serde_json::to_value(circumstance).unwrap();
            assert_eq!(written, circumstance.name());
        }
        assert!("bond".parse::<Circumstance>().is_err());
    }
}
