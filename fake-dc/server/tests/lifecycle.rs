//! Nothing of a domain outlives it. The only test of its file: it counts what the process has.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::{
    collections::BTreeSet,
    future::pending,
    net::{SocketAddr, TcpListener, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::{PATIENCE, tls, trusting};
use fake_dc::{Domain, FaultInfo};
use ground::{Seed, Stream};
use rand::RngExt as _;
use tokio::{
    io::AsyncWriteExt, net::TcpStream, runtime::Handle, sync::mpsc, task::JoinSet, time::timeout,
};

const DCS: usize = 200;

/// By how much more memory the process may have after one such domain than after another.
/// Allocators keep some of what they are given back; this is a fifth of what a domain needs.
const MEMORY_MARGIN: usize = 12 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_dcs_with_random_faults_leave_nothing_behind() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        usual(info);
    }));
    let mut dice = Seed::new(11).stream("faults");
    let start = Held::now();
    let is_gone = || {
        let now = Held::now();
        (now.descriptors, now.tasks) == (start.descriptors, start.tasks)
    };
    live(&mut dice).await;
    assert!(settled(is_gone).await, "{:?}, {start:?} at the start", Held::now());
    let before = Held::now();
    live(&mut dice).await;
    assert!(settled(is_gone).await, "{:?}, {start:?} at the start", Held::now());
    let after = Held::now();
    let most = before.memory + MEMORY_MARGIN;
    assert!(after.memory <= most, "{} bytes, {} before", after.memory, before.memory);
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}

/// What the process has at a moment.
#[derive(Debug)]
struct Held {
    descriptors: usize,
    tasks: usize,
    /// Bytes resident.
    memory: usize,
}

impl Held {
    fn now() -> Self {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            descriptors: std::fs::read_dir("/proc/self/fd").unwrap().count(),
            tasks: Handle::current().metrics().num_alive_tasks(),
            memory: pages * rustix::param::page_size(),
        }
    }
}

/// Whether it is so before long.
async fn settled(is_so: impl Fn() -> bool) -> bool {
    let waiting = timeout(PATIENCE, async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    });
    waiting.await.is_ok()
}

/// The life of a domain: many faults, many clients in different states, changes, and the end while
/// all of them are still there.
async fn live(dice: &mut Stream) {
    let catalogue = fake_dc::faults::catalogue();
    let mut builder = Domain::builder("corp.example").dcs(DCS);
    // The first one stays sound.
    for number in 2..=DCS {
        builder = builder.fault(format!("dc{number}"), any(&catalogue, dice));
    }
    let domain = builder.start().await.unwrap();
    let on_routes: Vec<FaultInfo> =
        catalogue.iter().copied().filter(|fault| fault.on_route).collect();
    for number in 1..=30 {
        let faults = [any(&on_routes, dice), any(&on_routes, dice)];
        domain.set_route_faults("host1", &format!("dc{number}"), faults).unwrap();
    }
    let places = addresses(&domain);
    let mut clients = Clients::default();
    for (number, dc) in domain.dcs().enumerate() {
        clients.send(dc.ldap(), number);
        clients.send(dc.ldaps(), number + 1);
    }
    for (number, route) in domain.routes().iter().enumerate() {
        clients.send(route.ldap, number);
        clients.send(route.ldaps, number + 1);
    }
    let sound = domain.dc("dc1").unwrap();
    let secure = tls(sound.ldaps(), sound.dns_name(), trusting(&domain)).await.unwrap();
    clients.arrive().await;
    let held = Held::now();
    assert!(held.descriptors > DCS * 7 + clients.sent, "{held:?}");

    for number in 1..=DCS {
        let name = format!("dc{number}");
        match number % 4 {
            0 => domain.clear_faults(&name).unwrap(),
            1 => domain.set_faults(&name, ["net.half-open"]).unwrap(),
            2 => domain.add_faults(&name, [any(&on_routes, dice)]).unwrap(),
            _ => {}
        }
    }
    domain.remove_route("host1", "dc1").unwrap();
    domain.clear_route_faults("host1", "dc2").unwrap();
    domain.stop().await;

    for address in places {
        TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        UdpSocket::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
    clients.leave().await;
    drop(secure);
}

fn any(faults: &[FaultInfo], dice: &mut Stream) -> &'static str {
    faults[dice.random_range(0..faults.len())].id
}

/// Every address that the domain listens on.
fn addresses(domain: &Domain) -> BTreeSet<SocketAddr> {
    let of_dcs = domain.dcs().flat_map(|dc| [dc.dns(), dc.kdc(), dc.ldap(), dc.ldaps()]);
    let routes = domain.routes();
    let of_routes = routes.iter().flat_map(|route| [route.kdc, route.ldap, route.ldaps]);
    of_dcs.chain(of_routes).collect()
}

/// Clients that connect, say something or nothing, and stay.
struct Clients {
    tasks: JoinSet<()>,
    sent: usize,
    arrived: mpsc::UnboundedSender<()>,
    arrivals: mpsc::UnboundedReceiver<()>,
}

impl Default for Clients {
    fn default() -> Self {
        let (arrived, arrivals) = mpsc::unbounded_channel();
        Self { tasks: JoinSet::new(), sent: 0, arrived, arrivals }
    }
}

impl Clients {
    /// Sends a client that is in the state of this number.
    fn send(&mut self, to: SocketAddr, state: usize) {
        let words = Arc::<[u8]>::from(match state % 5 {
            // Idle.
            0 => Vec::new(),
            // Amid its hello, and behind it.
            1 => HELLO[..20].to_vec(),
            2 => HELLO.to_vec(),
            // A bind without a name, and what is neither LDAP nor TLS.
            3 => vec![0x30, 12, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0],
            _ => b"GET / HTTP/1.0\r\n\r\n".to_vec(),
        });
        let arrived = self.arrived.clone();
        self.sent += 1;
        self.tasks.spawn(async move {
            let mut stream = TcpStream::connect(to).await;
            if let Ok(stream) = &mut stream {
                // It may have been reset already.
                let _ = stream.write_all(&words).await;
            }
            let _ = arrived.send(());
            pending::<()>().await;
        });
    }

    /// Waits for all but those that are swallowed.
    async fn arrive(&mut self) {
        let mut count = 0;
        while let Ok(Some(())) = timeout(Duration::from_millis(500), self.arrivals.recv()).await {
            count += 1;
            if count == self.sent {
                return;
            }
        }
    }

    async fn leave(mut self) {
        self.tasks.shutdown().await;
    }
}

/// A ClientHello of TLS 1.2 with one suite and no extension.
const HELLO: &[u8] = &[
    22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
    18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 0, 0, 2, 0xc0, 0x2f, 1, 0,
];
