//! Every fault of the server, observed from outside by clients that know nothing of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{io, sync::Arc, time::Duration};

use crate::common::{ADMINISTRATOR, PASSWORD, PATIENCE, Way, ask, ldap, tls, tls_error, trusting};
use fake_dc::{Dc, Domain};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::RecordType,
};
use ldap_wire::{Filter, LdapMessage, ProtocolOp, SearchRequest};
use tokio::{
    net::{TcpStream, UdpSocket},
    time::timeout,
};

/// A domain of one DC with that fault.
async fn domain(fault: &str) -> Domain {
    Domain::builder("corp.example").fault("dc1", fault).start().await.unwrap()
}

fn dc(domain: &Domain) -> &Dc {
    domain.dc("dc1").unwrap()
}

/// How a handshake on LDAPS fails for the client `config`.
async fn failure(domain: &Domain, config: Arc<rustls::ClientConfig>) -> io::Error {
    tls(dc(domain).ldaps(), dc(domain).dns_name(), config).await.unwrap_err()
}

async fn dns(domain: &Domain, name: &str, kind: RecordType) -> Message {
    Message::from_vec(&ask(dc(domain).dns(), &question(name, kind)).await).unwrap()
}

fn question(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(name.parse().unwrap(), kind));
    message.to_vec().unwrap()
}

fn ping() -> Vec<u8> {
    let ntver = Filter::equality("NtVer", [6, 0, 0, 0]);
    let search = SearchRequest {
        filter: Filter::And(vec![ntver]),
        attributes: vec!["NetLogon".to_owned()],
        ..SearchRequest::default()
    };
    LdapMessage::new(1, ProtocolOp::SearchRequest(search)).encode()
}

/// The result of a simple bind.
async fn bind(domain: &Domain, way: Way) -> ldap3::LdapResult {
    let mut ldap = ldap(dc(domain), way, trusting(domain)).await.unwrap();
    ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap()
}

const REFUSED: io::ErrorKind = io::ErrorKind::ConnectionRefused;

async fn connect(address: std::net::SocketAddr) -> io::Result<TcpStream> {
    let brief = Duration::from_millis(300);
    timeout(brief, TcpStream::connect(address)).await.unwrap_or_else(|late| Err(late.into()))
}

/// True if a ping gets no answer, as the DC's own ledger confirms.
async fn is_silent(domain: &Domain) -> bool {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&ping(), dc(domain).cldap()).await.unwrap();
    let event = crate::common::event(domain, "dc1", "cldap.ping").await;
    assert!(event.fields()["answered"].is_null());
    socket.try_recv(&mut [0; 512]).is_err()
}

mod net {
    use super::*;

    #[tokio::test]
    async fn refuse() {
        let domain = domain("net.refuse").await;
        assert_eq!(connect(dc(&domain).ldap()).await.unwrap_err().kind(), REFUSED);
        assert_eq!(connect(dc(&domain).ldaps()).await.unwrap_err().kind(), REFUSED);
        let pinger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        pinger.connect(dc(&domain).cldap()).await.unwrap();
        pinger.send(&ping()).await.unwrap();
        assert_eq!(pinger.recv(&mut [0; 512]).await.unwrap_err().kind(), REFUSED);
        let answer = dns(&domain, "dc1.corp.example.", RecordType::A).await;
        assert_eq!(answer.response_code, ResponseCode::NoError);
        domain.clear_faults("dc1").unwrap();
        ldap(dc(&domain), Way::Ldaps, trusting(&domain)).await.unwrap();
        assert!(!ask(dc(&domain).cldap(), &ping()).await.is_empty());
    }

    #[tokio::test]
    async fn black_hole() {
        let domain = domain("net.black-hole").await;
        for address in [dc(&domain).ldap(), dc(&domain).ldaps()] {
            let error = connect(address).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        assert!(is_silent(&domain).await);
        // A SYN that was swallowed is sent again and gets through once the hole is gone.
        let waiting = tokio::spawn(TcpStream::connect(dc(&domain).ldap()));
        tokio::task::yield_now().await;
        domain.clear_faults("dc1").unwrap();
        timeout(PATIENCE, waiting).await.unwrap().unwrap().unwrap();
    }

    #[tokio::test]
    async fn only_636_filtered() {
        let domain = domain("net.only-636-filtered").await;
        let error = connect(dc(&domain).ldaps()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(bind(&domain, Way::StartTls).await.rc, 0);
        assert!(!ask(dc(&domain).cldap(), &ping()).await.is_empty());
    }

    #[tokio::test]
    async fn only_389_filtered() {
        let domain = domain("net.only-389-filtered").await;
        let error = connect(dc(&domain).ldap()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(is_silent(&domain).await);
        assert_eq!(bind(&domain, Way::Ldaps).await.rc, 0);
    }
}

mod together {
    use super::*;

    #[tokio::test]
    async fn faults_compose_and_clearing_them_brings_the_dc_back() {
        let domain = Domain::builder("corp.example").dcs(2).start().await.unwrap();
        domain
            .set_faults("dc1", ["time.leaf-expired", "name.cldap-name-differs", "ldap.busy"])
            .unwrap();
        let error = failure(&domain, trusting(&domain)).await;
        let rustls::Error::InvalidCertificate(error) = tls_error(&error) else { panic!("{error}") };
        assert!(matches!(error, rustls::CertificateError::ExpiredContext { .. }), "{error:?}");
        assert_eq!(bind(&domain, Way::Plain).await.rc, 51);
        ask(dc(&domain).cldap(), &ping()).await;
        let event = crate::common::event(&domain, "dc1", "cldap.ping").await;
        assert_eq!(event.fields()["answered"], "dc1-old.corp.example");

        domain.clear_faults("dc1").unwrap();
        assert_eq!(bind(&domain, Way::Ldaps).await.rc, 0);
        let kinds = domain.ledger().events();
        assert_eq!(kinds.iter().filter(|event| event.kind() == "fault.cleared").count(), 3);
    }

    #[tokio::test]
    async fn a_fault_of_ldap_reaches_open_connections() {
        let domain = Domain::builder("corp.example").start().await.unwrap();
        let mut ldap = ldap(dc(&domain), Way::Ldaps, trusting(&domain)).await.unwrap();
        assert_eq!(ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().rc, 0);
        domain.set_faults("dc1", ["ldap.unavailable"]).unwrap();
        assert_eq!(ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().rc, 52);
    }

    #[tokio::test]
    async fn mistakes_change_nothing() {
        let domain =
            Domain::builder("corp.example").fault("dc1", "net.refuse").start().await.unwrap();
        let misspelt = domain.set_faults("dc1", ["ldap.bussy"]).unwrap_err();
        assert_eq!(misspelt.to_string(), "`ldap.bussy` is no fault; did you mean `ldap.busy`");
        let unknown = domain.set_faults("dc9", ["ldap.busy"]).unwrap_err();
        assert_eq!(unknown.to_string(), "no DC is called `dc9`; the domain has dc1");
        assert_eq!(dc(&domain).faults()[0].id(), "net.refuse");
    }
}

/// A fault without a test in this folder fails this one.
#[test]
fn every_fault_of_the_server_is_observed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let files = ["all", "handshake"]
        .into_iter()
        .flat_map(|part| std::fs::read_dir(folder.join(part)).unwrap());
    let tests: String = files
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for fault in fake_dc::faults::catalogue() {
        let family = fault.id.split('.').next().unwrap();
        if ["handshake", "net"].contains(&family) {
            assert!(tests.contains(fault.id), "{}", fault.id);
        }
        if ["discovery", "kerberos", "ldap", "net"].contains(&family) {
            assert!(!fault.drawing.is_empty(), "{}", fault.id);
        }
        assert!(!fault.summary.is_empty() && !fault.cause.is_empty(), "{}", fault.id);
    }
}
