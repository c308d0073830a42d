//! The port that appliances report to.

use std::{io, net::SocketAddr, sync::Arc};

use ground::Transport;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use super::State;
use crate::ordered::{
    agent::{self, Certificates, Message},
    facts::SetUpSent,
};

/// The port that appliances report to.
pub(super) struct Agents {
    task: JoinHandle<()>,
    hang_up: watch::Sender<()>,
}

impl Agents {
    pub(super) fn start(listener: TcpListener, acceptor: TlsAcceptor, state: &Arc<State>) -> Self {
        let (hang_up, _) = watch::channel(());
        let state = Arc::clone(state);
        let sessions = hang_up.clone();
        let task = tokio::spawn(async move {
            let mut conversations = JoinSet::new();
            loop {
                tokio::select! {
                    Some(_) = conversations.join_next() => {}
                    accepted = listener.accept() => {
                        if let Ok((tcp, peer)) = accepted {
                            let (state, acceptor) = (Arc::clone(&state), acceptor.clone());
                            let mut hung_up = sessions.subscribe();
                            conversations.spawn(async move {
                                tokio::select! {
                                    _ = attend(tcp, peer, acceptor, &state) => {}
                                    _ = hung_up.changed() => {}
                                }
                            });
                        }
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

/// Sets up an appliance that reports, and keeps its session.
async fn attend(
    tcp: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    state: &State,
) -> io::Result<()> {
    let cause = state.options.ledger.cause_of_flow(Transport::Tcp, peer);
    let mut session = acceptor.accept(tcp).await?;
    let name = match agent::receive(&mut session).await? {
        Some(Message::StartupStorage { name } | Message::StartupConsole { name }) => name,
        _ => return Ok(()),
    };
    let certs = state.set_up();
    let certificates = certs.as_ref().map_or(0, Certificates::count);
    state.trail().under(cause).record(SetUpSent { appliance: name, certificates });
    agent::send(&mut session, &Message::SetUp { certs }).await?;
    while agent::receive(&mut session).await?.is_some() {}
    Ok(())
}
