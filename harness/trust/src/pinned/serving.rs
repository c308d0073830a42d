//! What listens, until it is dropped.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::wire::{CONNECTIONS_MAX, next_connection};

/// A listener with all conversations that came in by it. Dropping it ends them.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    task: JoinHandle<()>,
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

    /// Waits until no conversation is between its beginning and its first order, and no deployment goes
    /// on: all that they had to record stands in the ledger.
    pub async fn settled(&self) {
        // The sender lives as long as this.
        let _ = self.busy.subscribe().wait_for(|busy| *busy == 0).await;
    }

    /// Ends all conversations, and returns when the listener is closed.
    pub async fn stop(mut self) {
        self.task.abort();
        // It was aborted, which is no failure.
        let _ = (&mut self.task).await;
    }

    /// Lets `serve` have each connection. A conversation that fails has said so in the ledger.
    pub(super) fn start<F, Served>(listener: TcpListener, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream, Busy) -> Served + Send + Sync + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        Self::start_for(CONNECTIONS_MAX, listener, serve)
    }

    fn start_for<F, Served>(most: usize, listener: TcpListener, serve: F) -> io::Result<Self>
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
                    (tcp, _) = next_connection(|| listener.accept()), if conversations.len() < most => {
                        // Nothing depends on it but how long messages take.
                        let _ = tcp.set_nodelay(true);
                        counted.send_modify(|count| *count += 1);
                        conversations.spawn(serve(tcp, Busy(Arc::clone(&counted))));
                    }
                    Some(_) = conversations.join_next() => {}
                }
            }
        });
        Ok(Self { address, task, busy })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        sync::{Semaphore, mpsc},
        task::yield_now,
    };

    use super::*;

    #[tokio::test]
    async fn whoever_comes_when_all_places_are_taken_waits() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (said, mut served) = mpsc::unbounded_channel();
        let ends = Arc::new(Semaphore::new(0));
        let end = Arc::clone(&ends);
        let serving = Serving::start_for(2, listener, move |_tcp, _busy| {
            let (said, end) = (said.clone(), Arc::clone(&end));
            async move {
                said.send(()).unwrap();
                end.acquire().await.unwrap().forget();
            }
        });
        let serving = serving.unwrap();
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(serving.address()).await.unwrap());
        }
        served.recv().await.unwrap();
        served.recv().await.unwrap();
        for _ in 0..200 {
            yield_now().await;
        }
        assert!(served.try_recv().is_err(), "there are two places");
        ends.add_permits(1);
        served.recv().await.unwrap();
    }
}
