//! The host's side of a deployment (`deployment.rs`).

use std::{collections::BTreeSet, time::Duration};

use ground::Trail;
use tokio::net::TcpStream;

use super::{Agent, Managed};
use crate::pinned::{
    Frames, PeerName, PinnedError, PublicKey,
    deployment::{self, FromHost, ToHost, Token},
    error::NAME_TAKEN,
    facts::StoreChanged,
    pake::Registering,
};

/// How long a host waits in real time for the next word of whoever deploys it.
const WAITING_LIMIT: Duration = Duration::from_secs(30);

impl Agent {
    /// One conversation of a deployment.
    pub(super) async fn be_deployed(&self, tcp: TcpStream) -> Result<(), PinnedError> {
        let trail = self.party.trail_of(&tcp);
        let mut frames = deployment::accept(&self.store.get().host_key.identity()?, tcp).await?;
        // From its password on a conversation has the host to itself, until it ends. One that only settles
        // waits for it, since what the other still has to say must not come after.
        let mut alone = None;
        while let Some(message) = frames.receive_within(WAITING_LIMIT).await? {
            let commits = matches!(message, ToHost::Commit { .. });
            let answer = match message {
                ToHost::Prepare { password, .. } if password != self.password => {
                    FromHost::Refused {
                        reason: "wrong-password".to_owned(),
                        words: "the password is not that of the superuser".to_owned(),
                    }
                }
                ToHost::Prepare { token, agent, manager, key, .. } => {
                    if alone.is_none() {
                        alone = Some(self.deployments.lock().await);
                    }
                    self.prepare(&mut frames, token, [agent, manager], key, &trail).await?
                }
                ToHost::Commit { token } | ToHost::Abort { token } => {
                    let _turn = match &alone {
                        Some(_) => None,
                        None => Some(self.deployments.lock().await),
                    };
                    self.decide(&token, commits, &trail)?
                }
                ToHost::Register { .. } => return Err(PinnedError::Malformed),
            };
            frames.send(&answer).await?;
        }
        Ok(())
    }

    async fn prepare(
        &self,
        frames: &mut Frames,
        token: Token,
        [known_as, manager]: [PeerName; 2],
        key: PublicKey,
        trail: &Trail,
    ) -> Result<FromHost, PinnedError> {
        let mut rng = self.setting.draw().stream("symmetric key");
        let (registering, request) = Registering::begin(&mut rng)?;
        let own = self.party.identity().public_key().clone();
        let ToHost::Register { reply } = frames.ask(&FromHost::Offer { key: own, request }).await?
        else {
            return Err(PinnedError::Malformed);
        };
        let (symmetric, record) = registering.finish(&known_as, &manager, &reply, &mut rng)?;
        let managed = Managed { token, keys: BTreeSet::from([key]), known_as, symmetric };
        let lent = self.lent_now();
        if manager == *self.name() || lent.values().any(|lent| lent.peer == manager) {
            return Ok(FromHost::Refused {
                reason: NAME_TAKEN.to_owned(),
                words: format!("{manager} is the name of an agent, and no manager can have it"),
            });
        }
        let former = self.store.change(|state| state.pending.insert(manager.clone(), managed))?;
        drop(lent);
        // Its manager has given it up, or has lost its store.
        for change in former.map(|_| "taken-back").into_iter().chain(["pending"]) {
            trail.record(StoreChanged { peer: manager.clone(), change });
        }
        Ok(FromHost::Prepared { record })
    }

    /// Whether it was decided so before does not matter.
    fn decide(&self, token: &Token, commit: bool, trail: &Trail) -> Result<FromHost, PinnedError> {
        let decided = self.store.change(|state| {
            let mut pending = state.pending.iter();
            let (manager, _) = pending.find(|(_, managed)| managed.token == *token)?;
            let (manager, managed) = state.pending.remove_entry(&manager.clone())?;
            if commit {
                state.managers.insert(manager.clone(), managed);
            }
            Some(manager)
        })?;
        let Some(manager) = decided else {
            let state = self.store.get();
            let trusted = state.managers.values().any(|managed| managed.token == *token);
            return Ok(match (trusted, commit) {
                (true, true) | (false, false) => FromHost::Done,
                (false, true) => FromHost::Unknown,
                (true, false) => FromHost::Refused {
                    reason: "deployment-decided".to_owned(),
                    words: "the deployment is committed, and cannot be taken back".to_owned(),
                },
            });
        };
        let change = if commit { "trusted" } else { "taken-back" };
        trail.record(StoreChanged { peer: manager, change });
        self.refresh();
        Ok(FromHost::Done)
    }
}
