//! Hosts that join a pool, and what can keep them from it (xapi-flows.md §§12, 13).

use super::Password;

table! {
    /// Parameters of `pool.join` and `pool.join_force`. The step's `on` says who joins.
    pub struct JoinPool {
        /// Name of a host, whose address is meant, or an address.
        pub master_address: String,
        /// An account of the pool to join. Default: `root`.
        pub master_username: String = "root".to_owned(),
        /// Its password. Default: that of `root`.
        pub master_password: Option<Password>,
    }
}

words! {
    /// Something about a pool that keeps its host from joining another, or others from joining it
    /// (xapi-flows.md §12.2).
    pub enum Circumstance: "circumstance" {
        /// Its interfaces are in a bond.
        Bonds = "bonds",
        /// It has a cluster, on its management network.
        Cluster = "cluster",
        /// It has a cluster, on a VLAN.
        ClusterOnVlan = "cluster-on-vlan",
        /// An update is installed that all hosts of a pool must have.
        EnforcedUpdate = "enforced-update",
        /// Its storage managers can do less than those of other pools.
        FewerStorageFeatures = "fewer-storage-features",
        /// High availability is on.
        HaEnabled = "ha-enabled",
        /// A network of it is for unencrypted NBD.
        InsecureNbdNetwork = "insecure-nbd-network",
        /// Its management interface has an IPv6 address.
        Ipv6Management = "ipv6-management",
        /// Its network runs on the Linux bridge, not on Open vSwitch.
        LinuxBridge = "linux-bridge",
        /// Its management interface is on a VLAN.
        ManagementOnVlan = "management-on-vlan",
        /// A host still has to do what an update demands of it.
        MandatoryGuidance = "mandatory-guidance",
        /// A network of it is for NBD with TLS.
        NbdNetwork = "nbd-network",
        /// It has networks over SR-IOV.
        NetworkSriovs = "network-sriovs",
        /// Its hosts run no licence daemon.
        NoLicenceDaemon = "no-licence-daemon",
        /// Its management interface is not configured yet.
        NoManagementInterface = "no-management-interface",
        /// It has no storage manager for NFS.
        NoNfsStorage = "no-nfs-storage",
        /// It has VLANs besides that of its management interface.
        NonManagementVlans = "non-management-vlans",
        /// Its xapi speaks an older version of the API.
        OlderApi = "older-api",
        /// Its xapi was built from another commit.
        OtherBuild = "other-build",
        /// Its processors are of another vendor.
        OtherCpuVendor = "other-cpu-vendor",
        /// Its database has another schema.
        OtherDatabaseSchema = "other-database-schema",
        /// It runs another version of the platform.
        OtherPlatform = "other-platform",
        /// Its licence says how many hosts a pool may have.
        PoolSizeLimited = "pool-size-limited",
        /// Its licence allows no pools.
        PoolingUnlicensed = "pooling-unlicensed",
        /// Virtual machines run on it.
        RunningVms = "running-vms",
        /// It is told what to do by an SDN controller.
        SdnController = "sdn-controller",
        /// It has storage that other hosts use, too.
        SharedSrs = "shared-srs",
        /// Its hosts have a cheaper edition.
        StandardEdition = "standard-edition",
        /// It has tunnels.
        Tunnels = "tunnels",
        /// The network of a cluster would have two addresses on it.
        TwoClusterAddresses = "two-cluster-addresses",
        /// Its hosts have an edition that the licence daemon of others does not know.
        UnknownEdition = "unknown-edition",
        /// Something is going on with a virtual machine.
        VmOperations = "vm-operations",
    }
}
