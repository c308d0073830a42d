//! What can go wrong when a domain is started or changed.

use std::{io, net::SocketAddr};

use fake_dc_directory::DirectoryError;
use fake_dc_pki::PkiError;

use crate::{behind::RealDcError, facts::Listener, fault::FaultError};

/// Failed to start or change a domain.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A listener could not be opened.
    #[error("{listener} of {dc} cannot listen on {address}: {source}")]
    Bind {
        /// The DC.
        dc: String,
        /// Which listener.
        listener: Listener,
        /// The address asked for; port 0 is any.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A fault of the chain on a DC that serves a chain of its own.
    #[error("{dc} serves a given chain, which `{fault}` cannot change")]
    ChainIsGiven {
        /// The DC.
        dc: String,
        /// The fault.
        fault: &'static str,
    },
    /// What client certificates are to be judged by.
    #[error("the {what} for client certificates cannot be used: {cause}")]
    ClientCertificates {
        /// What it should be.
        what: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// The directory could not be built.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// Two DCs of one name.
    #[error("two DCs are called `{dc}`")]
    DuplicateDc {
        /// The name.
        dc: String,
    },
    /// Text that is no fault.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// A fault that was to be taken away and is not there.
    #[error("{place} does not have `{fault}`; it has {}", list(present))]
    FaultNotSet {
        /// What does not have it.
        place: String,
        /// The fault.
        fault: String,
        /// What it has.
        present: Vec<String>,
    },
    /// Text that is no name.
    #[error("`{name}` is no {what}: {cause}")]
    InvalidName {
        /// What it should be: `domain name`, `DC name`.
        what: &'static str,
        /// The text.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A domain without any DC.
    #[error("the domain has no DC")]
    NoDcs,
    /// A fault of what a real DC does itself, on the front of one.
    #[error(
        "`{fault}` cannot be on a DC with a real one behind it, whose KDC and clock are its own"
    )]
    NotBeforeRealDc {
        /// The fault.
        fault: &'static str,
    },
    /// A fault on a route that is none of the way to a DC.
    #[error("`{fault}` cannot be on a route: it is a fault of the DC itself")]
    NotOnRoute {
        /// The fault.
        fault: &'static str,
    },
    /// Other DCs than the front of the real one.
    #[error(
        "the real DC {real} has one front, which is called {real}; asked for were {}",
        list(dcs)
    )]
    NotTheFront {
        /// The real DC.
        real: String,
        /// The DCs asked for.
        dcs: Vec<String>,
    },
    /// A chain could not be made or read.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// What was to be behind a front is no DC.
    #[error(transparent)]
    RealDc(#[from] RealDcError),
    /// A port that a fault had closed could not be opened again.
    #[error("the ports of {dc} cannot be changed: {source}")]
    Reopen {
        /// The DC.
        dc: String,
        /// What the system says.
        source: io::Error,
    },
    /// A route that is to be opened elsewhere.
    #[error("the route from {host} to {dc} is open already")]
    RouteIsOpen {
        /// The client.
        host: String,
        /// The DC.
        dc: String,
    },
    /// More DCs than a domain has addresses.
    #[error("{asked} DCs, but a domain has at most {most}")]
    TooManyDcs {
        /// How many.
        asked: usize,
        /// How many there may be.
        most: usize,
    },
    /// No DC of that name.
    #[error("no DC is called `{name}`; the domain has {}", .known.join(", "))]
    UnknownDc {
        /// The name.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// No route between these two.
    #[error("there is no route from {host} to {dc}; there is {}", list(known))]
    UnknownRoute {
        /// The client.
        host: String,
        /// The DC.
        dc: String,
        /// The routes there are.
        known: Vec<String>,
    },
    /// Nothing here can sign with the key of a chain.
    #[error("the chain of {dc} cannot be served: {source}")]
    Unservable {
        /// The DC.
        dc: String,
        /// What the library says.
        source: rustls::Error,
    },
}

impl Error {
    /// What to do about it, where that is known.
    pub fn remedy(&self) -> Option<String> {
        Some(match self {
            Self::Bind { source, address, .. } => match source.kind() {
                io::ErrorKind::AddrInUse => format!(
                    "stop what listens there (`ss -lntup | grep {}`), or leave the port out to let \
                     the system choose",
                    address.port()
                ),
                io::ErrorKind::PermissionDenied => {
                    "run it as root, within `unshare --map-root-user --net` (and `ip link set lo up`), \
                     after `setcap cap_net_bind_service=+ep FAKE-DC`, or after \
                     `sysctl net.ipv4.ip_unprivileged_port_start=53`; or leave the port out to let \
                     the system choose"
                        .to_owned()
                }
                io::ErrorKind::AddrNotAvailable => {
                    "use an address of this machine, such as one in 127.0.0.0/8".to_owned()
                }
                _ if source.raw_os_error() == Some(TOO_MANY_OPEN_FILES) => {
                    "raise the limit, such as with `ulimit -n 8192`; a DC has ten sockets"
                        .to_owned()
                }
                _ => return None,
            },
            Self::ChainIsGiven { dc, .. } => {
                format!("drop the fault, or let {dc} have a chain of the domain's own CA")
            }
            Self::NotBeforeRealDc { .. } => {
                "set one of the families of certificates, `handshake`, `net`, `discovery` or `ldap`"
                    .to_owned()
            }
            Self::RealDc(RealDcError::NoDc { .. } | RealDcError::Unreachable { .. }) => {
                "name a domain controller whose port 389 can be reached from here".to_owned()
            }
            Self::RealDc(RealDcError::NotBelieved { .. }) => {
                "give the CA of its certificate, or the certificate itself, with `--behind-ca`, or \
                 believe any with `--behind-any-certificate`"
                    .to_owned()
            }
            Self::NotOnRoute { .. } => {
                "set it on the DC; on a route there may be faults of the way to it, such as those of the \
                 family `net`"
                    .to_owned()
            }
            Self::RouteIsOpen { .. } => "remove it first".to_owned(),
            Self::Fault(FaultError::Unknown(_)) => "`fake-dc faults` lists all faults".to_owned(),
            Self::Pki(PkiError::Pem(error)) => error.cause.remedy().to_owned(),
            Self::Unservable { .. } => {
                "give a key of type RSA, P-256, P-384, P-521 or Ed25519".to_owned()
            }
            _ => return None,
        })
    }
}

fn list(texts: &[String]) -> String {
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

/// `EMFILE`, for which [`io::ErrorKind`] has no name.
const TOO_MANY_OPEN_FILES: i32 = 24;
