//! The manager's side of a deployment (`deployment.rs`).

use std::{collections::BTreeSet, net::SocketAddr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ground::{Secret, Trail};
use rand::Rng as _;

use super::{Intent, Manager, Row};
use crate::pinned::{
    Deployment, Fingerprint, Frames, PeerName, PinnedError, PublicKey,
    deployment::{self, Expected, FromHost, ToHost, Token},
    encoding::Bytes,
    facts::DeploymentBegan,
    pake::Registrar,
};

/// A deployment channel, with the key that the host has shown in it.
struct Channel {
    frames: Frames,
    host_key: PublicKey,
}

impl Manager {
    /// Deploys a host, or deploys it anew: what it and this manager believed of each other is
    /// replaced. A former deployment of it is settled first. Returns the fingerprint that the host has
    /// shown.
    ///
    /// # Errors
    ///
    /// Nothing has changed, or [`Manager::unsettled`] names the agent and [`Manager::settle`]
    /// decides.
    pub async fn deploy(&self, order: &Deployment) -> Result<Fingerprint, PinnedError> {
        let agent = &order.agent;
        if agent == self.name() {
            return Err(PinnedError::NameTaken { name: agent.clone() });
        }
        let _alone = self.deploys.lock().await;
        let trail = self.party.trail().begin(DeploymentBegan { agent: agent.clone() });
        let expected = Expected::Fingerprint(order.fingerprint.clone());
        let (frames, host_key) = deployment::open(order.address, &expected, &trail).await?;
        let mut channel = Channel { frames, host_key };
        let shown = channel.host_key.fingerprint();
        match self.settle_one(agent, Some(&mut channel), &trail).await {
            // The host was set up anew since, which the manager has taken note of now.
            Ok(()) | Err(PinnedError::NotDeployed { .. }) => {}
            Err(source) => {
                let (agent, source) = (agent.clone(), Box::new(source));
                return Err(PinnedError::Unsettled { agent, source });
            }
        }
        let (address, host_key) = (order.address, channel.host_key.clone());
        let intent = Intent { token: self.token(), address, host_key };
        self.store.change(|state| state.deploying.insert(agent.clone(), intent.clone()))?;
        let prepared = self.prepare(&mut channel.frames, order, &intent).await;
        let (key, record) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                // If the host cannot be asked now, it is asked when things are settled.
                let _ = self.abort(agent, &intent, Some(&mut channel), &trail).await;
                return Err(error);
            }
        };
        // The decision, unless the host was removed in the meantime.
        let decided = self.store.change(|state| {
            let own = state.deploying.get(agent).is_some_and(|known| known.token == intent.token);
            if own {
                state.deploying.remove(agent);
                let (address, keys) = (order.service, BTreeSet::from([key]));
                let row = Row { address, keys, record, unsettled: Some(intent.clone()) };
                state.agents.insert(agent.clone(), row);
            }
            own
        })?;
        if !decided {
            self.abort(agent, &intent, Some(&mut channel), &trail).await?;
            return Err(PinnedError::NotDeployed { agent: agent.clone() });
        }
        self.note(agent, "trusted", &trail);
        self.refresh();
        self.commit(agent, &intent, Some(&mut channel), &trail).await?;
        Ok(shown)
    }

    /// Agents whose deployment was interrupted.
    pub fn unsettled(&self) -> BTreeSet<PeerName> {
        let state = self.store.get();
        let decided = state.agents.iter().filter(|(_, row)| row.unsettled.is_some());
        state.deploying.keys().chain(decided.map(|(agent, _)| agent)).cloned().collect()
    }

    /// A host whose deployment is not settled takes deployments elsewhere now.
    ///
    /// # Errors
    ///
    /// The store cannot be changed.
    pub fn find_again(&self, agent: &PeerName, address: SocketAddr) -> Result<(), PinnedError> {
        self.store.change(|state| {
            let decided = state.agents.get_mut(agent).and_then(|row| row.unsettled.as_mut());
            for intent in state.deploying.get_mut(agent).into_iter().chain(decided) {
                intent.address = address;
            }
        })?;
        Ok(())
    }

    /// Takes back deployments that were not decided, and carries out those that were.
    ///
    /// # Errors
    ///
    /// A host cannot be asked: the first such error, after all were tried.
    pub async fn settle(&self) -> Result<(), PinnedError> {
        let _alone = self.deploys.lock().await;
        let mut outcome = Ok(());
        for agent in self.unsettled() {
            let settled = self.settle_one(&agent, None, &self.party.trail()).await;
            outcome = outcome.and(settled);
        }
        outcome
    }

    /// Settles the deployment of one agent, if there is something to settle.
    async fn settle_one(
        &self,
        agent: &PeerName,
        mut channel: Option<&mut Channel>,
        trail: &Trail,
    ) -> Result<(), PinnedError> {
        let state = self.store.get();
        if let Some(intent) = state.deploying.get(agent) {
            self.abort(agent, intent, channel.as_deref_mut(), trail).await?;
        }
        let decided = state.agents.get(agent).and_then(|row| row.unsettled.as_ref());
        match decided {
            Some(intent) => self.commit(agent, intent, channel, trail).await,
            None => Ok(()),
        }
    }

    /// The agent's key and the record of its symmetric key.
    async fn prepare(
        &self,
        frames: &mut Frames,
        order: &Deployment,
        intent: &Intent,
    ) -> Result<(PublicKey, Bytes), PinnedError> {
        let prepare = ToHost::Prepare {
            token: intent.token.clone(),
            agent: order.agent.clone(),
            manager: self.name().clone(),
            key: self.party.identity().public_key().clone(),
            password: order.password.clone(),
        };
        let (key, request) = match frames.ask(&prepare).await? {
            FromHost::Offer { key, request } => (key, request),
            other => return Err(other.refusal(&order.agent)),
        };
        let reply = self.store.get().registrar.reply(&order.agent, &request)?;
        match frames.ask(&ToHost::Register { reply }).await? {
            FromHost::Prepared { record } => Ok((key, Registrar::record(&record)?)),
            other => Err(other.refusal(&order.agent)),
        }
    }

    async fn commit(
        &self,
        agent: &PeerName,
        intent: &Intent,
        channel: Option<&mut Channel>,
        trail: &Trail,
    ) -> Result<(), PinnedError> {
        let commit = ToHost::Commit { token: intent.token.clone() };
        let answer = self.tell(intent, channel, &commit, trail).await?;
        let is_of = |row: &Row| row.unsettled.as_ref().is_some_and(|of| of.token == intent.token);
        match answer {
            FromHost::Done => {
                self.store.change(|state| {
                    if let Some(row) = state.agents.get_mut(agent).filter(|row| is_of(row)) {
                        row.unsettled = None;
                    }
                })?;
                Ok(())
            }
            // The host was set up anew in the meantime: it is none of the agents.
            FromHost::Unknown => {
                self.store.change(|state| {
                    state.agents.retain(|name, row| name != agent || !is_of(row));
                })?;
                self.note(agent, "taken-back", trail);
                self.refresh();
                Err(PinnedError::NotDeployed { agent: agent.clone() })
            }
            other => Err(other.refusal(agent)),
        }
    }

    async fn abort(
        &self,
        agent: &PeerName,
        intent: &Intent,
        channel: Option<&mut Channel>,
        trail: &Trail,
    ) -> Result<(), PinnedError> {
        let abort = ToHost::Abort { token: intent.token.clone() };
        match self.tell(intent, channel, &abort, trail).await? {
            FromHost::Done => {
                self.store.change(|state| {
                    let is_other = |known: &Intent| known.token != intent.token;
                    state.deploying.retain(|name, known| name != agent || is_other(known));
                })?;
                Ok(())
            }
            other => Err(other.refusal(agent)),
        }
    }

    /// Tells a host over the channel that is open, if it is that host's, or else over a new one to it.
    async fn tell(
        &self,
        intent: &Intent,
        channel: Option<&mut Channel>,
        message: &ToHost,
        trail: &Trail,
    ) -> Result<FromHost, PinnedError> {
        match channel.filter(|channel| channel.host_key == intent.host_key) {
            Some(channel) => channel.frames.ask(message).await,
            None => {
                let expected = Expected::Key(intent.host_key.clone());
                let (mut frames, _) = deployment::open(intent.address, &expected, trail).await?;
                frames.ask(message).await
            }
        }
    }

    fn token(&self) -> Token {
        let mut bytes = [0; 16];
        self.setting.draw().stream("deployment").fill_bytes(&mut bytes);
        Token(Secret::new(BASE64_STANDARD.encode(bytes)))
    }
}
