//! What differs between two connections, and what the ledger says of each.

use std::net::SocketAddr;

use fake_dc::{Domain, facts::Listener};
use ground::{Clock, Ledger, Timestamp, VirtualClock};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    common::{PATIENCE, noting, tls, xapi},
    dc, family, greeted, start_tls,
};

/// The leaf that the DC shows to whoever comes next.
async fn leaf(address: SocketAddr) -> Vec<u8> {
    let (config, shown) = noting();
    tls(address, "dc1.corp.example", config).await.unwrap();
    shown.certificates()[0].clone()
}

#[tokio::test]
async fn chains_that_change_between_connections() {
    // A chain made in another second is another chain.
    let time = VirtualClock::starting_at(Timestamp::from_unix(1_787_277_600));
    let builder = Domain::builder("corp.example").clock(time.clock());
    let builder = builder.fault("dc1", "handshake.rotates-mid-run:2");
    let domain = builder.start().await.unwrap();
    let (ldaps, own) = (dc(&domain).ldaps(), dc(&domain).chain().certificates[0].to_vec());
    assert_eq!(leaf(ldaps).await, own);
    assert_eq!(leaf(ldaps).await, own);
    let other = leaf(ldaps).await;
    assert_ne!(other, own);
    // Another fault beside it changes nothing of that; setting it anew begins anew.
    domain.set_faults("dc1", ["ldap.busy", "handshake.rotates-mid-run:2"]).unwrap();
    assert_eq!(leaf(ldaps).await, other);
    domain.set_faults("dc1", ["handshake.rotates-mid-run"]).unwrap();
    assert_eq!(leaf(ldaps).await, own);
    assert_eq!(leaf(ldaps).await, other);

    domain.set_faults("dc1", ["handshake.alternates"]).unwrap();
    let mut shown = Vec::new();
    for _ in 0..4 {
        shown.push(leaf(ldaps).await == own);
    }
    assert_eq!(shown, [true, false, true, false]);
    let leaves: Vec<_> = domain
        .ledger()
        .events()
        .iter()
        .filter(|event| event.kind() == "tls.handshake")
        .map(|event| event.fields()["leaf"].clone())
        .collect();
    assert_ne!(leaves[9], leaves[8], "the ledger has what was shown");
}

/// What a client with xapi's policy leaves in the ledger of a DC with that fault, at both ports.
async fn story(fault: &str, now: Timestamp) -> Vec<String> {
    let time = VirtualClock::starting_at(now);
    let domain = Domain::builder("corp.example")
        .fault("dc1", fault)
        .clock(time.clock())
        .ledger(Ledger::new(time.clock()))
        .start()
        .await
        .unwrap();
    // A DC that says nothing has at least recorded what it heard.
    let is_silent = fault.contains("stall") || fault.contains("unanswered");
    for listener in [Listener::Ldaps, Listener::Ldap, Listener::Ldaps] {
        let before = domain.ledger().last();
        let recorded = |kind: &'static str| {
            domain.ledger().wait_for_after(before, move |event| is_silent && event.kind() == kind)
        };
        let visit = async {
            if listener == Listener::Ldap {
                let mut stream = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
                stream.write_all(&start_tls(1)).await.unwrap();
                let mut answer = [0; 200];
                tokio::select! {
                    _ = stream.read(&mut answer) => {}
                    _ = recorded("ldap.request") => {}
                }
            } else if fault == "handshake.slow-drip" {
                // Nobody waits for all of it.
                greeted(&domain).await.read_u8().await.unwrap();
            } else {
                let stream = TcpStream::connect(dc(&domain).ldaps()).await.unwrap();
                let name = "dc1.corp.example".try_into().unwrap();
                let client = TlsConnector::from(xapi(&domain));
                tokio::select! {
                    _ = client.connect(name, stream) => {}
                    _ = recorded("tls.handshake") => {}
                }
            }
        };
        timeout(PATIENCE, visit).await.unwrap();
        timeout(PATIENCE, domain.quiet()).await.unwrap();
    }
    let told = domain
        .ledger()
        .causal_order()
        .into_iter()
        .map(|event| format!("{} {} {:?}", event.actor, event.kind(), event.fields()));
    let told = told.collect();
    timeout(PATIENCE, domain.stop()).await.unwrap();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_tells_the_same_of_every_fault_twice() {
    let now = Clock::system().now();
    let mut twins = Vec::new();
    for fault in family() {
        twins.push(tokio::spawn(async move {
            let (first, second) = tokio::join!(story(fault, now), story(fault, now));
            assert_eq!(first, second, "{fault}");
            assert!(first.len() > 3, "{first:?}");
        }));
    }
    for twin in twins {
        twin.await.unwrap();
    }
}
