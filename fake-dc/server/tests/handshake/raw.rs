//! Raw sockets: bytes, ends and silence.

use std::{
    io,
    time::{Duration, Instant},
};

use ldap_wire::ProtocolOp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    answer, client_hello,
    common::{PATIENCE, event, tls, trusting},
    dc, domain, greeted, rest, search, start_tls,
};

#[tokio::test]
async fn bytes_in_place_of_a_handshake() {
    for (fault, bytes) in [
        ("handshake.alert-on-hello", &[21, 3, 3, 0, 2, 2, 40][..]),
        ("handshake.alert-on-hello:close_notify", &[21, 3, 3, 0, 2, 1, 0]),
        ("handshake.alert-on-hello:255", &[21, 3, 3, 0, 2, 2, 255]),
        ("handshake.tls10-only", &[21, 3, 1, 0, 2, 2, 40]),
        ("handshake.tls11-only", &[21, 3, 2, 0, 2, 2, 40]),
        ("handshake.static-rsa-only", &[21, 3, 3, 0, 2, 2, 40]),
        ("handshake.close-on-hello", b""),
        ("handshake.garbage", &[0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3]),
        ("handshake.http-on-636", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    ] {
        let domain = domain(fault).await;
        assert_eq!(rest(&mut greeted(&domain).await).await, bytes, "{fault}");
        assert_eq!(event(&domain, "dc1", "tls.handshake").await.fields()["outcome"], "failed");
    }
    // A hello is no LDAP message: the server says so in LDAP, and closes.
    let domain = domain("handshake.plain-ldap-on-636").await;
    assert_eq!(rest(&mut greeted(&domain).await).await[0], 0x30);
    let mut stream = TcpStream::connect(dc(&domain).ldaps()).await.unwrap();
    stream.write_all(&search(1)).await.unwrap();
    assert_eq!(answer(&mut stream, &mut Vec::new()).await.id, 1);
}

#[tokio::test]
async fn ends_of_connections() {
    let closing = domain("handshake.close-before-hello").await;
    let mut stream = TcpStream::connect(dc(&closing).ldaps()).await.unwrap();
    assert_eq!(rest(&mut stream).await, b"", "closed though nothing was said");
    for fault in ["handshake.reset-on-hello", "handshake.no-certificate"] {
        let domain = domain(fault).await;
        let error = greeted(&domain).await.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{fault}");
    }
    let cut = domain("handshake.reset-after-server-hello").await;
    let mut bytes = Vec::new();
    let error = greeted(&cut).await.read_to_end(&mut bytes).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

/// Silence lasts as long as the client likes, and no longer.
#[tokio::test]
async fn servers_that_fall_silent() {
    let mute = domain("handshake.stall-on-hello").await;
    let mut stream = greeted(&mute).await;
    let event = event(&mute, "dc1", "tls.handshake").await;
    assert_eq!(event.fields()["reason"], "handshake.stall-on-hello");
    timeout(BRIEFLY, stream.read_u8()).await.unwrap_err();
    drop(stream);
    timeout(PATIENCE, mute.quiet()).await.unwrap();

    let stalling = domain("handshake.stall-after-server-hello").await;
    let mut stream = greeted(&stalling).await;
    let mut header = [0; 5];
    stream.read_exact(&mut header).await.unwrap();
    assert_eq!(header[..3], [22, 3, 3], "a handshake record");
    let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    stream.read_exact(&mut record).await.unwrap();
    assert_eq!(record[0], 2, "a ServerHello");
    let size = usize::from(record[2]) << 8 | usize::from(record[3]);
    assert_eq!(record.len(), 4 + size, "and nothing else");
    timeout(BRIEFLY, stream.read_u8()).await.unwrap_err();
    drop(stream);
    timeout(PATIENCE, stalling.quiet()).await.unwrap();

    let dripping = domain("handshake.slow-drip:50ms").await;
    let mut stream = greeted(&dripping).await;
    let begun = Instant::now();
    let mut pieces = Vec::new();
    for _ in 0..5 {
        let mut piece = vec![0; 100];
        let size = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap().unwrap();
        pieces.push(piece[..size].to_vec());
    }
    assert!(pieces.iter().all(|piece| piece.len() == 1), "one byte at a time: {pieces:?}");
    assert_eq!(pieces.concat()[..3], [22, 3, 3], "a handshake record");
    assert!(begun.elapsed() >= Duration::from_millis(200), "four pauses");
    drop(stream);
    timeout(PATIENCE, dripping.quiet()).await.unwrap();

    // Other requests are answered.
    let deaf = domain("handshake.starttls-unanswered").await;
    let mut stream = TcpStream::connect(dc(&deaf).ldap()).await.unwrap();
    stream.write_all(&[start_tls(1), search(2)].concat()).await.unwrap();
    assert_eq!(answer(&mut stream, &mut Vec::new()).await.id, 2);
}

/// How long nothing is waited for.
const BRIEFLY: Duration = Duration::from_millis(200);

#[tokio::test]
async fn starttls_that_is_refused() {
    for fault in ["handshake.starttls-refused", "handshake.no-certificate"] {
        let domain = domain(fault).await;
        let mut stream = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
        stream.write_all(&start_tls(1)).await.unwrap();
        let mut bytes = Vec::new();
        let ProtocolOp::ExtendedResponse(response) = answer(&mut stream, &mut bytes).await.op
        else {
            panic!("no extended response")
        };
        assert_eq!(response.result.code.0, 52, "{fault}");
        assert!(response.result.diagnostic.contains("Error initializing SSL/TLS"));
        // The connection goes on in clear.
        stream.write_all(&search(2)).await.unwrap();
        assert_eq!(answer(&mut stream, &mut bytes).await.id, 2);
    }
    let domain = domain("handshake.starttls-accepted-then-closed").await;
    let mut stream = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
    stream.write_all(&start_tls(1)).await.unwrap();
    let mut bytes = rest(&mut stream).await;
    let ProtocolOp::ExtendedResponse(response) = answer(&mut stream, &mut bytes).await.op else {
        panic!("no extended response")
    };
    assert!(response.result.is_success());
    assert!(bytes.is_empty());
}

#[tokio::test]
async fn data_before_tls() {
    let domain = domain("handshake.starttls-injected-data").await;
    let mut stream = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
    stream.write_all(&start_tls(7)).await.unwrap();
    let mut bytes = Vec::new();
    assert!(matches!(answer(&mut stream, &mut bytes).await.op, ProtocolOp::ExtendedResponse(_)));
    let injected = answer(&mut stream, &mut bytes).await;
    assert_eq!(injected.id, 8, "what the client would ask next");
    assert!(matches!(injected.op, ProtocolOp::BindResponse(bound) if bound.result.is_success()));
    // Who has thrown that away gets TLS.
    stream.write_all(&client_hello(&domain)).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 22);
    let tls = tls(dc(&domain).ldaps(), "dc1.corp.example", trusting(&domain)).await;
    tls.unwrap();
}

#[tokio::test]
async fn tls_on_389() {
    let domain = domain("handshake.tls-on-389").await;
    tls(dc(&domain).ldap(), "dc1.corp.example", trusting(&domain)).await.unwrap();
}
