//! DNS over UDP and TCP, compared with the captures of a Samba AD DC.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::net::SocketAddr;

use crate::common::{ask, bytes, fixture};
use fake_dc::{Dc, DcSpec, Domain};
use fake_dc_directory::{DcView, Flavour};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
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
    let ports = [(dc.ldap(), " 389 "), (dc.gc(), " 3268 "), (dc.kpasswd(), " 464 ")];
    let captured = |line: String| {
        let replaced = |line: String, (address, theirs): &(SocketAddr, &str)| {
            line.replace(&ours(address.port()), theirs)
        };
        ports.iter().fold(line, replaced)
    };
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

/// Questions of which Samba's answer is not ours, and why.
const NOT_COMPARED: [&str; 4] = [
    // Bits that only an answer has come back in Samba's.
    "rcode in query",
    "tc in query",
    // A bit that no code has had since 1983 comes back too; the message type here has none.
    "z",
    // More than 255 bytes: Samba tells of a failure of its own where RFC 1035 has a format error.
    "name too long",
];

/// Every record of a DC, and questions of every other form: types, classes, operations, bits,
/// EDNS, letter case, names that are not there, and bytes that are no question.
#[tokio::test]
async fn every_form_of_question_gets_the_observed_answer() {
    let domain = Domain::builder("lab.example").flavour(Flavour::Samba4_22).start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let file: Value = serde_json::from_str(&fixture("wire/dns-forms.json")).unwrap();
    let view = DcView::new("dc1", "lab.example");
    let settings = domain.directory().settings_guid(&view).unwrap();
    let guids = [("domain_guid", domain.directory().domain_guid()), ("settings_guid", settings)];
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() > 150);
    let mut different = Vec::new();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        if NOT_COMPARED.contains(&name) {
            continue;
        }
        let mut request = bytes(case["request"].as_str().unwrap());
        let mut captured = case["response"].as_str().map(bytes);
        for (key, ours) in &guids {
            let theirs = file[key].as_str().unwrap().as_bytes();
            for bytes in [Some(&mut request), captured.as_mut()].into_iter().flatten() {
                if let Some(at) = bytes.windows(36).position(|part| part == theirs) {
                    bytes[at..at + 36].copy_from_slice(ours.to_string().as_bytes());
                }
            }
        }
        let answer = match captured {
            Some(_) => Some(ask(dc.dns(), &request).await),
            None => answer_before_the_next(dc.dns(), &request).await,
        };
        let read = |bytes: Option<Vec<u8>>| match bytes.as_deref().map(Message::from_vec) {
            None => vec!["silence".to_owned()],
            Some(Ok(message)) => {
                let questions = message.queries.iter().map(|query| format!("asked {query}"));
                questions.chain(as_captured(lines(&message), dc)).collect()
            }
            Some(Err(_)) => vec![format!("{:x?}", bytes.unwrap_or_default())],
        };
        let (answer, captured) = (read(answer), read(captured));
        if answer != captured {
            different.push((name, answer, captured));
        }
    }
    assert!(different.is_empty(), "{} differ: {different:#?}", different.len());
}

/// The answer to `request`; none if a question after it is answered first.
async fn answer_before_the_next(server: SocketAddr, request: &[u8]) -> Option<Vec<u8>> {
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    client.send_to(request, server).await.unwrap();
    let next = question("dc1.lab.example.", RecordType::A);
    client.send_to(&next, server).await.unwrap();
    let mut answer = vec![0; 4_096];
    let length = client.recv(&mut answer).await.unwrap();
    answer.truncate(length);
    (answer[..2] != next[..2]).then_some(answer)
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
async fn samba_sends_whatever_is_too_long() {
    let builder = Domain::builder("corp.example").flavour(Flavour::Samba4_22).dcs(40);
    let domain = builder.start().await.unwrap();
    let question = question("_ldap._tcp.corp.example.", RecordType::SRV);
    let answer = Message::from_vec(&ask(domain.name_servers()[0], &question).await).unwrap();
    assert!(!answer.truncation && answer.answers.len() == 40);
}

#[tokio::test]
async fn a_name_leads_to_an_address_and_back_and_other_names_do_not_exist() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let server = domain.name_servers()[0];
    for (name, kind, code, authoritative, answers) in [
        ("dc1.corp.example.", RecordType::A, ResponseCode::NoError, true, 1),
        ("dc1.corp.example.", RecordType::AAAA, ResponseCode::NoError, true, 0),
        ("_msdcs.corp.example.", RecordType::A, ResponseCode::NoError, true, 0),
        // As Samba has it, a name that only others end in does not exist.
        ("_tcp.corp.example.", RecordType::A, ResponseCode::NXDomain, true, 0),
        ("10.0.0.127.in-addr.arpa.", RecordType::PTR, ResponseCode::NoError, true, 1),
        ("11.0.0.127.in-addr.arpa.", RecordType::PTR, ResponseCode::NXDomain, true, 0),
        ("0.0.127.in-addr.arpa.", RecordType::SOA, ResponseCode::NoError, true, 1),
        ("10.1.0.127.in-addr.arpa.", RecordType::PTR, ResponseCode::NXDomain, false, 0),
        ("dc1.other.example.", RecordType::A, ResponseCode::NXDomain, false, 0),
    ] {
        let answer = Message::from_vec(&ask(server, &question(name, kind)).await).unwrap();
        let got = (answer.response_code, answer.authoritative, answer.answers.len());
        assert_eq!(got, (code, authoritative, answers), "{name} {kind}");
    }
}

#[tokio::test]
async fn sites_have_their_own_dcs_and_the_first_site_covers_the_empty_ones() {
    const BRANCHES: &str = "dn: CN=Closed,CN=Sites,CN=Configuration,DC=corp,DC=example\n\
        objectClass: site\n";
    let start = |flavour| async move {
        let builder = Domain::builder("corp.example").flavour(flavour).ldif("sites", BRANCHES);
        let builder = builder.site("Hub").dc(DcSpec::new("dc1")).dc(DcSpec::new("dc2"));
        builder.dc(DcSpec::new("dc3").site("Branch")).start().await.unwrap()
    };
    let domains = [start(Flavour::WindowsServer2022).await, start(Flavour::Samba4_22).await];
    for (site, expected) in [
        ("", [&["dc1", "dc2", "dc3"][..], &["dc1", "dc2", "dc3"]]),
        (".Hub._sites", [&["dc1", "dc2"], &["dc1", "dc2"]]),
        (".branch._sites", [&["dc3"], &["dc3"]]),
        (".Closed._sites", [&["dc1", "dc2"], &[]]),
        (".Elsewhere._sites", [&[], &[]]),
    ] {
        for (domain, expected) in domains.iter().zip(expected) {
            for service in ["_ldap._tcp", "_kerberos._tcp"] {
                let name = format!("{service}{site}.dc._msdcs.corp.example.");
                let question = question(&name, RecordType::SRV);
                let answer = ask(domain.name_servers()[0], &question).await;
                let answer = Message::from_vec(&answer).unwrap();
                let target = |record: &Record| match &record.data {
                    RData::SRV(srv) => srv.target.iter().next().unwrap().to_vec(),
                    other => panic!("{other:?}"),
                };
                let found: Vec<Vec<u8>> = answer.answers.iter().map(target).collect();
                assert_eq!(
                    found,
                    expected.iter().map(|dc| dc.as_bytes()).collect::<Vec<_>>(),
                    "{name}"
                );
            }
        }
    }
}

/// A child's catalogues, settings and GUID are looked for below the forest's name ([MS-ADTS] 6.3.2.3).
#[tokio::test]
async fn a_child_registers_below_the_forest_what_is_the_forests() {
    let builder = Domain::builder("emea.corp.example").forest_root("corp.example");
    let domain = builder.start().await.unwrap();
    let server = domain.name_servers()[0];
    let guid = domain.directory().domain_guid();
    for (name, kind, exists, authoritative) in [
        ("_ldap._tcp.dc._msdcs.emea.corp.example.", RecordType::SRV, true, true),
        ("_ldap._tcp.pdc._msdcs.emea.corp.example.", RecordType::SRV, true, true),
        ("_ldap._tcp.gc._msdcs.corp.example.", RecordType::SRV, true, true),
        (&format!("_ldap._tcp.{guid}.domains._msdcs.corp.example."), RecordType::SRV, true, true),
        ("gc._msdcs.corp.example.", RecordType::A, true, true),
        ("_msdcs.corp.example.", RecordType::NS, true, true),
        // As a forwarder to the root's servers knows it.
        ("_gc._tcp.corp.example.", RecordType::SRV, true, false),
        ("_gc._tcp.emea.corp.example.", RecordType::SRV, false, true),
        ("gc._msdcs.emea.corp.example.", RecordType::A, false, true),
        ("_kerberos._tcp.dc._msdcs.corp.example.", RecordType::SRV, false, true),
    ] {
        let answer = Message::from_vec(&ask(server, &question(name, kind)).await).unwrap();
        assert_eq!(!answer.answers.is_empty(), exists, "{name}");
        assert_eq!(answer.metadata.authoritative, authoritative, "{name}");
    }
    domain.stop().await;
}
