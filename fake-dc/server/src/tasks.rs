//! The tasks of a DC: one per socket, and one per connection.

use std::{future::Future, sync::Arc};

use ground::Transport;
use tokio::{net::UdpSocket, sync::Semaphore, time::sleep};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    cldap,
    dc::Dc,
    dns,
    facts::{Connection, ConnectionRefused, Listener},
    kdc, ldap, limits,
};

/// Serves every socket of `dc` until `stop` is cancelled.
pub(crate) fn start(
    dc: &Arc<Dc>,
    dns_socket: UdpSocket,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let spawner = Spawner { tasks: tasks.clone(), stop: stop.clone() };
    spawner.spawn(dns::serve_datagrams(Arc::clone(dc), dns_socket));
    spawner.spawn(cldap::serve_datagrams(Arc::clone(dc)));
    spawner.spawn(kdc::serve_datagrams(Arc::clone(dc)));
    for listener in [Listener::Dns, Listener::Kdc, Listener::Ldap, Listener::Ldaps] {
        spawner.spawn(accept(Arc::clone(dc), listener, spawner.clone()));
    }
}

/// Spawns tasks that end with the domain.
#[derive(Clone)]
struct Spawner {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Spawner {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled_owned(task).await;
        });
    }
}

/// Counts a connection as open while it lives.
struct OpenConnection(Arc<Dc>);

impl OpenConnection {
    fn new(dc: &Arc<Dc>) -> Self {
        dc.domain.open.send_modify(|count| *count += 1);
        Self(Arc::clone(dc))
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.domain.open.send_modify(|count| *count -= 1);
    }
}

async fn accept(dc: Arc<Dc>, listener: Listener, spawner: Spawner) {
    let (gate, limit) = match listener {
        Listener::Dns => (&dc.dns_gate, limits::DNS_CONNECTIONS_MAX),
        Listener::Kdc => (&dc.kdc_gate, limits::KDC_CONNECTIONS_MAX),
        Listener::Ldaps => (&dc.ldaps_gate, limits::LDAP_CONNECTIONS_MAX),
        Listener::Cldap | Listener::Ldap => (&dc.ldap_gate, limits::LDAP_CONNECTIONS_MAX),
    };
    let slots = Arc::new(Semaphore::new(limit));
    loop {
        let Ok((stream, client)) = gate.accept().await else {
            sleep(limits::ACCEPT_PAUSE).await;
            continue;
        };
        let open = OpenConnection::new(&dc);
        let cause = dc.trail.ledger().cause_of_flow(Transport::Tcp, client);
        let trail = dc.trail.under(cause).begin(Connection { listener });
        let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else {
            trail.record(ConnectionRefused { listener, limit });
            continue;
        };
        // Answers go out as they are written; a failure costs latency only.
        let _ = stream.set_nodelay(true);
        let dc = Arc::clone(&dc);
        spawner.spawn(async move {
            let _slot = slot;
            let _open = open;
            match listener {
                Listener::Dns => dns::serve_stream(&dc, &trail, stream).await,
                Listener::Kdc => kdc::serve_stream(&dc, &trail, stream).await,
                Listener::Cldap | Listener::Ldap | Listener::Ldaps => {
                    ldap::serve(dc, listener, stream, trail).await;
                }
            }
        });
    }
}
