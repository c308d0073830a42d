//! What listens, until it is dropped.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
};

/// A listener with all conversations that came in by it. Dropping it ends them.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    task: AbortHandle,
    busy: Arc<watch::Sender<usize>>,
}

/// A conversation that is not yet what it is going to be. Dropped when it waits for orders, or has
/// ended.
#[derive(Debug)]
pub(super) struct Busy(Arc<watch::Sender<usize>>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Serving {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until no conversation is between its beginning and its first order: all that they had to
    /// record stands in the ledger.
    pub async fn settled(&self) {
        // The sender lives as long as this.
        let _ = self.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }

    /// Lets `serve` have each connection. A conversation that fails has said so in the ledger.
    pub(super) fn start<F, Served>(listener: TcpListener, serve: F) -> std::io::Result<Self>
    where
        F: Fn(TcpStream, Busy) -> Served + Send + Sync + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        let address = listener.local_addr()?;
        let busy = Arc::new(watch::Sender::new(0));
        let counted = Arc::clone(&busy);
        let task = tokio::spawn(async move {
            let mut conversations = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((tcp, _)) = accepted else { continue };
                        // Nothing depends on it but how long messages take.
                        let _ = tcp.set_nodelay(true);
                        counted.send_modify(|count| *count += 1);
                        conversations.spawn(serve(tcp, Busy(Arc::clone(&counted))));
                    }
                    Some(_) = conversations.join_next() => {}
                }
            }
        });
        Ok(Self { address, task: task.abort_handle(), busy })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}
