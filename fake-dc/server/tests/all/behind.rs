//! A front before a DC that is one of ours itself: what passes, what is changed on the way, and
//! what faults of the front do. `harness/host/tests/behind` has a Samba AD DC behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::HashSet,
    fs,
    net::{IpAddr, Ipv4Addr},
    process::Command,
};

use crate::common::{PASSWORD, PATIENCE, Way, ask, event, ldap, tls, trusting};
use crate::served::Served;
use fake_dc::{Dc, DcSpec, Domain, Error, Ports, RealDc, RealDcError, Trust, facts::Listener};
use fake_dc_directory::DcView;
use fake_dc_pki::{Chain, PemFile};
use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RData, RecordType},
};
use ldap_wire::{Filter, LdapMessage, ProtocolOp, SearchRequest};
use ldap3::Scope;
use rustix::process::getuid;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const ADMINISTRATOR: &str = "Administrator@lab.example";

/// A DC, and its front.
struct Pair {
    real: Domain,
    front: Domain,
}

impl Pair {
    async fn start() -> Self {
        Self::passing(&[]).await
    }

    async fn passing(ports: &[u16]) -> Self {
        let real = Domain::builder("lab.example").seed(ground::Seed::new(7)).start().await.unwrap();
        let trust = Trust::in_pem(real.ca_pem().as_bytes()).unwrap();
        let found = find(&real, ports, trust).await;
        let front = Domain::builder("no.name").index(1).behind(found).start().await.unwrap();
        Self { real, front }
    }

    fn dc(&self) -> &Dc {
        self.front.dc("dc1").unwrap()
    }

    async fn stop(self) {
        self.front.stop().await;
        self.real.stop().await;
    }
}

async fn find(real: &Domain, passed: &[u16], trust: Trust) -> RealDc {
    let dc = real.dc("dc1").unwrap();
    let ports = Ports {
        dns: dc.dns().port(),
        kdc: dc.kdc().port(),
        kpasswd: dc.kpasswd().port(),
        ldap: dc.ldap().port(),
        ldaps: dc.ldaps().port(),
        gc: dc.gc().port(),
        gcs: dc.gcs().port(),
    };
    RealDc::find_at(dc.ip().into(), ports, passed, trust).await.unwrap()
}

#[tokio::test]
async fn the_front_has_the_name_of_the_real_dc_and_another_certificate() {
    let pair = Pair::start().await;
    let (dc, real) = (pair.dc(), pair.real.dc("dc1").unwrap());
    assert_eq!(pair.front.name(), "lab.example");
    assert_eq!(dc.dns_name(), real.dns_name());
    assert_ne!(dc.ip(), real.ip());
    assert_ne!(dc.chain().certificates, real.chain().certificates);
    assert_eq!(dc.channel_bindings_hold().await.unwrap(), Some(false));
    assert_eq!(real.channel_bindings_hold().await.unwrap(), None);

    // An administrator has given the real one the certificate of the front.
    pair.real.set_chain("dc1", dc.chain().as_ref().clone()).unwrap();
    assert_eq!(dc.channel_bindings_hold().await.unwrap(), Some(true));
    // It has the same again when faults have come and gone, and under those of the others.
    let sound = dc.chain();
    for (fault, same) in [("time.leaf-expired", false), ("chain.reversed", true)] {
        pair.front.set_faults("dc1", [fault]).unwrap();
        assert_eq!(dc.channel_bindings_hold().await.unwrap(), Some(same), "{fault}");
        pair.front.clear_faults("dc1").unwrap();
        assert_eq!((dc.chain(), dc.sound_chain().unwrap()), (sound.clone(), sound.clone()));
    }
    pair.front.set_faults("dc1", ["chain.missing-intermediate"]).unwrap();
    assert_eq!(dc.channel_bindings_hold().await.unwrap(), Some(true));
    pair.stop().await;
}

#[tokio::test]
async fn every_way_of_ldap_leads_to_the_directory_of_the_real_dc() {
    let pair = Pair::start().await;
    for (number, way) in Way::ALL.into_iter().enumerate() {
        let mut client = ldap(pair.dc(), way, trusting(&pair.front)).await.unwrap();
        client.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().success().unwrap();
        let dn = format!("CN=printer{number},CN=Users,DC=lab,DC=example");
        let class = ("objectClass", HashSet::from(["contact"]));
        // The global catalogue takes no changes.
        if !matches!(way, Way::Gc | Way::GcStartTls | Way::Gcs) {
            client.add(&dn, vec![class]).await.unwrap().success().unwrap();
        }
        let (found, _) = client
            .search("DC=lab,DC=example", Scope::Subtree, "(cn=printer*)", vec!["cn"])
            .await
            .unwrap()
            .success()
            .unwrap();
        let entries = found.into_iter().filter(|entry| !entry.is_ref()).count();
        assert_eq!(entries, (number + 1).min(3), "{way:?}");
        client.unbind().await.unwrap();
    }
    pair.front.quiet().await;
    assert_eq!(event(&pair.real, "dc1", "ldap.request").await.kind(), "ldap.request");
    assert_eq!(event(&pair.front, "dc1", "ldap.result").await.kind(), "ldap.result");
    pair.stop().await;
}

#[tokio::test]
async fn faults_of_the_chain_and_the_handshake_come_and_go_at_the_front() {
    let pair = Pair::start().await;
    let (dc, real) = (pair.dc(), pair.real.dc("dc1").unwrap());
    for fault in ["time.leaf-expired", "anchor.unknown-root", "handshake.reset-on-hello"] {
        pair.front.set_faults("dc1", [fault]).unwrap();
        for address in [dc.ldaps(), dc.gcs()] {
            tls(address, dc.dns_name(), trusting(&pair.front)).await.unwrap_err();
        }
        ldap(dc, Way::StartTls, trusting(&pair.front)).await.unwrap_err();
        tls(real.ldaps(), real.dns_name(), trusting(&pair.real)).await.unwrap();
    }
    pair.front.clear_faults("dc1").unwrap();
    tls(dc.ldaps(), dc.dns_name(), trusting(&pair.front)).await.unwrap();
    pair.stop().await;
}

#[tokio::test]
async fn starttls_is_what_both_say_of_it() {
    let pair = Pair::start().await;
    for fault in ["handshake.starttls-refused", "handshake.starttls-unanswered"] {
        let unanswered = fault.ends_with("unanswered");
        for domain in [&pair.real, &pair.front] {
            domain.set_faults("dc1", [fault]).unwrap();
            let connecting = ldap(pair.dc(), Way::StartTls, trusting(&pair.front));
            let brief = if unanswered { PATIENCE / 20 } else { PATIENCE };
            let connected = timeout(brief, connecting).await;
            assert!(connected.map_or(unanswered, |connected| connected.is_err()), "{fault}");
            domain.clear_faults("dc1").unwrap();
        }
    }
    ldap(pair.dc(), Way::StartTls, trusting(&pair.front)).await.unwrap();
    pair.stop().await;
}

#[tokio::test]
async fn faults_of_ldap_change_what_passes() {
    let pair = Pair::start().await;
    let search = async || {
        let mut client = ldap(pair.dc(), Way::Ldaps, trusting(&pair.front)).await.unwrap();
        let bound = client.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap();
        let base = "CN=krbtgt,CN=Users,DC=lab,DC=example";
        let attributes = vec!["objectSid", "cn"];
        let found = client.search(base, Scope::Base, "(cn=*)", attributes).await.unwrap();
        (bound.rc, found.1.rc, found.0)
    };
    let (bound, found, sound) = search().await;
    assert_eq!((bound, found, sound.len()), (0, 0, 1));
    pair.front.set_faults("dc1", ["ldap.busy"]).unwrap();
    assert_eq!(search().await.0, 51);
    pair.front.set_faults("dc1", ["ldap.duplicate-entry"]).unwrap();
    assert_eq!(search().await.2.len(), 2);
    pair.front.set_faults("dc1", ["handshake.tls13-only"]).unwrap();
    let (.., unchanged) = search().await;
    assert_eq!(unchanged[0].0, sound[0].0);
    pair.stop().await;
}

fn ping() -> Vec<u8> {
    let version = Filter::Equality { attribute: "NtVer".into(), value: vec![6, 0, 0, 0] };
    let search = SearchRequest {
        filter: Filter::And(vec![version]),
        attributes: vec!["NetLogon".into()],
        ..SearchRequest::default()
    };
    LdapMessage::new(9, ProtocolOp::SearchRequest(search)).encode()
}

#[tokio::test]
async fn netlogon_answers_are_those_of_the_real_dc_until_a_fault_claims_otherwise() {
    let pair = Pair::start().await;
    let own = ask(pair.real.dc("dc1").unwrap().cldap(), &ping()).await;
    assert_eq!(ask(pair.dc().cldap(), &ping()).await, own);

    let contains = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    pair.front.set_faults("dc1", ["name.cldap-name-differs"]).unwrap();
    let claimed = ask(pair.dc().cldap(), &ping()).await;
    assert!(contains(&claimed, b"dc1-old"));
    // The rest is what the real DC says of itself: its domain's GUID, its flags.
    let guid = pair.real.directory().domain_guid().to_bytes_le();
    assert!(contains(&own, &guid) && contains(&claimed, &guid));
    let flags = |bytes: &[u8]| {
        let at = bytes.windows(16).position(|part| part == guid).unwrap();
        bytes[at - 4..at].to_vec()
    };
    assert_eq!(flags(&claimed), flags(&own));

    pair.front.set_faults("dc1", ["discovery.cldap-garbage"]).unwrap();
    assert!(contains(&ask(pair.dc().cldap(), &ping()).await, &[0xff; 16]));
    pair.front.clear_faults("dc1").unwrap();
    assert_eq!(ask(pair.dc().cldap(), &ping()).await, own);
    pair.stop().await;
}

/// The answer of the front's name server.
async fn look_up(pair: &Pair, name: &str, kind: RecordType) -> Message {
    let mut question = Message::new(7, MessageType::Query, OpCode::Query);
    question.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    let answer = ask(pair.dc().dns(), &question.to_vec().unwrap()).await;
    Message::from_vec(&answer).unwrap()
}

#[tokio::test]
async fn dns_leads_to_the_front_and_knows_what_the_real_dc_knows() {
    let pair = Pair::start().await;
    let (front, real) = (pair.dc().ip(), pair.real.dc("dc1").unwrap().ip());
    let addresses = |answer: &Message| -> Vec<IpAddr> {
        let a = |data: &RData| if let RData::A(a) = data { Some(a.0.into()) } else { None };
        answer.answers.iter().filter_map(|record| a(&record.data)).collect()
    };
    let host = look_up(&pair, "dc1.lab.example.", RecordType::A).await;
    assert_eq!(addresses(&host), [front]);
    let service = look_up(&pair, "_ldap._tcp.dc._msdcs.lab.example.", RecordType::SRV).await;
    let RData::SRV(service) = &service.answers[0].data else { panic!("no SRV") };
    assert_eq!(
        (service.target.to_ascii().as_str(), service.port),
        ("dc1.lab.example.", pair.dc().ldap().port())
    );

    // A name that only the real one knows: the alias of its settings, which leads to its address.
    let settings = real_settings(&pair).await;
    let alias = look_up(&pair, &settings, RecordType::A).await;
    assert_eq!(addresses(&alias), [front], "{alias}");
    assert_ne!(front, real);
    let nobody = look_up(&pair, "nobody.lab.example.", RecordType::A).await;
    assert_eq!(nobody.response_code, ResponseCode::NXDomain);

    pair.front.set_faults("dc1", ["discovery.a-record-missing"]).unwrap();
    assert_eq!(
        addresses(&look_up(&pair, "dc1.lab.example.", RecordType::A).await),
        [] as [IpAddr; 0]
    );
    pair.front.set_faults("dc1", ["discovery.servfail"]).unwrap();
    for name in ["dc1.lab.example.", "nobody.lab.example."] {
        let failed = look_up(&pair, name, RecordType::A).await;
        assert_eq!(failed.response_code, ResponseCode::ServFail);
    }
    pair.stop().await;
}

/// The alias of the real DC's settings object, which its own name server knows.
async fn real_settings(pair: &Pair) -> String {
    let view = DcView::new("dc1", "lab.example");
    let guid = pair.real.directory().settings_guid(&view).unwrap();
    let name = format!("{guid}._msdcs.lab.example.");
    let answer = look_up(pair, &name, RecordType::CNAME).await;
    assert_eq!(answer.answers.len(), 1, "{answer}");
    name
}

#[tokio::test]
async fn what_the_real_dc_does_itself_is_not_for_the_front_to_change() {
    let pair = Pair::start().await;
    for fault in ["kerberos.preauth-failed", "time.dc-clock-skewed"] {
        let error = pair.front.set_faults("dc1", [fault]).unwrap_err();
        assert!(
            matches!(&error, Error::NotBeforeRealDc { fault: refused } if *refused == fault),
            "{error}"
        );
    }
    // Those of the way to its KDC are.
    pair.front.set_faults("dc1", ["kerberos.unreachable", "net.refuse"]).unwrap();
    pair.stop().await;
}

#[tokio::test]
async fn a_passed_port_passes_bytes_and_has_the_faults_of_the_way() {
    let echo = TcpListener::bind("127.0.0.10:0").await.unwrap();
    let port = echo.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = echo.accept().await {
            let (mut from, mut to) = stream.split();
            copy(&mut from, &mut to).await.unwrap();
        }
    });
    let pair = Pair::passing(&[port]).await;
    let [passed] = pair.dc().passed_ports()[..] else { panic!("one port") };
    assert_eq!((passed.port, passed.here.ip()), (port, IpAddr::from(pair.dc().ip())));
    let mut stream = TcpStream::connect(passed.here).await.unwrap();
    stream.write_all(b"bytes").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).await.unwrap();
    assert_eq!(back, b"bytes");

    pair.front.set_faults("dc1", ["net.refuse"]).unwrap();
    TcpStream::connect(passed.here).await.unwrap_err();
    pair.front.set_faults("dc1", ["net.refuse@ldaps"]).unwrap();
    TcpStream::connect(passed.here).await.unwrap();
    pair.stop().await;
}

#[tokio::test]
async fn a_real_dc_that_has_gone_or_is_not_believed_is_in_the_ledger() {
    let pair = Pair::start().await;
    pair.real.stop().await;
    let mut stream =
        tls(pair.front.dc("dc1").unwrap().ldaps(), "dc1.lab.example", trusting(&pair.front))
            .await
            .unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "the client's connection ends");
    assert_eq!(event(&pair.front, "dc1", "dc.unreachable").await.kind(), "dc.unreachable");
    pair.front.stop().await;
}

#[tokio::test]
async fn the_certificate_of_the_real_dc_is_checked() {
    // Not a CA of that name at all: two domains of one name may share a key.
    let real = Domain::builder("lab.example").fault("dc1", "anchor.unknown-root");
    let real = real.start().await.unwrap();
    let other = Domain::builder("other.example").index(2).start().await.unwrap();
    let trust = Trust::in_pem(other.ca_pem().as_bytes()).unwrap();
    let found = find(&real, &[], trust).await;
    let front = Domain::builder("").index(1).behind(found).start().await.unwrap();
    let error = front.dc("dc1").unwrap().channel_bindings_hold().await.unwrap_err();
    assert!(matches!(error, Error::RealDc(RealDcError::NotBelieved { .. })), "{error}");
    assert!(error.remedy().unwrap().contains("--behind-ca"));

    // Its own certificate will do, and so will none, if that is what was asked for.
    let leaf = real.dc("dc1").unwrap().chain().leaf_pem();
    for trust in [Trust::in_pem(leaf.as_bytes()).unwrap(), Trust::anything()] {
        let found = find(&real, &[], trust).await;
        let front = Domain::builder("").index(3).behind(found).start().await.unwrap();
        assert_eq!(front.dc("dc1").unwrap().channel_bindings_hold().await.unwrap(), Some(false));
        front.stop().await;
    }
    assert!(Trust::in_pem(b"no certificate").is_err());
    assert_eq!(front.dc("dc1").unwrap().chain_at(Listener::Gcs), front.dc("dc1").unwrap().chain());
}

/// The program looks for the real DC at the standard ports, which only root may give it.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_stands_before_a_dc_and_says_what_clients_need() {
    if !crate::programs::given(getuid().is_root(), "only root may have the ports of a DC") {
        return;
    }
    let real = Domain::builder("lab.example").ports(Ports::STANDARD);
    let real = real.dc(DcSpec::new("dc1").address(Ipv4Addr::new(127, 0, 78, 10)));
    let real = real.start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("ca.pem"), real.ca_pem()).unwrap();
    let (ca, export) = (at("ca.pem"), at("export"));
    let behind = ["--behind", "127.0.78.10", "--behind-ca", &ca, "--address", "127.0.78.20"];
    let more = ["--ports", "system", "--control-port", "0", "--export-chain", &export];
    let served = Served::start_just(&[&behind[..], &more].concat());

    let line = served.dc(0);
    assert_eq!(
        (&line["dns_name"], &line["address"]),
        (&"dc1.lab.example".into(), &"127.0.78.20".into())
    );
    assert_eq!(line["behind"]["channel_bindings_hold"], false);
    let passed = line["behind"]["passed"].as_array().unwrap();
    for port in [135, 445] {
        assert!(passed.iter().any(|each| each["port"] == port), "{passed:?}");
    }
    assert_eq!(served.ready()["domain"], "lab.example");

    let ctl = |arguments: &[&str]| {
        let url = served.ready()["control"].as_str().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_fake-dc"));
        let output = command.args(["ctl", "--url", url]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(ctl(&["set", "dc1", "time.leaf-expired", "net.refuse@rpc"]).0, Some(0));
    let (code, complaint) = ctl(&["set", "dc1", "kerberos.preauth-failed"]);
    assert_eq!(code, Some(2), "{complaint}");
    insta::assert_snapshot!("a_fault_that_is_not_the_fronts", complaint);
    insta::assert_snapshot!("what_clients_need", served.stop_and_hear());

    // What it exported is what it shows without faults, to be shown by the real one.
    let (chain, key) = (format!("{export}/dc1-chain.pem"), format!("{export}/dc1-key.pem"));
    let own = ["--chain", &chain, "--key", &key, "--ports", "system"];
    let arguments = [&behind[..], &own].concat();
    let [chain_pem, key_pem] = [&chain, &key].map(|path| fs::read_to_string(path).unwrap());
    let exported =
        Chain::from_pem(&PemFile::new(&chain, &chain_pem), &PemFile::new(&key, &key_pem));
    real.set_chain("dc1", exported.unwrap()).unwrap();
    let served = Served::start_just(&arguments);
    assert_eq!(served.dc(0)["behind"]["channel_bindings_hold"], true);
    insta::assert_snapshot!("what_clients_have", served.stop_and_hear());
    real.stop().await;
}
