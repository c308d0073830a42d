//! Two agents that must speak to each other for a while.
//!
//! Each gets the other's keys from the manager for this one migration. They are gone when the manager
//! takes them back, which it does however the migration ends; when the agent's process ends, since
//! they are kept in memory alone; and when their time is over, should the manager have died.

use super::Manager;
use crate::pinned::{Order, PeerName, PinnedError};

/// How long lent keys last if nobody takes them back.
pub const MIGRATION_LEASE_SECONDS: i64 = 600;

impl Manager {
    /// Lends, has `from` connect to `to`, and takes back.
    ///
    /// # Errors
    ///
    /// The migration failed; the keys are gone nevertheless, from every agent that could be told.
    pub async fn migrate(
        &self,
        migration: &str,
        from: &PeerName,
        to: &PeerName,
    ) -> Result<(), PinnedError> {
        let outcome = match self.lend(migration, from, to).await {
            Ok(()) => self.begin_migration(migration, from, to).await,
            Err(error) => Err(error),
        };
        let ended = self.end_migration(migration, from, to).await;
        outcome.and(ended)
    }

    /// Gives each agent the other's keys.
    ///
    /// # Errors
    ///
    /// An agent is not known or cannot be told.
    pub async fn lend(
        &self,
        migration: &str,
        from: &PeerName,
        to: &PeerName,
    ) -> Result<(), PinnedError> {
        let agents = self.agents();
        let keys_of = |agent: &PeerName| {
            let keys = agents.get(agent).map(|keys| keys.iter().cloned().collect::<Vec<_>>());
            keys.ok_or_else(|| PinnedError::NotDeployed { agent: agent.clone() })
        };
        for (agent, peer) in [(from, to), (to, from)] {
            let lend = Order::Lend {
                migration: migration.to_owned(),
                peer: peer.clone(),
                keys: keys_of(peer)?,
                seconds: MIGRATION_LEASE_SECONDS,
            };
            self.order(agent, &lend).await?;
        }
        Ok(())
    }

    /// Has one agent connect to the other.
    ///
    /// # Errors
    ///
    /// It cannot, or may not.
    pub async fn begin_migration(
        &self,
        migration: &str,
        from: &PeerName,
        to: &PeerName,
    ) -> Result<(), PinnedError> {
        let migrate = Order::Migrate {
            migration: migration.to_owned(),
            peer: to.clone(),
            address: self.address_of(to)?,
        };
        self.order(from, &migrate).await.map(drop)
    }

    /// Takes the keys of a migration back from both.
    ///
    /// # Errors
    ///
    /// An agent cannot be told; the other has been.
    pub async fn end_migration(
        &self,
        migration: &str,
        from: &PeerName,
        to: &PeerName,
    ) -> Result<(), PinnedError> {
        let mut outcome = Ok(());
        for agent in [from, to] {
            let take_back = Order::TakeBack { migration: migration.to_owned() };
            outcome = outcome.and(self.order(agent, &take_back).await.map(drop));
        }
        outcome
    }
}
