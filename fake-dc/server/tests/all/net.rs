//! Faults of the line to a DC, seen by a raw socket: when bytes come, and how it ends.
//!
//! Those that open, refuse or swallow a port as a whole are in `faults.rs`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{io, net::SocketAddr, time::Duration};

use crate::common::{PATIENCE, Way, ask, ldap, tls, trusting};
use fake_dc::{Dc, Domain};
use ldap_wire::{Filter, LdapMessage, ProtocolOp, SearchRequest};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::{Instant, timeout},
};

async fn domain(fault: &str) -> Domain {
    Domain::builder("corp.example").fault("dc1", fault).start().await.unwrap()
}

fn dc(domain: &Domain) -> &Dc {
    domain.dc("dc1").unwrap()
}

/// A search of the root DSE, as bytes: the smallest conversation there is.
fn search() -> Vec<u8> {
    let attributes = vec!["defaultNamingContext".to_owned()];
    let search = SearchRequest { attributes, ..SearchRequest::default() };
    LdapMessage::new(1, ProtocolOp::SearchRequest(search)).encode()
}

fn ping() -> Vec<u8> {
    let search = SearchRequest {
        filter: Filter::And(vec![Filter::equality("NtVer", [6, 0, 0, 0])]),
        attributes: vec!["NetLogon".to_owned()],
        ..SearchRequest::default()
    };
    LdapMessage::new(1, ProtocolOp::SearchRequest(search)).encode()
}

/// A connection that has asked.
async fn asked(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&search()).await.unwrap();
    stream
}

/// The answer to [`search`], whole, from a DC on which nothing is wrong.
async fn whole_answer() -> Vec<u8> {
    let domain = Domain::builder("corp.example").index(9).start().await.unwrap();
    let mut stream = asked(dc(&domain).ldap()).await;
    let mut answer = vec![0; 65_536];
    let size = stream.read(&mut answer).await.unwrap();
    answer.truncate(size);
    answer
}

/// What is read at once, each time something comes, until all of `size` bytes are there.
async fn arrivals(stream: &mut TcpStream, size: usize) -> Vec<Vec<u8>> {
    let mut arrivals: Vec<Vec<u8>> = Vec::new();
    while arrivals.iter().map(Vec::len).sum::<usize>() < size {
        let mut buffer = vec![0; 65_536];
        let read = timeout(PATIENCE, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert!(read > 0, "the end after {arrivals:?}");
        buffer.truncate(read);
        arrivals.push(buffer);
    }
    arrivals
}

/// Long enough for a DC that has something to say.
const SILENCE: Duration = Duration::from_millis(300);

/// True if nothing comes, neither bytes nor an end.
async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(SILENCE, stream.read_u8()).await.is_err()
}

fn certificate_is_large(domain: &Domain) -> bool {
    dc(domain).chain().certificates.iter().map(|one| one.as_ref().len()).sum::<usize>() > 1_400
}

#[tokio::test]
async fn latency() {
    let domain = domain("net.latency:150ms").await;
    let begun = Instant::now();
    let mut stream = asked(dc(&domain).ldap()).await;
    assert_eq!(arrivals(&mut stream, 1).await.concat(), whole_answer().await);
    assert!(begun.elapsed() >= Duration::from_millis(150));

    let begun = Instant::now();
    ask(dc(&domain).cldap(), &ping()).await;
    assert!(begun.elapsed() >= Duration::from_millis(150), "pings are delayed as well");

    // An open connection gets quick when the fault is gone, and its TLS session goes on.
    domain.clear_faults("dc1").unwrap();
    stream.write_all(&search()).await.unwrap();
    assert_eq!(arrivals(&mut stream, 1).await.concat(), whole_answer().await);
}

#[tokio::test]
async fn latency_does_not_keep_requests_from_being_sent() {
    let domain = domain("net.latency:200ms").await;
    let mut stream = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
    let begun = Instant::now();
    for _ in 0..20 {
        stream.write_all(&search()).await.unwrap();
    }
    let size = whole_answer().await.len() * 20;
    arrivals(&mut stream, size).await;
    assert!(begun.elapsed() < Duration::from_secs(2), "twenty answers are under way at once");
}

#[tokio::test]
async fn jitter() {
    let domain = domain("net.jitter:100ms").await;
    let mut delays = Vec::new();
    for _ in 0..8 {
        let begun = Instant::now();
        ask(dc(&domain).cldap(), &ping()).await;
        delays.push(begun.elapsed());
    }
    let (least, most) = (delays.iter().min().unwrap(), delays.iter().max().unwrap());
    assert!(*most - *least > Duration::from_millis(10), "{delays:?}");
    // On a connection everything stays in order, whatever its delay.
    domain.set_faults("dc1", ["net.jitter:20ms"]).unwrap();
    tls(dc(&domain).ldaps(), "dc1.corp.example", trusting(&domain)).await.unwrap();
}

#[tokio::test]
async fn bandwidth() {
    let domain = domain("net.bandwidth:2000").await;
    let answer = whole_answer().await;
    let begun = Instant::now();
    let mut stream = asked(dc(&domain).ldap()).await;
    let pieces = arrivals(&mut stream, answer.len()).await;
    assert_eq!(pieces.concat(), answer);
    // 2,000 bytes per second are 100 bytes at a time.
    assert!(pieces[0].len() <= 100, "{} bytes at once", pieces[0].len());
    let pauses = u32::try_from(answer.len().div_ceil(100)).unwrap() - 1;
    assert!(begun.elapsed() >= pauses * Duration::from_millis(50), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn reset_at_byte() {
    let domain = domain("net.reset-at-byte:5").await;
    let mut stream = asked(dc(&domain).ldap()).await;
    let mut answer = Vec::new();
    let end = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap_err();
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(answer, whole_answer().await[..5]);
    // Without a value it comes amid the certificates.
    domain.set_faults("dc1", ["net.reset-at-byte"]).unwrap();
    let end = tls(dc(&domain).ldaps(), "dc1.corp.example", trusting(&domain)).await.unwrap_err();
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn half_open() {
    let domain = domain("net.half-open").await;
    let mut stream = asked(dc(&domain).ldap()).await;
    assert!(is_silent(&mut stream).await);
    assert!(domain.ledger().events().iter().all(|event| event.kind() != "ldap.request"));
    // What was lost is sent again, as TCP does, and gets through once the DC is back.
    domain.clear_faults("dc1").unwrap();
    assert_eq!(arrivals(&mut stream, 1).await.concat(), whole_answer().await);
    // A client that gives up leaves nothing behind.
    domain.set_faults("dc1", ["net.half-open"]).unwrap();
    stream.write_all(&search()).await.unwrap();
    drop(stream);
    timeout(PATIENCE, domain.quiet()).await.unwrap();
}

#[tokio::test]
async fn an_open_connection_goes_dark_and_comes_back() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let mut stream = asked(dc(&domain).ldap()).await;
    let answer = whole_answer().await;
    assert_eq!(arrivals(&mut stream, 1).await.concat(), answer);
    for fault in ["net.black-hole", "net.only-389-filtered", "net.tcp-blocked", "net.half-open"] {
        domain.set_faults("dc1", [fault]).unwrap();
        stream.write_all(&search()).await.unwrap();
        assert!(is_silent(&mut stream).await, "{fault}");
        domain.clear_faults("dc1").unwrap();
        assert_eq!(arrivals(&mut stream, 1).await.concat(), answer, "{fault}");
    }
}

#[tokio::test]
async fn requests_lost() {
    let domain = domain("net.requests-lost").await;
    let mut stream = asked(dc(&domain).ldap()).await;
    assert!(is_silent(&mut stream).await);
    assert!(domain.ledger().events().iter().all(|event| event.kind() != "ldap.request"));
    drop(stream);
    timeout(PATIENCE, domain.quiet()).await.unwrap();
    // The first request passes, the second does not.
    let first = format!("net.requests-lost:{}", search().len());
    domain.set_faults("dc1", [first]).unwrap();
    let mut stream = asked(dc(&domain).ldap()).await;
    assert_eq!(arrivals(&mut stream, 1).await.concat(), whole_answer().await);
    stream.write_all(&search()).await.unwrap();
    assert!(is_silent(&mut stream).await);
}

#[tokio::test]
async fn answers_lost() {
    let domain = domain("net.answers-lost:7").await;
    let mut stream = asked(dc(&domain).ldap()).await;
    assert_eq!(arrivals(&mut stream, 7).await.concat(), whole_answer().await[..7]);
    assert!(is_silent(&mut stream).await);
    crate::common::event(&domain, "dc1", "ldap.result").await;
    drop(stream);
    timeout(PATIENCE, domain.quiet()).await.unwrap();
}

#[tokio::test]
async fn mtu_black_hole() {
    let domain = domain("net.mtu-black-hole").await;
    assert!(certificate_is_large(&domain));
    // A small answer passes.
    let mut plain = asked(dc(&domain).ldap()).await;
    assert_eq!(arrivals(&mut plain, 1).await.concat(), whole_answer().await);
    // The certificates do not, and the handshake hangs.
    let shaking = tls(dc(&domain).ldaps(), "dc1.corp.example", trusting(&domain));
    assert!(timeout(SILENCE, shaking).await.is_err());
    timeout(PATIENCE, async {
        drop(plain);
        domain.quiet().await;
    })
    .await
    .unwrap();
    domain.set_faults("dc1", ["net.mtu-black-hole:65535"]).unwrap();
    tls(dc(&domain).ldaps(), "dc1.corp.example", trusting(&domain)).await.unwrap();
}

#[tokio::test]
async fn idle_reset() {
    let domain = domain("net.idle-reset:200ms").await;
    let begun = Instant::now();
    let mut stream = asked(dc(&domain).ldap()).await;
    assert_eq!(arrivals(&mut stream, 1).await.concat(), whole_answer().await);
    let end = timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    assert!(begun.elapsed() >= Duration::from_millis(200));
}

#[tokio::test]
async fn udp_blocked_and_tcp_blocked() {
    let domain = domain("net.udp-blocked").await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&ping(), dc(&domain).cldap()).await.unwrap();
    let event = crate::common::event(&domain, "dc1", "cldap.ping").await;
    assert!(event.fields()["answered"].is_null());
    assert!(socket.try_recv(&mut [0; 512]).is_err());
    ldap(dc(&domain), Way::StartTls, trusting(&domain)).await.unwrap();

    domain.set_faults("dc1", ["net.tcp-blocked"]).unwrap();
    assert!(!ask(dc(&domain).cldap(), &ping()).await.is_empty());
    for address in [dc(&domain).ldap(), dc(&domain).ldaps(), dc(&domain).kdc()] {
        assert!(timeout(SILENCE, TcpStream::connect(address)).await.is_err());
    }
}

#[tokio::test]
async fn connection_limit() {
    let domain = domain("net.connection-limit:1").await;
    let mut first = asked(dc(&domain).ldap()).await;
    assert_eq!(arrivals(&mut first, 1).await.concat(), whole_answer().await);
    let mut second = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
    let end = timeout(PATIENCE, second.read_u8()).await.unwrap().unwrap_err();
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
    tls(dc(&domain).ldaps(), "dc1.corp.example", trusting(&domain)).await.unwrap();
    // One that goes makes room for another.
    drop(first);
    timeout(PATIENCE, domain.quiet()).await.unwrap();
    let mut third = asked(dc(&domain).ldap()).await;
    assert_eq!(arrivals(&mut third, 1).await.concat(), whole_answer().await);
}

#[tokio::test]
async fn a_reset_of_the_server_passes_through_a_slow_line() {
    let domain = Domain::builder("corp.example")
        .fault("dc1", "handshake.reset-on-hello")
        .fault("dc1", "net.latency:50ms")
        .start()
        .await
        .unwrap();
    let end = tls(dc(&domain).ldaps(), "dc1.corp.example", trusting(&domain)).await.unwrap_err();
    assert_eq!(end.kind(), io::ErrorKind::ConnectionReset);
}
