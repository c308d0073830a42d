//! What LDAP allows its connections: how many, how long, how large.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use crate::common::{ADMINISTRATOR, PASSWORD, PATIENCE, tls, trusting};
use fake_dc::{Domain, LdapPolicy};
use fake_dc_directory::Flavour;
use ldap_wire::{
    Authentication, BindRequest, Decoded, Filter, LdapMessage, Limits, ProtocolOp, SearchRequest,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const SHORT: Duration = Duration::from_millis(200);

async fn serving(policy: LdapPolicy) -> Domain {
    Domain::builder("corp.example").ldap_policy(policy).start().await.unwrap()
}

fn usual() -> LdapPolicy {
    LdapPolicy::of(Flavour::WindowsServer2022)
}

/// Waits until the server ends the connection.
async fn ended(stream: &mut (impl AsyncRead + Unpin)) {
    let read = timeout(PATIENCE, stream.read(&mut [0])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

/// Asks, and waits for the result; `None` if the connection ends.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), op: ProtocolOp) -> Option<u32> {
    stream.write_all(&LdapMessage::new(1, op).encode()).await.ok()?;
    let mut received = Vec::new();
    loop {
        let size = timeout(PATIENCE, stream.read_buf(&mut received)).await.unwrap().ok()?;
        while let Decoded::Message { message, consumed } =
            ldap_wire::decode(&received, &Limits::DEFAULT).unwrap()
        {
            received.drain(..consumed);
            match message.op {
                ProtocolOp::SearchResultDone(result) => return Some(result.code.0),
                ProtocolOp::BindResponse(bind) => return Some(bind.result.code.0),
                _ => {}
            }
        }
        (size > 0).then_some(())?;
    }
}

fn root_dse() -> ProtocolOp {
    ProtocolOp::SearchRequest(SearchRequest::default())
}

#[tokio::test]
async fn a_connection_too_many_has_a_silent_one_dropped() {
    let domain = serving(LdapPolicy { max_connections: 3, ..usual() }).await;
    let dc = domain.dc("dc1").unwrap();
    let mut first = TcpStream::connect(dc.ldap()).await.unwrap();
    assert_eq!(ask(&mut first, root_dse()).await, Some(0));
    let mut silent = TcpStream::connect(dc.ldap()).await.unwrap();
    let mut third = TcpStream::connect(dc.ldap()).await.unwrap();
    assert_eq!(ask(&mut third, root_dse()).await, Some(0));

    let mut fourth = TcpStream::connect(dc.ldap()).await.unwrap();
    ended(&mut silent).await;
    for stream in [&mut first, &mut third, &mut fourth] {
        assert_eq!(ask(stream, root_dse()).await, Some(0));
    }
    let event = crate::common::event(&domain, "dc1", "dc.connection-dropped").await;
    assert_eq!(event.fields()["listener"], "ldap");

    // All have spoken now: the one that did so first goes.
    let mut fifth = TcpStream::connect(dc.ldap()).await.unwrap();
    ended(&mut first).await;
    assert_eq!(ask(&mut fifth, root_dse()).await, Some(0));
    drop((third, fourth, fifth));
    timeout(PATIENCE, domain.quiet()).await.unwrap();
}

#[tokio::test]
async fn a_client_that_brings_no_request_in_time_is_closed() {
    let domain = serving(LdapPolicy { init_recv_timeout: SHORT, ..usual() }).await;
    let dc = domain.dc("dc1").unwrap();
    let halves: [(_, &[u8]); 4] = [
        (dc.ldap(), &[]),
        (dc.gc(), &[0x30, 0x82, 0x10, 0x00, 0x02]),
        (dc.ldaps(), &[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]),
        (dc.gcs(), &[]),
    ];
    for (address, bytes) in halves {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        ended(&mut stream).await;
    }
    let mut shaken = tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap();
    ended(&mut shaken).await;
}

#[tokio::test]
async fn a_client_that_falls_silent_is_closed_even_in_the_middle_of_a_request() {
    let domain = serving(LdapPolicy { max_conn_idle_time: SHORT, ..usual() }).await;
    let dc = domain.dc("dc1").unwrap();
    for rest in [&[][..], &[0x30, 0x82, 0x10, 0x00, 0x02]] {
        let mut stream = tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap();
        assert_eq!(ask(&mut stream, root_dse()).await, Some(0));
        stream.write_all(rest).await.unwrap();
        ended(&mut stream).await;
    }
}

#[tokio::test]
async fn samba_takes_large_requests_from_clients_it_knows_alone() {
    let domain = Domain::builder("corp.example").flavour(Flavour::Samba4_22).start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let large = || {
        let filter = Filter::parse(&format!("(cn={})", "x".repeat(300_000))).unwrap();
        ProtocolOp::SearchRequest(SearchRequest { filter, ..SearchRequest::default() })
    };
    let mut stream = tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap();
    assert_eq!(ask(&mut stream, large()).await, None);

    let mut stream = tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap();
    let bind = BindRequest {
        version: 3,
        name: ADMINISTRATOR.to_owned(),
        authentication: Authentication::Simple(PASSWORD.as_bytes().to_vec()),
    };
    assert_eq!(ask(&mut stream, ProtocolOp::BindRequest(bind)).await, Some(0));
    assert_eq!(ask(&mut stream, large()).await, Some(0));
}
