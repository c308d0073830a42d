//! Every fault of the server, observed from outside by clients that know nothing of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::{io, sync::Arc, time::Duration};

use common::{ADMINISTRATOR, PASSWORD, PATIENCE, Way, ask, ldap, tls, tls_error, trusting};
use fake_dc::{Dc, Domain};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{RData, RecordType},
};
use ldap_wire::{Filter, LdapMessage, ProtocolOp, SearchRequest};
use ldap3::Scope;
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
    let event = common::event(domain, "dc1", "cldap.ping").await;
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

mod messages {
    use super::*;

    #[tokio::test]
    async fn stronger_auth_required() {
        let domain = domain("ldap.stronger-auth-required").await;
        assert_eq!(bind(&domain, Way::Plain).await.rc, 8);
        assert_eq!(bind(&domain, Way::StartTls).await.rc, 0);
        assert_eq!(bind(&domain, Way::Ldaps).await.rc, 0);
    }

    #[tokio::test]
    async fn invalid_credentials() {
        let domain = domain("ldap.invalid-credentials").await;
        assert_eq!(dc(&domain).faults()[0].id(), "ldap.invalid-credentials-52e");
        for data in ["525", "52e", "52f", "530", "531", "532", "533", "701", "773", "775"] {
            domain.set_faults("dc1", [format!("ldap.invalid-credentials-{data}")]).unwrap();
            let result = bind(&domain, Way::Ldaps).await;
            assert_eq!(result.rc, 49);
            assert!(result.text.contains(&format!("data {data},")), "{}", result.text);
        }
    }

    #[tokio::test]
    async fn busy_and_unavailable() {
        for (fault, code) in [("ldap.busy", 51), ("ldap.unavailable", 52)] {
            let domain = domain(fault).await;
            assert_eq!(bind(&domain, Way::Ldaps).await.rc, code);
            let mut ldap = ldap(dc(&domain), Way::Plain, trusting(&domain)).await.unwrap();
            let found = ldap.search("", Scope::Base, "(objectClass=*)", ["*"]).await.unwrap();
            assert_eq!(found.1.rc, code);
        }
    }

    #[tokio::test]
    async fn close_after_bind() {
        let domain = domain("ldap.close-after-bind").await;
        let mut ldap = ldap(dc(&domain), Way::Ldaps, trusting(&domain)).await.unwrap();
        assert_eq!(ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().rc, 0);
        let search = ldap.search("", Scope::Base, "(objectClass=*)", ["*"]);
        assert!(timeout(PATIENCE, search).await.unwrap().is_err());
    }

    #[tokio::test]
    async fn empty_search_result() {
        let domain = domain("ldap.empty-search-result").await;
        let mut ldap = ldap(dc(&domain), Way::Ldaps, trusting(&domain)).await.unwrap();
        ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().success().unwrap();
        let base = "DC=corp,DC=example";
        let search = ldap.search(base, Scope::Subtree, "(sAMAccountName=krbtgt)", ["*"]);
        let (entries, _) = search.await.unwrap().success().unwrap();
        assert!(entries.is_empty());
        let root = ldap.search("", Scope::Base, "(objectClass=*)", ["*"]).await.unwrap();
        assert_eq!(root.success().unwrap().0.len(), 1);
    }
}

mod name {
    use super::*;

    /// True if the answer to a ping has this label, in the form of DNS names.
    async fn ping_says(domain: &Domain, label: &str) -> bool {
        let wanted = [&[u8::try_from(label.len()).unwrap()], label.as_bytes()].concat();
        let answer = ask(dc(domain).cldap(), &ping()).await;
        answer.windows(wanted.len()).any(|window| window == wanted)
    }

    #[tokio::test]
    async fn cldap_name_differs() {
        let domain = domain("name.cldap-name-differs").await;
        assert!(ping_says(&domain, "dc1-old").await);
        domain.clear_faults("dc1").unwrap();
        assert!(!ping_says(&domain, "dc1-old").await);
    }

    #[tokio::test]
    async fn cldap_name_netbios() {
        let domain = domain("name.cldap-name-netbios").await;
        assert!(!ping_says(&domain, "dc1").await);
        let event = common::event(&domain, "dc1", "cldap.ping").await;
        assert_eq!(event.fields()["answered"], "DC1");
    }
}

mod discovery {
    use super::*;

    const SRV: &str = "_ldap._tcp.corp.example.";

    #[tokio::test]
    async fn srv_empty() {
        let domain = domain("discovery.srv-empty").await;
        let answer = dns(&domain, SRV, RecordType::SRV).await;
        assert_eq!((answer.response_code, answer.answers.len()), (ResponseCode::NoError, 0));
        let answer = dns(&domain, "dc1.corp.example.", RecordType::A).await;
        assert_eq!(answer.answers.len(), 1);
    }

    #[tokio::test]
    async fn srv_dead_host() {
        let domain = Domain::builder("corp.example")
            .dcs(2)
            .fault("dc2", "discovery.srv-dead-host")
            .start()
            .await
            .unwrap();
        // The zone is the domain's: the other DC's server shows it too.
        let answer = dns(&domain, SRV, RecordType::SRV).await;
        let targets: Vec<String> = answer
            .answers
            .iter()
            .map(|record| match &record.data {
                RData::SRV(srv) => srv.target.to_string(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(targets, ["dc1.corp.example.", "gone-dc2.corp.example."]);
        let answer = dns(&domain, "gone-dc2.corp.example.", RecordType::A).await;
        let RData::A(address) = &answer.answers[0].data else { panic!("{answer:?}") };
        let dead = (address.0, domain.dc("dc2").unwrap().ldap().port()).into();
        assert_eq!(connect(dead).await.unwrap_err().kind(), REFUSED);
        domain.clear_faults("dc2").unwrap();
        let answer = dns(&domain, "gone-dc2.corp.example.", RecordType::A).await;
        assert_eq!(answer.response_code, ResponseCode::NXDomain);
    }

    #[tokio::test]
    async fn nxdomain_and_servfail() {
        for (fault, code) in [
            ("discovery.nxdomain", ResponseCode::NXDomain),
            ("discovery.servfail", ResponseCode::ServFail),
        ] {
            let domain = domain(fault).await;
            assert_eq!(dns(&domain, SRV, RecordType::SRV).await.response_code, code);
        }
    }

    #[tokio::test]
    async fn dns_timeout() {
        let domain = domain("discovery.dns-timeout").await;
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let question = question(SRV, RecordType::SRV);
        socket.send_to(&question, dc(&domain).dns()).await.unwrap();
        let event = common::event(&domain, "dc1", "dns.query").await;
        assert_eq!(event.fields()["code"], "none");
        assert!(socket.try_recv(&mut [0; 512]).is_err());
    }

    #[tokio::test]
    async fn cldap_silent() {
        let domain = domain("discovery.cldap-silent").await;
        assert!(is_silent(&domain).await);
        assert_eq!(bind(&domain, Way::Plain).await.rc, 0);
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
        let event = common::event(&domain, "dc1", "cldap.ping").await;
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
    let tests: String = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for fault in fake_dc::faults::catalogue() {
        let family = fault.id.split('.').next().unwrap();
        if ["handshake", "net"].contains(&family) {
            assert!(tests.contains(fault.id), "{}", fault.id);
        }
        assert!(!fault.summary.is_empty() && !fault.cause.is_empty(), "{}", fault.id);
    }
}
