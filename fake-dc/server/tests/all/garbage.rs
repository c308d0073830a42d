//! Bytes that nobody should send: every listener survives them and counts them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use crate::common::{PATIENCE, Way, ask, ldap, tls, trusting};
use fake_dc::{Domain, facts::Garbage, limits};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::RecordType,
};
use ldap_wire::{Decoded, LdapMessage, Limits, ProtocolOp, SearchRequest};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// Sends `bytes` and reads until the server closes.
async fn send(server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    answer
}

fn garbage(domain: &Domain) -> Vec<String> {
    let events = domain.ledger().events();
    let garbage = events.iter().filter_map(|event| event.fact::<Garbage>());
    garbage.map(|found| format!("{} {}: {}", found.listener, found.layer, found.reason)).collect()
}

/// The 7 bytes with which Samba's client ends a connection whose chain it rejects.
const CLEAR_UNBIND: &[u8] = &[0x30, 0x05, 0x02, 0x01, 0x01, 0x42, 0x00];

#[tokio::test]
async fn every_listener_counts_garbage_and_goes_on() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();

    let mut expected = Vec::new();
    assert_eq!(send(dc.ldap(), b"GET / HTTP/1.1\r\n\r\n").await, b"");
    expected.push("LDAP ldap: tag 0x47 instead of LDAP message at byte 0");

    // A length that says 4 GiB.
    assert_eq!(send(dc.ldap(), &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).await, b"");
    expected.push("LDAP ldap: more than 10485760 bytes in one message at byte 0");

    // The answer is a TLS alert, of which the content is rustls' affair.
    assert_eq!(send(dc.ldaps(), b"GET / HTTP/1.1\r\n\r\n").await[0], 0x15);
    expected.push("LDAPS tls: received corrupt message of type InvalidContentType");

    assert_eq!(send(dc.ldaps(), CLEAR_UNBIND).await[0], 0x15);
    expected.push("LDAPS tls: received corrupt message of type InvalidContentType");

    let mut inside = tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap();
    inside.write_all(b"not LDAP").await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, inside.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"");
    expected.push("LDAPS ldap: tag 0x6e instead of LDAP message at byte 0");

    // A rejected chain, as Samba does it: clear text after a complete handshake.
    let shaken = tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap();
    let (mut below, _) = shaken.into_inner();
    below.write_all(CLEAR_UNBIND).await.unwrap();
    timeout(PATIENCE, below.read_to_end(&mut answer)).await.unwrap().unwrap();
    expected.push("LDAPS tls: received corrupt message of type InvalidContentType");

    assert_eq!(send(dc.dns(), &[0, 3, 1, 2, 3]).await, b"");
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(b"?", dc.cldap()).await.unwrap();
    socket.send_to(b"not LDAP", dc.cldap()).await.unwrap();
    socket.send_to(b"?", dc.dns()).await.unwrap();
    let all = |event: &ground::Event| event.fact::<Garbage>().is_some();
    let mut left = expected.len() + 4;
    let counted = domain.ledger().wait_for(|event| {
        left -= usize::from(all(event));
        left == 0
    });
    timeout(PATIENCE, counted).await.unwrap();
    let found = garbage(&domain);
    assert_eq!(found[..expected.len()], expected);
    let datagrams = found[expected.len()..].iter();
    assert_eq!(datagrams.clone().filter(|line| line.starts_with("CLDAP ldap")).count(), 2);
    assert_eq!(datagrams.filter(|line| line.starts_with("DNS dns")).count(), 2);

    // All of them still work.
    for way in [Way::Plain, Way::StartTls, Way::Ldaps] {
        ldap(dc, way, trusting(&domain)).await.unwrap();
    }
    let mut question = Message::new(7, MessageType::Query, OpCode::Query);
    question.add_query(Query::query("dc1.corp.example.".parse().unwrap(), RecordType::A));
    let question = question.to_vec().unwrap();
    assert!(!ask(dc.dns(), &question).await.is_empty());
    domain.stop().await;
}

#[tokio::test]
async fn requests_that_come_byte_by_byte_or_all_at_once_are_answered() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let mut stream = TcpStream::connect(domain.dc("dc1").unwrap().ldap()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    const COUNT: u32 = 200;
    let request = |id| {
        let search =
            SearchRequest { attributes: vec!["*".into(), "+".into()], ..SearchRequest::default() };
        LdapMessage::new(id, ProtocolOp::SearchRequest(search)).encode()
    };
    for byte in request(1) {
        stream.write_all(&[byte]).await.unwrap();
    }
    // More answers than are sent at once.
    let rest: Vec<Vec<u8>> = (2..=COUNT).map(request).collect();
    stream.write_all(&rest.concat()).await.unwrap();
    let mut answer = Vec::new();
    let mut done = Vec::new();
    while done.len() < COUNT as usize {
        timeout(PATIENCE, stream.read_buf(&mut answer)).await.unwrap().unwrap();
        while let Ok(Decoded::Message { message, consumed }) =
            ldap_wire::decode(&answer, &Limits::DEFAULT)
        {
            answer.drain(..consumed);
            if let ProtocolOp::SearchResultDone(result) = message.op {
                assert!(result.is_success());
                done.push(message.id);
            }
        }
    }
    assert_eq!(done, (1..=COUNT).collect::<Vec<u32>>());
}

#[tokio::test]
async fn a_client_that_never_finishes_keeps_nobody_waiting() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let mut half_a_message = TcpStream::connect(dc.ldap()).await.unwrap();
    half_a_message.write_all(&[0x30, 0x82, 0x10, 0x00, 0x02]).await.unwrap();
    let mut half_a_hello = TcpStream::connect(dc.ldaps()).await.unwrap();
    half_a_hello.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.unwrap();
    let mut half_a_question = TcpStream::connect(dc.dns()).await.unwrap();
    half_a_question.write_all(&[0]).await.unwrap();
    for way in [Way::Plain, Way::StartTls, Way::Ldaps] {
        ldap(dc, way, trusting(&domain)).await.unwrap();
    }
    drop((half_a_message, half_a_hello, half_a_question));
    timeout(PATIENCE, domain.quiet()).await.unwrap();
    assert_eq!(garbage(&domain), [""; 0]);
}

#[tokio::test]
async fn the_oldest_connection_makes_room_when_there_are_too_many() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let mut open = Vec::new();
    for _ in 0..limits::DNS_CONNECTIONS_MAX {
        open.push(TcpStream::connect(dc.dns()).await.unwrap());
    }
    open.push(TcpStream::connect(dc.dns()).await.unwrap());
    let dropped = timeout(PATIENCE, open[0].read(&mut [0; 1])).await.unwrap();
    assert!(matches!(dropped, Ok(0) | Err(_)), "{dropped:?}");
    let event = crate::common::event(&domain, "dc1", "dc.connection-dropped").await;
    assert_eq!(event.fields()["listener"], "dns");
    drop(open);
    timeout(PATIENCE, domain.quiet()).await.unwrap();
}

#[tokio::test]
async fn words_in_clear_behind_starttls_end_the_connection() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let start_tls =
        crate::common::bytes("301d02010177188016312e332e362e312e342e312e313436362e3230303337");
    let search = crate::common::bytes("30050201024200");
    let answer = send(domain.dc("dc1").unwrap().ldap(), &[start_tls, search].concat()).await;
    assert!(!answer.is_empty(), "StartTLS itself is answered");
    assert_eq!(garbage(&domain), ["LDAP ldap: 7 bytes after StartTLS"]);
}
