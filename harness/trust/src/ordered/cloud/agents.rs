//! The port that appliances report to.
//!
//! As in CloudStack before 4.11, an appliance proves nothing: the server asks for no certificate
//! (`NioConnection.accept` of 4.4 sets `setNeedClientAuth(false)`), and what an appliance is, it says
//! itself. All that protects the set-up message, and so the private key, is that it goes to appliances
//! which the server has created (`SecondaryStorageManagerImpl.generateSetupCommand`: `secondary storage
//! VM … doesn't exist`), and that the port is on the management network. Client certificates came with
//! the CA framework of 4.11, whose `ca.plugin.root.auth.strictness` demands them.
//!
//! On purpose otherwise than there: CloudStack 4.4 waits without limit in the handshake, and a silent
//! client keeps everybody else waiting; here it is let go.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use ground::Transport;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use super::State;
use crate::{
    ordered::{
        agent::{self, Certificates, Message},
        facts::{SetUpRefused, SetUpSent},
        web::PATIENCE,
    },
    wire::{CONNECTIONS_MAX, in_time, next_connection},
};

/// Characters of a name that are repeated in events, of somebody who is not known.
const NAME_SHOWN_MAX: usize = 64;

/// The port that appliances report to.
pub(super) struct Agents {
    task: JoinHandle<()>,
    hang_up: watch::Sender<()>,
}

impl Agents {
    pub(super) fn start(listener: TcpListener, acceptor: TlsAcceptor, state: &Arc<State>) -> Self {
        let (hang_up, _) = watch::channel(());
        let sessions = hang_up.clone();
        let reception =
            Reception { state: Arc::clone(state), acceptor, sessions: Mutex::default() };
        let reception = Arc::new(reception);
        let task = tokio::spawn(async move {
            let mut conversations = JoinSet::new();
            loop {
                tokio::select! {
                    Some(_) = conversations.join_next() => {}
                    (tcp, peer) = next_connection(|| listener.accept()),
                        if conversations.len() < CONNECTIONS_MAX =>
                    {
                        let reception = Arc::clone(&reception);
                        let mut hung_up = sessions.subscribe();
                        conversations.spawn(async move {
                            tokio::select! {
                                _ = reception.attend(tcp, peer) => {}
                                _ = hung_up.changed() => {}
                            }
                        });
                    }
                }
            }
        });
        Self { task, hang_up }
    }

    /// Ends all sessions.
    pub(super) fn hang_up(&self) {
        self.hang_up.send_replace(());
    }

    /// Closes the port and ends all sessions.
    pub(super) async fn stop(&mut self) {
        self.task.abort();
        // It is aborted.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What all conversations share.
struct Reception {
    state: Arc<State>,
    acceptor: TlsAcceptor,
    /// By appliance. Whoever drops it here ends the session.
    sessions: Mutex<BTreeMap<String, oneshot::Sender<()>>>,
}

impl Reception {
    /// Sets up an appliance that reports, and keeps its session.
    async fn attend(&self, tcp: TcpStream, peer: SocketAddr) -> io::Result<()> {
        let state = &self.state;
        let cause = state.options.ledger.cause_of_flow(Transport::Tcp, peer);
        let trail = state.trail().under(cause);
        let opening = async {
            let mut session = self.acceptor.accept(tcp).await?;
            let startup = agent::receive(&mut session).await?;
            io::Result::Ok((session, startup))
        };
        let (mut session, startup) = in_time(PATIENCE, opening).await?;
        let (appliance, is_known) = match startup {
            Some(Message::StartupStorage { name }) => {
                let is_known = state.storage().contains_key(&name);
                (name, is_known)
            }
            Some(Message::StartupConsole { name }) => {
                let is_known = state.consoles().contains_key(&name);
                (name, is_known)
            }
            _ => return Ok(()),
        };
        let certs = match is_known.then(|| state.set_up()) {
            Some(Ok(certs)) => certs,
            refused => {
                let why = refused.and_then(Result::err).map(|error| error.to_string());
                let appliance = appliance.chars().take(NAME_SHOWN_MAX).collect();
                trail.record(SetUpRefused { appliance, why });
                return Ok(());
            }
        };
        let mut superseded = self.supersede(&appliance);
        let certificates = certs.as_ref().map_or(0, Certificates::count);
        trail.record(SetUpSent { appliance, certificates });
        in_time(PATIENCE, agent::send(&mut session, &Message::SetUp { certs })).await?;
        let closed = async { while let Ok(Some(_)) = agent::receive(&mut session).await {} };
        tokio::select! {
            () = closed => {}
            _ = &mut superseded => {}
        }
        Ok(())
    }

    /// Ends the session that an appliance has, as CloudStack does when one reports again
    /// (`AgentManagerImpl.createAttacheForConnect`). Resolves when that happens to the new one.
    fn supersede(&self, appliance: &str) -> oneshot::Receiver<()> {
        let (session, superseded) = oneshot::channel();
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(appliance.to_owned(), session);
        superseded
    }
}

#[cfg(test)]
mod tests {
    use ground::{Actor, Ledger, Seed, Timestamp, VirtualClock};

    use super::*;
    use crate::ordered::{Cloud, CloudOptions, Script, facts};

    #[tokio::test]
    async fn only_appliances_of_the_cloud_are_set_up() {
        let clock = VirtualClock::starting_at(Timestamp::from_unix(1_767_508_709));
        let ledger = Ledger::new(clock.clock());
        let directory = tempfile::tempdir().unwrap();
        let options = CloudOptions {
            seed: Seed::new(1),
            directory: directory.path().to_owned(),
            clock: clock.clock(),
            ledger: ledger.clone(),
        };
        let cloud = Cloud::start(options).await.unwrap();
        let trail = ledger.trail(Actor::Runner);
        cloud.create_storage("storage1", Script::Current, &trail).await.unwrap();
        let events = ledger.events();
        let connected = events.iter().find_map(|event| event.fact::<facts::Connected>());
        let management = connected.unwrap().address;

        let storage = |name: &str| Message::StartupStorage { name: name.to_owned() };
        let (mut first, _) = agent::report(management, &storage("storage1"), &trail).await.unwrap();
        let (mut again, _) = agent::report(management, &storage("storage1"), &trail).await.unwrap();
        let ended = agent::receive(&mut first).await.unwrap();
        assert!(ended.is_none(), "an appliance has one session");
        let console = Message::StartupConsole { name: "storage1".to_owned() };
        for startup in [storage("storage2"), storage(&"s".repeat(100)), console] {
            let Err(error) = agent::report(management, &startup, &trail).await else {
                panic!("somebody unknown was set up");
            };
            assert_eq!(error.to_string(), "the management server sends no set-up message");
        }
        cloud.agents.hang_up();
        assert!(agent::receive(&mut again).await.unwrap().is_none());
        let events = ledger.events();
        let refused = events.iter().filter_map(|event| event.fact::<SetUpRefused>());
        let refused: Vec<_> = refused.map(|refused| refused.appliance.clone()).collect();
        assert_eq!(refused, ["storage2".to_owned(), "s".repeat(NAME_SHOWN_MAX), "storage1".into()]);
    }
}
