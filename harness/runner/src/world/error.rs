//! Why a world cannot be built or changed.

use std::{io, path::PathBuf};

use trust_models::ordered::CloudError;

use crate::{host_faults::HostFaultError, models::directory::PkiError};

/// Why a world cannot be built or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorldError {
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Domain(#[from] fake_dc::Error),
    #[error("{path}: cannot be read: {error}")]
    File { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Host(#[from] sim_host::HostError),
    #[error(transparent)]
    HostFault(#[from] HostFaultError),
    #[error("the world has no host, and so no pool")]
    NoHost,
    #[error("the CA of {domain} has not been renewed: it has no former root")]
    NeverRenewed { domain: String },
    #[error("the step `{step}` has read no certificate")]
    NothingRead { step: String },
    #[error("the chain of {dc} was given as it is, and nobody knows its CA")]
    NoAnchor { dc: String },
    #[error("{dc} does not have the fault `{fault}`; it has {has}")]
    NoSuchFault { dc: String, fault: String, has: String },
    #[error(transparent)]
    Pki(#[from] fake_dc_pki::PkiError),
    #[error(transparent)]
    Model(#[from] PkiError),
    #[error("no folder for the hosts' files: {0}")]
    Roots(io::Error),
    #[error("a host for the real programs: {0}")]
    Namespace(#[from] sim_host::real::NamespaceError),
    #[error("a party of pinned keys: {0}")]
    Pinned(Box<trust_models::pinned::PinnedError>),
    #[error("what was refused has changed {name}")]
    StoreOfRefusal { name: String },
    #[error("the scenario has no {what} `{name}`")]
    Unknown { what: &'static str, name: String },
}

impl WorldError {
    /// Whether the scenario, or a file it names, is to blame rather than the machine.
    pub(crate) fn is_wrong_input(&self) -> bool {
        match self {
            Self::Domain(fake_dc::Error::Bind { .. } | fake_dc::Error::Reopen { .. })
            | Self::Host(_)
            | Self::HostFault(HostFaultError::Host(_))
            | Self::Cloud(CloudError::Io { .. } | CloudError::Keystore(_))
            | Self::Namespace(_)
            | Self::Pinned(_)
            | Self::StoreOfRefusal { .. }
            | Self::Roots(_) => false,
            Self::Cloud(_) => true,
            Self::Model(error) => error.is_wrong_input(),
            Self::Domain(_)
            | Self::File { .. }
            | Self::HostFault(_)
            | Self::NeverRenewed { .. }
            | Self::NothingRead { .. }
            | Self::NoAnchor { .. }
            | Self::NoHost
            | Self::NoSuchFault { .. }
            | Self::Pki(_)
            | Self::Unknown { .. } => true,
        }
    }

    /// What to do about it, where that is known.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::Domain(error) => error.remedy(),
            Self::File { .. } => Some(
                "paths in a scenario start at its own folder; give the file there, or name another"
                    .to_owned(),
            ),
            Self::Pki(error) => error.remedy().map(str::to_owned),
            Self::NoAnchor { .. } => {
                Some("give the CA as a certificate of a `file` or as `pem`".to_owned())
            }
            Self::Cloud(_)
            | Self::Host(_)
            | Self::HostFault(_)
            | Self::Namespace(_)
            | Self::NeverRenewed { .. }
            | Self::NothingRead { .. }
            | Self::NoHost
            | Self::NoSuchFault { .. }
            | Self::Pinned(_)
            | Self::Model(_)
            | Self::Roots(_)
            | Self::StoreOfRefusal { .. }
            | Self::Unknown { .. } => None,
        }
    }
}
