//! The ledger tells the same story for the same seed, whatever the machine does at the time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{net::SocketAddr, sync::Arc};

use crate::common::{ADMINISTRATOR, PASSWORD, PATIENCE, trusting, xapi};
use fake_dc::{Dc, Domain};
use ground::{Actor, Clock, Ledger, Seed, Timestamp, Trail, Transport, VirtualClock, fact};
use ldap_wire::{
    Authentication, BindRequest, Decoded, LdapMessage, Limits, ProtocolOp, SearchRequest,
};
use rustls::ClientConfig;
use serde::Serialize;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpSocket, TcpStream, UdpSocket},
    time::timeout,
};
use tokio_rustls::TlsConnector;

#[derive(Debug, Serialize)]
struct Probed {
    dc: String,
}
fact!(Probed, "test.probed");

/// Connects as a host does: announces the flow under the address that it has bound.
async fn connect(trail: &Trail, server: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let cause = trail.cause().unwrap();
    trail.ledger().open_flow(Transport::Tcp, socket.local_addr().unwrap(), cause);
    socket.connect(server).await.unwrap()
}

/// One request and its answers, up to the last.
async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, request: LdapMessage) {
    stream.write_all(&request.encode()).await.unwrap();
    let mut bytes = Vec::new();
    loop {
        timeout(PATIENCE, stream.read_buf(&mut bytes)).await.unwrap().unwrap();
        while let Ok(Decoded::Message { message, consumed }) =
            ldap_wire::decode(&bytes, &Limits::DEFAULT)
        {
            bytes.drain(..consumed);
            if !matches!(message.op, ProtocolOp::SearchResultEntry(_)) {
                return;
            }
        }
    }
}

/// A probe as xapi's client makes it: ping, TLS, rootDSE, bind, search, unbind.
async fn probe(dc: &Dc, host: &Trail, config: Arc<ClientConfig>) {
    let trail = host.begin(Probed { dc: dc.name().to_owned() });
    let search = |id, base: &str| {
        let search = SearchRequest { base: base.to_owned(), ..SearchRequest::default() };
        LdapMessage::new(id, ProtocolOp::SearchRequest(search))
    };

    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let local = socket.local_addr().unwrap();
    trail.ledger().open_flow(Transport::Udp, local, trail.cause().unwrap());
    socket.send_to(&search(1, "").encode(), dc.cldap()).await.unwrap();
    timeout(PATIENCE, socket.recv(&mut [0; 4_096])).await.unwrap().unwrap();

    let stream = connect(&trail, dc.ldaps()).await;
    let name = dc.dns_name().to_owned().try_into().unwrap();
    // A chain that the client does not like ends the probe.
    let Ok(mut stream) = TlsConnector::from(config).connect(name, stream).await else { return };
    exchange(&mut stream, search(1, "")).await;
    let bind = BindRequest {
        version: 3,
        name: ADMINISTRATOR.to_owned(),
        authentication: Authentication::Simple(PASSWORD.into()),
    };
    exchange(&mut stream, LdapMessage::new(2, ProtocolOp::BindRequest(bind))).await;
    exchange(&mut stream, search(3, "DC=corp,DC=example")).await;
    let unbind = LdapMessage::new(4, ProtocolOp::UnbindRequest);
    stream.write_all(&unbind.encode()).await.unwrap();
}

/// What a run of three hosts against three DCs, two of them bad, leaves in the ledger.
async fn story(now: Timestamp) -> Vec<String> {
    let time = VirtualClock::starting_at(now);
    let ledger = Ledger::new(time.clock());
    let domain = Domain::builder("corp.example")
        .dcs(3)
        .fault("dc2", "time.leaf-expired")
        .seed(Seed::new(7))
        .clock(time.clock())
        .ledger(ledger.clone())
        .start()
        .await
        .unwrap();
    domain.set_faults("dc3", ["handshake.reset-on-hello"]).unwrap();
    let domain = Arc::new(domain);
    let hosts: Vec<_> = (1..=3)
        .map(|number| {
            let (domain, ledger) = (Arc::clone(&domain), ledger.clone());
            tokio::spawn(async move {
                let host = ledger.trail(Actor::Host(format!("host{number}")));
                for dc in domain.dcs() {
                    let config = if number == 1 { trusting(&domain) } else { xapi(&domain) };
                    probe(dc, &host, config).await;
                }
            })
        })
        .collect();
    for host in hosts {
        host.await.unwrap();
    }
    timeout(PATIENCE, domain.quiet()).await.unwrap();
    let told = ledger.causal_order().into_iter().map(|event| {
        let fields = serde_json::to_string(&event.fields()).unwrap();
        format!("{} {} {fields}", event.actor, event.kind())
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_runs_with_one_seed_tell_one_story() {
    // The clients judge by the machine's clock.
    let now = Clock::system().now();
    let first = story(now).await;
    assert!(first.len() > 40, "{first:#?}");
    for _ in 0..5 {
        assert_eq!(story(now).await, first);
    }
    let passwords = first.iter().filter(|line| line.contains(PASSWORD));
    assert_eq!(passwords.count(), 0);
    // One host's probe of the good DC, as a person reads it.
    let start = first.iter().position(|line| line.starts_with("host:host2")).unwrap();
    let story = first[start..].join("\n");
    let end = story.match_indices("host:host2").nth(1).unwrap().0;
    insta::assert_snapshot!("one_probe", redacted(&story[..end]));
}

/// The fingerprint depends on the time.
fn redacted(story: &str) -> String {
    let Some(at) = story.find(r#""leaf":""#) else { return story.to_owned() };
    let (head, tail) = story.split_at(at + 8);
    format!("{head}[fingerprint]{}", &tail[64..])
}
