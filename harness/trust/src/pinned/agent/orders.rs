//! What an agent does for those who order.

use std::{collections::BTreeSet, net::SocketAddr};

use ground::Trail;

use super::{Agent, LentKeys};
use crate::pinned::{
    Answer, Frames, KeptIdentity, Order, PeerName, PinnedError, PublicKey,
    error::NAME_TAKEN,
    facts::{ComponentEnrolled, KeySwitched, Lent, Ordered, StoreChanged},
};

impl Agent {
    /// Carries out orders until there are no more.
    pub(in crate::pinned) async fn obey(
        &self,
        peer: &PeerName,
        mut frames: Frames,
        trail: &Trail,
    ) -> Result<(), PinnedError> {
        while let Some(order) = frames.receive::<Order>().await? {
            let name = order.name();
            let answer = match self.carry_out(peer, order, trail).await {
                Ok(answer) => answer,
                Err(error) => error.into(),
            };
            let refused = match &answer {
                Answer::Refused { reason, .. } => Some(reason.clone()),
                Answer::Done | Answer::Key { .. } => None,
            };
            trail.record(Ordered { by: peer.clone(), order: name, refused });
            frames.send(&answer).await?;
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        peer: &PeerName,
        order: Order,
        trail: &Trail,
    ) -> Result<Answer, PinnedError> {
        if let Order::BeginMigration { migration } = &order {
            // What was lent may have lapsed since the channel was opened.
            self.refresh();
            let meant = self.lent().get(migration).is_some_and(|lent| lent.peer == *peer);
            return Ok(if meant { Answer::Done } else { unknown_migration(migration) });
        }
        if !self.store.get().managers.contains_key(peer) {
            return Ok(Answer::refused(
                "not-a-manager",
                format!("{peer} does not manage this host"),
            ));
        }
        match order {
            Order::Ping | Order::BeginMigration { .. } => {}
            Order::AddKey { key } => self.change_keys(peer, "key-added", trail, |keys| {
                keys.insert(key);
            })?,
            Order::DropKey { key } => self.change_keys(peer, "key-dropped", trail, |keys| {
                keys.remove(&key);
            })?,
            Order::PrepareKey => {
                let seed = self.setting.draw();
                let next =
                    KeptIdentity::make(self.name().as_str(), &seed, self.setting.clock.now())?;
                let key = next.identity()?.public_key().clone();
                self.store.change(|state| state.next = Some(next))?;
                return Ok(Answer::Key { key });
            }
            Order::SwitchKey { key } => {
                let switched = self.store.change(|state| {
                    let prepared = state.next.as_ref()?.identity().ok()?;
                    if *prepared.public_key() != key {
                        return None;
                    }
                    state.identity = state.next.take()?;
                    Some(prepared)
                })?;
                let Some(shown) = switched else {
                    return Ok(Answer::refused("no-key-prepared", "no such key was prepared"));
                };
                trail.record(KeySwitched { key: shown.public_key().fingerprint() });
                self.party.switch_to(shown);
            }
            Order::Lend { migration, peer, keys, seconds } => {
                let until = self.setting.clock.now().plus_seconds(seconds);
                let mut lent = self.lent();
                let state = self.store.get();
                if state.managers.contains_key(&peer) || state.pending.contains_key(&peer) {
                    let words =
                        format!("{peer} is the name of a manager, and no agent can have it");
                    return Ok(Answer::refused(NAME_TAKEN, words));
                }
                let (of, whose) = (migration.clone(), peer.clone());
                lent.insert(migration, LentKeys { peer, keys, until });
                drop(lent);
                trail.record(Lent { migration: of, peer: whose, state: "lent" });
                self.refresh();
            }
            Order::TakeBack { migration } => {
                if let Some(LentKeys { peer, .. }) = self.lent().remove(&migration) {
                    trail.record(Lent { migration, peer, state: "taken-back" });
                }
                self.refresh();
            }
            Order::Migrate { migration, peer, address } => {
                return self.migrate(migration, &peer, address).await;
            }
            Order::Enrol { component, identity } => {
                let key = identity.identity()?.public_key().fingerprint();
                self.store.change(|state| state.components.insert(component.clone(), identity))?;
                trail.record(ComponentEnrolled { component, key });
            }
        }
        Ok(Answer::Done)
    }

    async fn migrate(
        &self,
        migration: String,
        peer: &PeerName,
        address: SocketAddr,
    ) -> Result<Answer, PinnedError> {
        if self.lent().get(&migration).is_none_or(|lent| lent.peer != *peer) {
            return Ok(unknown_migration(&migration));
        }
        self.refresh();
        let mut frames = Frames::over(self.party.dial(peer, address).await?.stream);
        frames.ask(&Order::BeginMigration { migration }).await
    }

    fn change_keys(
        &self,
        manager: &PeerName,
        what: &'static str,
        trail: &Trail,
        change: impl FnOnce(&mut BTreeSet<PublicKey>),
    ) -> Result<(), PinnedError> {
        self.store.change(|state| {
            state.managers.get_mut(manager).map(|managed| change(&mut managed.keys))
        })?;
        trail.record(StoreChanged { peer: manager.clone(), change: what });
        self.refresh();
        Ok(())
    }
}

fn unknown_migration(migration: &str) -> Answer {
    Answer::refused("unknown-migration", format!("no keys are lent for the migration {migration}"))
}
