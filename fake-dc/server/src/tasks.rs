//! The tasks of a DC: one per socket, one per connection, and one per line that is shaped.

use std::{future::Future, pin::Pin, sync::Arc};

use ground::{Trail, Transport};
use tokio::{
    net::UdpSocket,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    behind,
    crowd::{Crowd, Member},
    datagrams,
    dc::Dc,
    dns,
    facts::{Connection, ConnectionDropped, ConnectionRefused, Listener},
    gate::Gate,
    kdc, kpasswd, ldap, limits,
    line::Course,
    memory_door::Caller,
    route::Way,
    stream::{Link, Stream},
};

/// Serves every socket of `dc` until the spawner stops.
pub(crate) fn serve(dc: &Arc<Dc>, dns_socket: UdpSocket, spawner: &Spawner) {
    if let Some(behind) = dc.behind() {
        behind.serve(dc, spawner);
    }
    let way = Way::direct(dc);
    serve_dns(&way, dns_socket, spawner);
    serve_way(&way, spawner);
}

/// Serves the name server of one way to a DC until the spawner stops.
pub(crate) fn serve_dns(way: &Way, socket: UdpSocket, spawner: &Spawner) {
    spawner.spawn(dns::serve_datagrams(Arc::clone(&way.dc), socket, spawner.clone()));
    spawner.spawn(accept(way.clone(), Listener::Dns, spawner.clone()));
}

/// Serves the ports of one way to a DC until the spawner stops.
pub(crate) fn serve_way(way: &Way, spawner: &Spawner) {
    for listener in [Listener::Cldap, Listener::Kdc, Listener::Kpasswd] {
        spawner.spawn(datagrams::serve(way.clone(), listener, spawner.clone()));
    }
    for &listener in [Listener::Kdc, Listener::Kpasswd].iter().chain(Listener::LDAP) {
        spawner.spawn(accept(way.clone(), listener, spawner.clone()));
    }
}

/// Spawns tasks that end with the domain, or with the route that they serve.
#[derive(Clone, Debug)]
pub(crate) struct Spawner {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Spawner {
    pub(crate) fn new(tasks: &TaskTracker, stop: CancellationToken) -> Self {
        Self { tasks: tasks.clone(), stop }
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            stop.run_until_cancelled_owned(task).await;
        });
    }
}

/// Counts a connection as open while it lives.
#[derive(Debug)]
pub(crate) struct OpenConnection(Arc<Dc>);

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

/// Takes the connections to a listener.
async fn accept(way: Way, listener: Listener, spawner: Spawner) {
    accept_at(way, Entrance::Own(listener), spawner).await;
}

/// Takes the connections to a port of a front that passes bytes to `port` of the real DC.
pub(crate) async fn accept_passed(way: Way, port: u16, gate: Arc<Gate>, spawner: Spawner) {
    accept_at(way, Entrance::Passed(port, gate), spawner).await;
}

/// Where connections come in.
#[derive(Clone)]
pub(crate) enum Entrance {
    /// At a listener of the DC.
    Own(Listener),
    /// At a gate of a front, which stands for this port of the real DC.
    Passed(u16, Arc<Gate>),
}

impl Entrance {
    fn listener(&self) -> Listener {
        match self {
            Self::Own(listener) => *listener,
            Self::Passed(..) => Listener::Rpc,
        }
    }

    fn gate<'a>(&'a self, way: &'a Way) -> &'a Gate {
        match self {
            Self::Own(listener) => way.gate(*listener),
            Self::Passed(_, gate) => gate,
        }
    }
}

async fn accept_at(way: Way, entrance: Entrance, spawner: Spawner) {
    let crowd = Crowd::new(connections_max(&way.dc, entrance.listener()));
    loop {
        let Ok((socket, client)) = entrance.gate(&way).accept().await else {
            // No descriptors are left, and those who wait would wait for ever.
            let is_made = crowd.make_room();
            sleep(if is_made { limits::LEAVING } else { limits::ACCEPT_PAUSE }).await;
            continue;
        };
        // Answers go out as they are written; a failure costs latency only.
        let _ = socket.set_nodelay(true);
        let cause = way.dc.trail.ledger().cause_of_flow(Transport::Tcp, client);
        let caller = Caller { address: client.ip(), cause };
        admit(&way, &entrance, &crowd, Link::Socket(socket), caller, &spawner);
    }
}

/// How many connections may be open at a port of a DC.
pub(crate) fn connections_max(dc: &Dc, listener: Listener) -> usize {
    match listener {
        Listener::Dns => limits::DNS_CONNECTIONS_MAX,
        Listener::Kdc | Listener::Kpasswd => limits::KDC_CONNECTIONS_MAX,
        Listener::Rpc => limits::PASSED_CONNECTIONS_MAX,
        Listener::Cldap | Listener::Gc | Listener::Gcs | Listener::Ldap | Listener::Ldaps => {
            dc.domain.ldap_policy.max_connections
        }
    }
}

/// Takes a connection that has been made, or ends it if there are too many.
pub(crate) fn admit(
    way: &Way,
    entrance: &Entrance,
    crowd: &Arc<Crowd>,
    link: Link,
    caller: Caller,
    spawner: &Spawner,
) {
    let listener = entrance.listener();
    let open = Arc::new(OpenConnection::new(&way.dc));
    let trail = way.dc.trail.under(caller.cause).begin(Connection { listener, route: way.host() });
    let present = u64::try_from(crowd.size()).unwrap_or(u64::MAX);
    if let Some(limit) = way.connections_max(listener).filter(|&most| present >= most) {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        trail.record(ConnectionRefused { listener, limit });
        link.reset_on_close();
        spawner.spawn(async move {
            let _open = open;
            // Not while the client may still be in `connect`, which would take it for refused.
            let _ = timeout(limits::RESET_WITHIN, link.heard()).await;
        });
        return;
    }
    let course = Course::new(way, listener, spawner, &open);
    let (way, entrance, tasks) = (way.clone(), entrance.clone(), spawner.clone());
    let mut member = crowd.enter();
    let leave = member.leave();
    spawner.spawn(async move {
        let _open = open;
        let stream = Stream::new(link, caller.address, course);
        let conversation = converse(&way, &entrance, stream, &mut member, &trail, &tasks);
        tokio::select! {
            biased;
            () = leave.notified() => {
                trail.record(ConnectionDropped { listener });
            }
            () = conversation => {}
        }
    });
}

/// Serves one connection to its end.
pub(crate) async fn converse(
    way: &Way,
    entrance: &Entrance,
    stream: Stream,
    member: &mut Member,
    trail: &Trail,
    spawner: &Spawner,
) {
    let dc = &way.dc;
    // Boxed: a connection holds what its own service needs, not what the largest of them would.
    let serving: Pin<Box<dyn Future<Output = ()> + Send + '_>> = match (entrance, dc.behind()) {
        (Entrance::Passed(port, _), _) => {
            Box::pin(behind::serve_passed(way, *port, stream, trail, spawner))
        }
        (Entrance::Own(Listener::Dns), _) => Box::pin(dns::serve_stream(dc, trail, stream)),
        (Entrance::Own(Listener::Kdc), None) => Box::pin(kdc::serve_stream(dc, trail, stream)),
        (Entrance::Own(Listener::Kpasswd), None) => {
            Box::pin(kpasswd::serve_stream(dc, trail, stream))
        }
        (&Entrance::Own(listener @ (Listener::Kdc | Listener::Kpasswd)), Some(behind)) => {
            Box::pin(behind.relay(listener, stream, trail))
        }
        (&Entrance::Own(listener), None) => {
            Box::pin(ldap::serve(dc, listener, stream, member, trail))
        }
        (&Entrance::Own(listener), Some(behind)) => {
            Box::pin(behind::serve_ldap(behind, dc, listener, stream, member, trail))
        }
    };
    serving.await;
}
