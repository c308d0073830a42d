//! What listens, until it is dropped.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

/// A listener with all conversations that came in by it. Dropping it ends them.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    task: AbortHandle,
}

impl Serving {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets `serve` have each connection. A conversation that fails has said so in the ledger.
    pub(super) fn start<F, Served>(listener: TcpListener, serve: F) -> std::io::Result<Self>
    where
        F: Fn(TcpStream) -> Served + Send + Sync + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let serve = Arc::new(serve);
        let task = tokio::spawn(async move {
            let mut conversations = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((tcp, _)) = accepted else { continue };
                        // Nothing depends on it but how long messages take.
                        let _ = tcp.set_nodelay(true);
                        conversations.spawn(serve(tcp));
                    }
                    Some(_) = conversations.join_next() => {}
                }
            }
        });
        Ok(Self { address, task: task.abort_handle() })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}
