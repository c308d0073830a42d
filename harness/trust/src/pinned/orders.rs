//! What a manager orders over a pinned channel, and what an agent says to it.

use serde::{Deserialize, Serialize};

use super::{KeptIdentity, PeerName, PinnedError, PublicKey};

/// What an agent is to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Nothing.
    Ping,
    /// Believe this key of the one who orders, too.
    AddKey {
        /// The key.
        key: PublicKey,
    },
    /// No longer believe this key of the one who orders.
    DropKey {
        /// The key.
        key: PublicKey,
    },
    /// Make another key and keep it ready.
    PrepareKey,
    /// Show the key that was kept ready, if it is this one: another manager may have had another made.
    SwitchKey {
        /// The key.
        key: PublicKey,
    },
    /// Believe another agent for a while.
    Lend {
        /// The migration that it is for.
        migration: String,
        /// The other agent.
        peer: PeerName,
        /// Its keys.
        keys: Vec<PublicKey>,
        /// For how long, if nobody takes it back.
        seconds: i64,
    },
    /// No longer believe the other agent of a migration.
    TakeBack {
        /// Which.
        migration: String,
    },
    /// Connect to the other agent of a migration.
    Migrate {
        /// Which.
        migration: String,
        /// Whom to reach.
        peer: PeerName,
        /// Where.
        address: std::net::SocketAddr,
    },
    /// From agent to agent: it is about to begin.
    BeginMigration {
        /// Which.
        migration: String,
    },
    /// Show this certificate as another component, such as `console`.
    Enrol {
        /// Which.
        component: String,
        /// Certificates with their key.
        identity: KeptIdentity,
    },
}

impl Order {
    /// What stands in the ledger.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::AddKey { .. } => "add-key",
            Self::DropKey { .. } => "drop-key",
            Self::PrepareKey => "prepare-key",
            Self::SwitchKey { .. } => "switch-key",
            Self::Lend { .. } => "lend",
            Self::TakeBack { .. } => "take-back",
            Self::Migrate { .. } => "migrate",
            Self::BeginMigration { .. } => "begin-migration",
            Self::Enrol { .. } => "enrol",
        }
    }
}

/// What an agent says.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It is done.
    Done,
    /// It is done, and this is the key.
    Key {
        /// The key.
        key: PublicKey,
    },
    /// It is not done.
    Refused {
        /// The rule, as [`PinnedError::reason`] has it.
        reason: String,
        /// A sentence.
        words: String,
    },
}

impl Answer {
    pub(super) fn refused(reason: &str, words: impl ToString) -> Self {
        Self::Refused { reason: reason.to_owned(), words: words.to_string() }
    }

    /// A refusal becomes an error.
    pub(super) fn of(self, peer: &PeerName) -> Result<Self, PinnedError> {
        match self {
            Self::Refused { reason, words } => {
                Err(PinnedError::OrderRefused { peer: peer.clone(), reason, words })
            }
            other => Ok(other),
        }
    }
}

impl From<PinnedError> for Answer {
    fn from(error: PinnedError) -> Self {
        Self::refused(error.reason(), &error)
    }
}

/// What manager and agent do inside of the channel before anything else. Both ends must have the
/// same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecondLayer {
    /// Nothing: the channel is what is pinned.
    #[default]
    Off,
    /// A second pinned handshake.
    Keys,
    /// A proof of the symmetric key that was made at deployment.
    SymmetricKey,
}

/// How the manager says in [`SecondLayer::SymmetricKey`] who it is, so that the agent takes the
/// right key.
#[derive(Serialize, Deserialize)]
pub(super) struct Calling {
    pub(super) manager: PeerName,
}
