//! DNS over UDP and TCP, compared with the captures of a Samba AD DC.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::net::SocketAddr;

use common::{ask, bytes, fixture};
use fake_dc::{Dc, Domain};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A message as lines: the header, then one line per record.
fn lines(message: &Message) -> Vec<String> {
    let flags = message.metadata.flags();
    let mut lines = vec![format!("{} {flags}", message.response_code)];
    for (section, records) in [
        ("answer", &message.answers),
        ("authority", &message.authorities),
        ("additional", &message.additionals),
    ] {
        lines.extend(records.iter().map(|record: &Record| {
            let (name, ttl, kind) = (&record.name, record.ttl, record.record_type());
            format!("{section} {name} {ttl} {kind} {}", record.data)
        }));
    }
    lines
}

/// Ours, with the values put in that must differ: the ports and the address.
fn as_captured(lines: Vec<String>, dc: &Dc) -> Vec<String> {
    let ours = |port: u16| format!(" {port} ");
    let (ldap, gc) = (ours(dc.ldap().port()), ours(dc.gc().port()));
    let captured = |line: String| line.replace(&ldap, " 389 ").replace(&gc, " 3268 ");
    let at = dc.ip().to_string();
    lines.into_iter().map(|line| captured(line).replace(&at, "192.0.2.10")).collect()
}

async fn ask_stream(server: SocketAddr, question: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let size = u16::try_from(question.len()).unwrap();
    stream.write_all(&[&size.to_be_bytes(), question].concat()).await.unwrap();
    let mut answer = vec![0; usize::from(stream.read_u16().await.unwrap())];
    stream.read_exact(&mut answer).await.unwrap();
    answer
}

fn question(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

#[tokio::test]
async fn captured_questions_get_the_captured_answers() {
    let domain = Domain::builder("lab.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let cases: Value = serde_json::from_str(&fixture("wire/dns.json")).unwrap();
    let cases = cases["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let request = bytes(case["request"].as_str().unwrap());
        let captured = Message::from_vec(&bytes(case["response"].as_str().unwrap())).unwrap();
        for answer in [ask(dc.dns(), &request).await, ask_stream(dc.dns(), &request).await] {
            let answer = Message::from_vec(&answer).unwrap();
            assert_eq!(answer.id, captured.id);
            assert_eq!(answer.queries, captured.queries);
            assert_eq!(as_captured(lines(&answer), dc), lines(&captured), "{}", case["name"]);
        }
    }
}

#[tokio::test]
async fn srv_answers_list_the_dcs_in_order_with_their_real_ports() {
    let domain = Domain::builder("corp.example").dcs(3).start().await.unwrap();
    for server in domain.name_servers() {
        let question = question("_ldap._tcp.dc._msdcs.CORP.example.", RecordType::SRV);
        let answer = Message::from_vec(&ask(server, &question).await).unwrap();
        let listed: Vec<(String, u16)> = answer
            .answers
            .iter()
            .map(|record| match &record.data {
                RData::SRV(srv) => (srv.target.to_string(), srv.port),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected: Vec<(String, u16)> =
            domain.dcs().map(|dc| (format!("{}.", dc.dns_name()), dc.ldap().port())).collect();
        assert_eq!(listed, expected);
    }
}

#[tokio::test]
async fn an_answer_too_long_for_a_datagram_is_cut_and_comes_over_tcp() {
    let domain = Domain::builder("corp.example").dcs(40).start().await.unwrap();
    let server = domain.name_servers()[0];
    let question = question("_ldap._tcp.corp.example.", RecordType::SRV);
    let cut = Message::from_vec(&ask(server, &question).await).unwrap();
    assert!(cut.truncation && cut.answers.is_empty());
    let whole = Message::from_vec(&ask_stream(server, &question).await).unwrap();
    assert_eq!(whole.answers.len(), 40);
}

#[tokio::test]
async fn names_between_records_exist_and_others_do_not() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let server = domain.name_servers()[0];
    for (name, code, authoritative) in [
        ("_tcp.corp.example.", ResponseCode::NoError, true),
        ("_msdcs.corp.example.", ResponseCode::NoError, true),
        ("_udp2.corp.example.", ResponseCode::NXDomain, true),
        ("dc1.other.example.", ResponseCode::NXDomain, false),
    ] {
        let answer = Message::from_vec(&ask(server, &question(name, RecordType::A)).await).unwrap();
        assert_eq!((answer.response_code, answer.authoritative), (code, authoritative), "{name}");
    }
}
