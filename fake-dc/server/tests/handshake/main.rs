//! Every fault of the family `handshake`, observed from outside: by GnuTLS with the priority string of
//! xapi, by OpenSSL, by OpenLDAP over old TLS, and by raw sockets.
//!
//! Needs `gnutls-cli`, `openssl` and `ldapsearch` (Debian: `gnutls-bin`, `openssl`, `ldap-utils`).
//! Without them the tests say that they are skipped; with `TRUSTRIG_REQUIRE_TOOLS=1` they fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod connections;
mod old_tls;
mod raw;
mod sights;

use common::PATIENCE;
use fake_dc::{Dc, Domain};
use ldap_wire::{
    Decoded, ExtendedRequest, LdapMessage, Limits, ProtocolOp, SearchRequest, extended::START_TLS,
};
use rustls::ClientConnection;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

async fn domain(fault: &str) -> Domain {
    Domain::builder("corp.example").fault("dc1", fault).start().await.unwrap()
}

fn dc(domain: &Domain) -> &Dc {
    domain.dc("dc1").unwrap()
}

/// What a client sends first.
fn client_hello(domain: &Domain) -> Vec<u8> {
    let name = "dc1.corp.example".try_into().unwrap();
    let mut client = ClientConnection::new(common::xapi(domain), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

/// A connection to LDAPS on which a hello has been said.
async fn greeted(domain: &Domain) -> TcpStream {
    let mut stream = TcpStream::connect(dc(domain).ldaps()).await.unwrap();
    stream.write_all(&client_hello(domain)).await.unwrap();
    stream
}

/// Everything until the DC ends the connection.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

/// The next LDAP message.
async fn answer(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> LdapMessage {
    loop {
        if let Decoded::Message { message, consumed } =
            ldap_wire::decode(bytes, &Limits::DEFAULT).unwrap()
        {
            bytes.drain(..consumed);
            return message;
        }
        let size = timeout(PATIENCE, stream.read_buf(bytes)).await.unwrap().unwrap();
        assert_ne!(size, 0, "the end instead of an answer");
    }
}

fn start_tls(id: u32) -> Vec<u8> {
    let request = ExtendedRequest { name: START_TLS.to_owned(), value: None };
    LdapMessage::new(id, ProtocolOp::ExtendedRequest(request)).encode()
}

fn search(id: u32) -> Vec<u8> {
    LdapMessage::new(id, ProtocolOp::SearchRequest(SearchRequest::default())).encode()
}

fn family() -> impl Iterator<Item = &'static str> {
    let ids = fake_dc::faults::catalogue().into_iter().map(|fault| fault.id);
    ids.filter(|id| id.starts_with("handshake."))
}

/// A fault of the family without a client that sees it, or without a drawing, fails this.
#[test]
fn every_fault_of_the_family_is_observed() {
    let tests = [include_str!("sights.rs"), include_str!("raw.rs"), include_str!("connections.rs")]
        .concat();
    for fault in fake_dc::faults::catalogue() {
        if !fault.id.starts_with("handshake.") {
            continue;
        }
        let quoted = [format!("\"{}\"", fault.id), format!("\"{}:", fault.id)];
        assert!(quoted.iter().any(|id| tests.contains(id)), "{} is not observed", fault.id);
        for text in [fault.summary, fault.cause, fault.drawing] {
            assert!(!text.is_empty(), "{} is not explained", fault.id);
        }
        assert!(fault.drawing.lines().all(|line| line.chars().count() < 100), "{}", fault.id);
    }
}
