//! What can go wrong with a simulated host itself, as opposed to what a call of xapi answers.

use std::{io, net::IpAddr, path::PathBuf};

use xenapi_client::ApiError;

/// A host could not be built, or its root directory could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The database of a pool is not what xapi writes.
    #[error("the database `{path}` is damaged: {cause}")]
    Database {
        /// The file on the coordinator.
        path: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The database of a pool was written by another version.
    #[error("the database `{path}` has version {found}, expected {expected}")]
    DatabaseVersion {
        /// The file on the coordinator.
        path: &'static str,
        /// The version that this program writes.
        expected: u32,
        /// The version in the file.
        found: u32,
    },
    /// Two hosts of one pool have the same name.
    #[error("two hosts of the pool are called `{name}`")]
    DuplicateHost {
        /// The name.
        name: String,
    },
    /// The certificate that identifies a host cannot be made or read.
    #[error("the host's own certificate `{path}` cannot be used: {cause}")]
    Identity {
        /// The file.
        path: &'static str,
        /// What is wrong.
        cause: String,
    },
    /// The file that says what a host is does not.
    #[error("`{path}` has no line `{key}='…'` with a uuid")]
    Inventory {
        /// The file.
        path: &'static str,
        /// The key that is needed.
        key: &'static str,
    },
    /// A member's coordinator is not there.
    #[error("no pool has a coordinator with the address {address}, where {host} belongs")]
    NoCoordinator {
        /// The member.
        host: String,
        /// The address that its `pool.conf` names.
        address: IpAddr,
    },
    /// A pool without hosts.
    #[error("a pool needs at least one host, the first is its coordinator")]
    NoHosts,
    /// The database on disk belongs to a pool of other hosts.
    #[error("the database holds the hosts [{}], expected [{}]", .found.join(", "), .expected.join(", "))]
    OtherHosts {
        /// The hosts of the configuration.
        expected: Vec<String>,
        /// The hosts in the file.
        found: Vec<String>,
    },
    /// The file that says where a host belongs does not.
    #[error("`{path}` says `{found}`, expected `master` or `slave:` and an address")]
    PoolConf {
        /// The file.
        path: &'static str,
        /// What it says.
        found: String,
    },
    /// A pool that has ended: its coordinator belongs to another one.
    #[error("the pool has ended: its coordinator is a member of another pool")]
    PoolEnded,
    /// A member that is not in the database of its pool.
    #[error(
        "the coordinator does not know {host}, which its `pool.conf` sends there: give the file its \
         former line back, or the pool a record of the host (`host.create`)"
    )]
    UnknownToCoordinator {
        /// The member.
        host: String,
    },
    /// No host of the pool has this name.
    #[error("the pool has no host `{name}`")]
    UnknownHost {
        /// The name.
        name: String,
    },
    /// A path of a host that is not absolute, or that holds `..`.
    #[error("path `{path}` of a host is not absolute or holds `..`")]
    Path {
        /// The path as given.
        path: String,
    },
    /// A path that leads out of the root directory through a symbolic link.
    #[error("path `{path}` leaves the host's root directory: it resolves to `{}`", .target.display())]
    Escape {
        /// The path as given.
        path: String,
        /// Where the link leads.
        target: PathBuf,
    },
    /// A file or directory below a root could not be used.
    #[error("cannot {action} `{path}`: {source}")]
    Io {
        /// What was tried: `read`, `write`, ...
        action: &'static str,
        /// The path as the host sees it.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl HostError {
    /// Whether this says that a file is absent.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// A failure that is no XenAPI error becomes `INTERNAL_ERROR [text]`.
impl From<HostError> for ApiError {
    fn from(error: HostError) -> Self {
        Self::internal(error)
    }
}
