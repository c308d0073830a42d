//! Another key, on either side, without a moment in which the two do not believe each other: first
//! the new key is made known, then it is shown, then the old one is dropped. Each step can be taken
//! alone, and in the wrong order.

use super::Manager;
use crate::pinned::{
    Answer, KeptIdentity, Order, PeerName, PinnedError, PublicKey, facts::KeySwitched,
};

impl Manager {
    /// Makes another key and keeps it ready.
    ///
    /// # Errors
    ///
    /// The store cannot be changed.
    pub fn prepare_key(&self) -> Result<PublicKey, PinnedError> {
        let now = self.setting.clock.now();
        let next = KeptIdentity::make(self.name().as_str(), &self.setting.draw(), now)?;
        let key = next.identity()?.public_key().clone();
        self.store.change(|state| state.next = Some(next))?;
        Ok(key)
    }

    /// The key that is kept ready.
    ///
    /// # Errors
    ///
    /// The store holds none that can be used.
    pub fn prepared_key(&self) -> Result<Option<PublicKey>, PinnedError> {
        let next = self.store.get().next;
        Ok(next.map(|next| next.identity()).transpose()?.map(|next| next.public_key().clone()))
    }

    /// The key that was shown before.
    ///
    /// # Errors
    ///
    /// The store holds none that can be used.
    pub fn former_key(&self) -> Result<Option<PublicKey>, PinnedError> {
        let former = self.store.get().former;
        Ok(former.map(|kept| kept.identity()).transpose()?.map(|kept| kept.public_key().clone()))
    }

    /// Has all agents believe this key of the manager, too.
    ///
    /// # Errors
    ///
    /// An agent cannot be told; the ones before it have been.
    pub async fn announce_key(&self, key: &PublicKey) -> Result<(), PinnedError> {
        for agent in self.agents().into_keys() {
            self.order(&agent, &Order::AddKey { key: key.clone() }).await?;
        }
        Ok(())
    }

    /// Shows the key that was kept ready; the one of before is kept for the way back.
    ///
    /// # Errors
    ///
    /// None was prepared, or the store cannot be changed.
    pub fn switch_key(&self) -> Result<(), PinnedError> {
        if self.store.get().next.is_none() {
            return Err(PinnedError::NoKey { which: "prepared" });
        }
        self.store.change(|state| {
            if let Some(next) = state.next.take() {
                state.former = Some(std::mem::replace(&mut state.identity, next));
            }
        })?;
        self.show()
    }

    /// Shows the former key again.
    ///
    /// # Errors
    ///
    /// There is none, or the store cannot be changed.
    pub fn switch_back(&self) -> Result<(), PinnedError> {
        if self.store.get().former.is_none() {
            return Err(PinnedError::NoKey { which: "former" });
        }
        self.store.change(|state| {
            if let Some(former) = state.former.take() {
                state.next = Some(std::mem::replace(&mut state.identity, former));
            }
        })?;
        self.show()
    }

    /// Has all agents believe this key of the manager no longer.
    ///
    /// # Errors
    ///
    /// An agent cannot be told; the ones before it have been.
    pub async fn withdraw_key(&self, key: &PublicKey) -> Result<(), PinnedError> {
        for agent in self.agents().into_keys() {
            self.order(&agent, &Order::DropKey { key: key.clone() }).await?;
        }
        Ok(())
    }

    /// All steps in the right order.
    ///
    /// # Errors
    ///
    /// A step fails; both keys are believed from the announcement to the withdrawal.
    pub async fn rotate(&self) -> Result<(), PinnedError> {
        // A host that is being deployed has the old key, and would never hear of the new one.
        let _alone = self.deploys.lock().await;
        let old = self.party.identity().public_key().clone();
        let new = self.prepare_key()?;
        self.announce_key(&new).await?;
        self.switch_key()?;
        self.withdraw_key(&old).await
    }

    /// The same for an agent's key: the manager learns the new one, the agent shows it, the manager
    /// drops the old ones. Other managers of the agent do not learn it ([`Manager::believe`]), and lose it.
    ///
    /// # Errors
    ///
    /// A step fails; both keys are believed in between.
    pub async fn rotate_agent(&self, agent: &PeerName) -> Result<(), PinnedError> {
        let Answer::Key { key } = self.order(agent, &Order::PrepareKey).await? else {
            return Err(PinnedError::Malformed);
        };
        self.believe(agent, key.clone())?;
        self.order(agent, &Order::SwitchKey { key: key.clone() }).await?;
        // The new one works before the old one goes.
        self.order(agent, &Order::Ping).await?;
        self.change_keys(agent, "key-dropped", |keys| keys.retain(|known| *known == key))
    }

    /// Believes one more key of an agent.
    ///
    /// # Errors
    ///
    /// The store cannot be changed, or holds no such agent.
    pub fn believe(&self, agent: &PeerName, key: PublicKey) -> Result<(), PinnedError> {
        self.change_keys(agent, "key-added", |keys| {
            keys.insert(key);
        })
    }

    fn change_keys(
        &self,
        agent: &PeerName,
        what: &'static str,
        change: impl FnOnce(&mut std::collections::BTreeSet<PublicKey>),
    ) -> Result<(), PinnedError> {
        let changed = self
            .store
            .change(|state| state.agents.get_mut(agent).map(|row| change(&mut row.keys)))?;
        changed.ok_or_else(|| PinnedError::NotDeployed { agent: agent.clone() })?;
        self.note(agent, what, &self.party.trail());
        self.refresh();
        Ok(())
    }

    fn show(&self) -> Result<(), PinnedError> {
        let shown = self.store.get().identity.identity()?;
        self.party.trail().record(KeySwitched { key: shown.public_key().fingerprint() });
        self.party.switch_to(shown);
        Ok(())
    }
}
