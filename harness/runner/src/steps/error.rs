//! Why a step cannot be applied.

use sim_host::HostError;

use super::SETTLE_LIMIT;
use crate::{world::WorldError, xenapi::CallError};

/// Why a step cannot be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("`{text}` does not occur in {host}:{path}")]
    NoSuchText { host: String, path: String, text: String },
    #[error("no account is called `{account}`")]
    NoSuchAccount { account: String },
    #[error("{domain} refuses the change: {cause}")]
    NoSuchChange { domain: String, cause: String },
    #[error("the step `{step}` has opened no session")]
    NoSession { step: String },
    #[error("a call in the background has not come to rest within {} s: {waits}", SETTLE_LIMIT.as_secs())]
    Restless { waits: String },
    #[error("the call in the background `{step}` still waits")]
    StillWaits { step: String },
    #[error("nobody can go on: {waits}")]
    Stuck { waits: String },
    #[error("the step `{step}` has installed no certificate")]
    NothingInstalled { step: String },
    #[error(
        "{count} connections that hosts opened were not seen to end by their DC within {} s",
        SETTLE_LIMIT.as_secs()
    )]
    Unsettled { count: usize },
    #[error(transparent)]
    World(#[from] WorldError),
    #[error(transparent)]
    Xenapi(#[from] CallError),
}

impl StepError {
    /// Whether the scenario, or a file it names, is to blame rather than the machine.
    pub(crate) fn is_wrong_input(&self) -> bool {
        match self {
            Self::NoSession { .. }
            | Self::NoSuchAccount { .. }
            | Self::NoSuchChange { .. }
            | Self::NoSuchText { .. }
            | Self::NothingInstalled { .. }
            | Self::StillWaits { .. }
            | Self::Stuck { .. } => true,
            Self::World(error) => error.is_wrong_input(),
            Self::Xenapi(error) => error.is_wrong_input(),
            Self::Host(_) | Self::Restless { .. } | Self::Unsettled { .. } => false,
        }
    }

    /// What to do about it, where that is known.
    pub(crate) fn remedy(&self) -> Option<String> {
        match self {
            Self::StillWaits { .. } => {
                Some("release what it waits for before it is asked how it ended".to_owned())
            }
            Self::Stuck { .. } => {
                Some("let the call go on in the background with `background = true`".to_owned())
            }
            Self::World(error) => error.remedy(),
            _ => None,
        }
    }
}
