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

impl Manager {
    /// Deploys a host, or deploys it anew: what it and this manager believed of each other is
    /// replaced. Returns the fingerprint that the host has shown.
    ///
    /// # Errors
    ///
    /// Nothing has changed, or [`Manager::unsettled`] names the agent and [`Manager::settle`]
    /// decides.
    pub async fn deploy(&self, order: &Deployment) -> Result<Fingerprint, PinnedError> {
        let trail = self.party.trail().begin(DeploymentBegan { agent: order.agent.clone() });
        let expected = Expected::Fingerprint(order.fingerprint.clone());
        let (mut frames, host_key) = deployment::open(order.address, &expected, &trail).await?;
        let shown = host_key.fingerprint();
        let intent = Intent { token: self.token(), address: order.address, host_key };
        self.store.change(|state| {
            state.deploying.insert(order.agent.clone(), intent.clone());
        })?;
        let prepared = self.prepare(&mut frames, order, &intent).await;
        let (key, record) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                // If the host cannot be asked now, it is asked when things are settled.
                let _ = self.abort(&order.agent, &intent, Some(&mut frames), &trail).await;
                return Err(error);
            }
        };
        // The decision.
        self.store.change(|state| {
            state.deploying.remove(&order.agent);
            let row = Row {
                address: order.service,
                keys: BTreeSet::from([key]),
                record,
                unsettled: Some(intent.clone()),
            };
            state.agents.insert(order.agent.clone(), row);
        })?;
        self.note(&order.agent, "trusted", &trail);
        self.refresh();
        self.commit(&order.agent, &intent, Some(&mut frames), &trail).await?;
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
        let state = self.store.get();
        let mut outcome = Ok(());
        for (agent, intent) in &state.deploying {
            let settled = self.abort(agent, intent, None, &self.party.trail()).await;
            outcome = outcome.and(settled);
        }
        for (agent, row) in &state.agents {
            if let Some(intent) = &row.unsettled {
                let settled = self.commit(agent, intent, None, &self.party.trail()).await;
                outcome = outcome.and(settled);
            }
        }
        outcome
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
        frames: Option<&mut Frames>,
        trail: &Trail,
    ) -> Result<(), PinnedError> {
        let commit = ToHost::Commit { token: intent.token.clone() };
        match self.tell(intent, frames, &commit, trail).await? {
            FromHost::Done => {
                self.store.change(|state| {
                    if let Some(row) = state.agents.get_mut(agent) {
                        row.unsettled = None;
                    }
                })?;
                Ok(())
            }
            // The host was set up anew in the meantime: it is none of the agents.
            FromHost::Unknown => {
                self.store.change(|state| state.agents.remove(agent))?;
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
        frames: Option<&mut Frames>,
        trail: &Trail,
    ) -> Result<(), PinnedError> {
        let abort = ToHost::Abort { token: intent.token.clone() };
        match self.tell(intent, frames, &abort, trail).await? {
            FromHost::Done => {
                self.store.change(|state| state.deploying.remove(agent))?;
                Ok(())
            }
            other => Err(other.refusal(agent)),
        }
    }

    /// Tells a host over the channel that is open, or else over a new one to the same host.
    async fn tell(
        &self,
        intent: &Intent,
        frames: Option<&mut Frames>,
        message: &ToHost,
        trail: &Trail,
    ) -> Result<FromHost, PinnedError> {
        match frames {
            Some(frames) => frames.ask(message).await,
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
