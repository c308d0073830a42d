use std::net::{Ipv4Addr, Ipv6Addr};

use ground::{Actor, Ledger, Timestamp, VirtualClock};
use hickory_proto::rr::{Record, rdata};
use proptest::prelude::*;
use tokio::net::{TcpListener, UdpSocket};

use super::*;

fn trail() -> Trail {
    let clock = VirtualClock::starting_at(Timestamp::from_unix(0)).clock();
    Ledger::new(clock).trail(Actor::Host("host1".into()))
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn srv(priority: u16, weight: u16, target: &str) -> RData {
    RData::SRV(rdata::SRV::new(priority, weight, 88, name(target)))
}

/// Answers `query` from a zone of three DCs.
fn zone(query: &Message) -> Message {
    let question = &query.queries[0];
    let mut answer = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
    answer.add_query(question.clone());
    let data = match (question.query_type(), question.name().to_ascii().as_str()) {
        (RecordType::SRV, "_kerberos._tcp.dc._msdcs.lab.example.") => vec![
            srv(10, 5, "dc3.lab.example."),
            srv(0, 10, "dc2.lab.example."),
            srv(0, 100, "dc1.lab.example."),
        ],
        (RecordType::A, "dc1.lab.example.") => vec![RData::A(rdata::A::new(127, 0, 1, 11))],
        (RecordType::AAAA, "dc1.lab.example.") => {
            vec![RData::AAAA(rdata::AAAA(Ipv6Addr::LOCALHOST))]
        }
        (RecordType::A, "dc2.lab.example.") => {
            vec![RData::A(rdata::A::new(127, 0, 1, 12)), RData::A(rdata::A::new(127, 0, 1, 11))]
        }
        (RecordType::A, "dc3.lab.example.") => vec![RData::A(rdata::A::new(127, 0, 1, 13))],
        (RecordType::AAAA, _) => vec![],
        _ => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            vec![]
        }
    };
    for data in data {
        answer.add_answer(Record::from_rdata(question.name().clone(), 900, data));
    }
    answer
}

async fn serve_udp(socket: UdpSocket, answer: impl Fn(&Message) -> Vec<Vec<u8>>) {
    let mut buffer = vec![0; MESSAGE_MAX];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
        let query = Message::from_vec(&buffer[..length]).unwrap();
        assert_eq!(query.edns.as_ref().map(Edns::max_payload), Some(UDP_PAYLOAD));
        for datagram in answer(&query) {
            socket.send_to(&datagram, peer).await.unwrap();
        }
    }
}

async fn name_server(answer: impl Fn(&Message) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(serve_udp(socket, answer));
    address
}

async fn kdcs(servers: Vec<SocketAddr>, trail: &Trail) -> Vec<String> {
    found_by(|resolver| resolver, servers, trail).await
}

async fn kdcs_by_libc(servers: Vec<SocketAddr>, trail: &Trail) -> Vec<String> {
    found_by(|resolver| resolver.of_libc(), servers, trail).await
}

async fn found_by(
    whose: fn(Resolver<'_>) -> Resolver<'_>,
    servers: Vec<SocketAddr>,
    trail: &Trail,
) -> Vec<String> {
    let network = Network { nameservers: servers, ..Network::default() };
    let next_id = AtomicU16::new(u16::MAX);
    let resolver = whose(Resolver::new(&network, &next_id, trail));
    let found = resolver.service("_kerberos._tcp.dc._msdcs.lab.example").await;
    found.iter().map(|service| service.ip().to_string()).collect()
}

const ORDERED: [&str; 4] = ["127.0.1.11", "::1", "127.0.1.12", "127.0.1.13"];

#[tokio::test]
async fn services_come_by_priority_and_weight_each_address_once() {
    let server = name_server(|query| vec![zone(query).to_vec().unwrap()]).await;
    let trail = trail();
    assert_eq!(kdcs(vec![server], &trail).await, ORDERED);
    let events = trail.ledger().events();
    let answered = events[1].fact::<DnsAnswered>().unwrap();
    assert_eq!(answered.name, "_kerberos._tcp.dc._msdcs.lab.example");
    assert_eq!(answered.answers[0], "10 5 dc3.lab.example");
    assert_eq!(events[1].cause, Some(events[0].id));
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_again_over_tcp() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let socket = UdpSocket::bind(address).await.unwrap();
    tokio::spawn(serve_udp(socket, |query| {
        let mut answer = zone(query);
        answer.metadata.truncation = true;
        answer.answers.clear();
        vec![answer.to_vec().unwrap()]
    }));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut query = vec![0; usize::from(stream.read_u16().await.unwrap())];
            stream.read_exact(&mut query).await.unwrap();
            let answer = zone(&Message::from_vec(&query).unwrap()).to_vec().unwrap();
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await.unwrap();
            stream.write_all(&answer).await.unwrap();
        }
    });
    assert_eq!(kdcs(vec![address], &trail()).await, ORDERED);
}

#[tokio::test]
async fn the_next_server_is_asked_when_one_is_dead_and_by_libc_when_it_refuses() {
    let dead = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    let refusing = name_server(|query| {
        let mut answer = zone(query);
        answer.metadata.response_code = ResponseCode::Refused;
        vec![answer.to_vec().unwrap()]
    })
    .await;
    let good = name_server(|query| vec![zone(query).to_vec().unwrap()]).await;
    let trail = trail();
    assert_eq!(kdcs(vec![dead, good], &self::trail()).await, ORDERED);
    assert!(kdcs(vec![dead, refusing, good], &self::trail()).await.is_empty());
    assert_eq!(kdcs_by_libc(vec![dead, refusing, good], &trail).await, ORDERED);
    let outcomes: Vec<_> = trail
        .ledger()
        .events()
        .iter()
        .filter_map(|event| event.fact::<DnsAnswered>().map(|fact| fact.outcome.clone()))
        .take(3)
        .collect();
    assert_eq!(outcomes[0], "refused");
    assert_eq!(outcomes[2], "answered");
}

#[tokio::test]
async fn garbage_and_foreign_answers_lead_to_the_next_server_or_are_passed_over() {
    let server = name_server(|query| {
        let mut foreign = zone(query);
        foreign.metadata.id ^= 1;
        let mut other = zone(query);
        other.queries[0].set_name(name("evil.example."));
        let right = zone(query).to_vec().unwrap();
        vec![b"garbage".to_vec(), foreign.to_vec().unwrap(), other.to_vec().unwrap(), right]
    })
    .await;
    let good = name_server(|query| vec![zone(query).to_vec().unwrap()]).await;
    assert_eq!(kdcs(vec![server, good], &trail()).await, ORDERED);
    assert_eq!(kdcs_by_libc(vec![server], &trail()).await, ORDERED);
}

#[tokio::test]
async fn an_unknown_name_has_no_addresses() {
    let server = name_server(|query| vec![zone(query).to_vec().unwrap()]).await;
    let network = Network { nameservers: vec![server], ..Network::default() };
    let (next_id, trail) = (AtomicU16::new(0), trail());
    let resolver = Resolver::new(&network, &next_id, &trail);
    assert!(resolver.service("_ldap._tcp.dc._msdcs.other.example").await.is_empty());
    assert!(resolver.service("not a name..").await.is_empty());
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..40_usize, byte: u8,
    ) {
        let mut query = Message::new(7, MessageType::Query, OpCode::Query);
        let asked = Query::query(name("_kerberos._tcp.dc._msdcs.lab.example."), RecordType::SRV);
        query.add_query(asked);
        let _ = decoded(&bytes, &query);
        let mut answer = zone(&query).to_vec().unwrap();
        answer[at] = byte;
        let _ = decoded(&answer, &query);
    }
}
