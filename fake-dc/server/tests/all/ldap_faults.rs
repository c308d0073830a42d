//! Every fault of the family `ldap`, as OpenLDAP's `ldapsearch` and raw sockets see it.
//!
//! Each fault has a DC of its own, beside one that is sound; what the program prints against a
//! fault must differ from what it prints against the sound one. The transcripts are a snapshot.
//!
//! Needs `ldapsearch` (Debian: `ldap-utils`). Without it the test says that it is skipped; with
//! `TRUSTRIG_REQUIRE_TOOLS=1` it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{net::SocketAddr, time::Duration};

use crate::common::{ADMINISTRATOR, PASSWORD, PATIENCE, Way, ldap, tls, trusting};
use crate::programs::{Program, Run};
use fake_dc::{Dc, DcSpec, Domain};
use ldap_wire::{
    Authentication, BindRequest, Decoded, LdapMessage, Limits, ProtocolOp, SearchRequest,
};
use ldap3::Scope;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
    time::{Instant, timeout},
};

/// A way to look at a DC with `ldapsearch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    /// The search of xapi's probe, bound, in clear.
    Search,
    /// The same in pages of two.
    Pages,
    /// The rootDSE, without a bind.
    RootDse,
}

impl Probe {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Search => {
                &["-D", ADMINISTRATOR, "-w", PASSWORD, "(cn=krbtgt)", "cn", "objectSid"]
            }
            Self::Pages => {
                &["-D", ADMINISTRATOR, "-w", PASSWORD, "-E", "pr=2/noprompt", "(cn=Domain*)", "cn"]
            }
            Self::RootDse => &["-s", "base", "-b", "", "defaultNamingContext"],
        }
    }

    fn run(self, dc: &Dc) -> Run {
        let url = format!("ldap://{}", dc.ldap());
        let base = ["-x", "-LLL", "-H", &url, "-b", "DC=corp,DC=example"];
        // The longest that libldap waits for an answer.
        Program::new("ldapsearch")
            .arguments(base.iter().chain(self.arguments()))
            .variable("LDAPTIMEOUT", "1")
            .variable("LDAPRC", "none")
            .replacing(&dc.ldap().to_string(), "DC")
            .run()
    }
}

/// The probe that shows a fault, where that is not [`Probe::Search`]; none where `ldapsearch` does
/// not notice, which another test here observes.
fn probe_of(fault: &str) -> Option<Probe> {
    match fault {
        "ldap.bind-answered-twice"
        | "ldap.channel-binding-mismatch"
        | "ldap.slow-search"
        | "ldap.unsolicited-message" => None,
        "ldap.paging-refused" | "ldap.paged-cookie-rejected" => Some(Probe::Pages),
        "ldap.root-dse-empty" | "ldap.no-naming-contexts" => Some(Probe::RootDse),
        _ => Some(Probe::Search),
    }
}

fn faults() -> Vec<&'static str> {
    let catalogue = fake_dc::faults::catalogue();
    catalogue.iter().map(|fault| fault.id).filter(|id| id.starts_with("ldap.")).collect()
}

#[test]
fn every_fault_is_seen_by_ldapsearch() {
    if !crate::programs::has("ldapsearch", "ldap-utils") {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let faults = faults();
    let dcs = faults.iter().enumerate();
    let dcs = dcs.map(|(n, fault)| DcSpec::new(format!("dc{n}")).fault(*fault));
    let builder = Domain::builder("corp.example").dc(DcSpec::new("sound"));
    let domain = runtime.block_on(dcs.fold(builder, fake_dc::Builder::dc).start()).unwrap();
    let sound = |probe: Probe| probe.run(domain.dc("sound").unwrap());
    let controls = [Probe::Search, Probe::Pages, Probe::RootDse].map(|probe| (probe, sound(probe)));
    for (probe, control) in &controls {
        assert_eq!(control.exit, 0, "{probe:?}: {control:?}");
        assert!(!control.stdout.is_empty(), "{probe:?}: {control:?}");
    }
    let seen = crate::programs::in_parallel(&faults, |number, fault| {
        let probe = probe_of(fault)?;
        Some((probe, probe.run(domain.dc(&format!("dc{number}")).unwrap())))
    });
    let mut transcript = String::new();
    for (probe, run) in &controls {
        transcript.push_str(&format!("== no fault, {probe:?}\n{run}\n"));
    }
    for (fault, seen) in faults.iter().zip(seen) {
        let Some((probe, run)) = seen else { continue };
        let control = &controls.iter().find(|(known, _)| *known == probe).unwrap().1;
        assert_ne!(run.to_string(), control.to_string(), "{fault} is not seen");
        transcript.push_str(&format!("== {fault}\n{run}\n"));
    }
    insta::assert_snapshot!("ldapsearch", transcript);
    runtime.block_on(domain.stop());
}

/// A fault that `ldapsearch` does not notice has a test here.
#[test]
fn every_other_fault_is_observed() {
    let tests = include_str!("ldap_faults.rs");
    for fault in faults().into_iter().filter(|fault| probe_of(fault).is_none()) {
        assert!(tests.matches(fault).count() > 1, "{fault}");
    }
}

async fn domain(fault: &str) -> Domain {
    Domain::builder("corp.example").fault("dc1", fault).start().await.unwrap()
}

fn dc(domain: &Domain) -> &Dc {
    domain.dc("dc1").unwrap()
}

fn bind() -> LdapMessage {
    bind_with(Authentication::Simple(PASSWORD.into()))
}

fn bind_with(authentication: Authentication) -> LdapMessage {
    let name = match authentication {
        Authentication::Simple(_) => ADMINISTRATOR.to_owned(),
        _ => String::new(),
    };
    LdapMessage::new(1, ProtocolOp::BindRequest(BindRequest { version: 3, name, authentication }))
}

fn root_dse() -> LdapMessage {
    LdapMessage::new(2, ProtocolOp::SearchRequest(SearchRequest::default()))
}

/// One connection of our own to LDAP.
struct Raw<S> {
    stream: S,
    unread: Vec<u8>,
}

impl Raw<TcpStream> {
    async fn connect(address: SocketAddr) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), unread: Vec::new() }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    async fn send(&mut self, message: &LdapMessage) {
        self.stream.write_all(&message.encode()).await.unwrap();
    }

    /// The next message; `None` at the end of the stream.
    async fn message(&mut self) -> Option<LdapMessage> {
        loop {
            if let Decoded::Message { message, consumed } =
                ldap_wire::decode(&self.unread, &Limits::DEFAULT).unwrap()
            {
                self.unread.drain(..consumed);
                return Some(message);
            }
            let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await.unwrap();
            if read.unwrap() == 0 {
                return None;
            }
        }
    }
}

#[tokio::test]
async fn a_bind_is_answered_twice() {
    let domain = domain("ldap.bind-answered-twice").await;
    let mut raw = Raw::connect(dc(&domain).ldap()).await;
    raw.send(&bind()).await;
    let first = raw.message().await.unwrap();
    assert!(matches!(first.op, ProtocolOp::BindResponse(_)), "{first:?}");
    assert_eq!(raw.message().await.unwrap(), first);
    raw.send(&root_dse()).await;
    assert_eq!(raw.message().await.unwrap().id, 2);
}

#[tokio::test]
async fn the_server_speaks_first() {
    for (fault, result) in [("ldap.unsolicited-message", 0), ("ldap.too-many-connections", 51)] {
        let domain = domain(fault).await;
        let plain = Raw::connect(dc(&domain).ldap()).await;
        let name = dc(&domain).dns_name();
        let stream = tls(dc(&domain).ldaps(), name, trusting(&domain)).await.unwrap();
        let inside_tls = Raw { stream, unread: Vec::new() };
        spoken_first(plain, result).await;
        spoken_first(inside_tls, result).await;
    }
}

#[tokio::test]
async fn who_asks_for_tls_has_not_connected_anew() {
    let domain = domain("ldap.unsolicited-message").await;
    let mut raw = Raw::connect(dc(&domain).ldap()).await;
    let name = ldap_wire::extended::START_TLS.to_owned();
    let start_tls = ldap_wire::ExtendedRequest { name, value: None };
    raw.send(&LdapMessage::new(1, ProtocolOp::ExtendedRequest(start_tls))).await;
    assert_eq!(raw.message().await.unwrap().id, 0);
    assert_eq!(raw.message().await.unwrap().id, 1);
    let name = "dc1.corp.example".try_into().unwrap();
    let connector = tokio_rustls::TlsConnector::from(trusting(&domain));
    let stream = connector.connect(name, raw.stream).await.unwrap();
    let mut raw = Raw { stream, unread: Vec::new() };
    raw.send(&root_dse()).await;
    assert_eq!(raw.message().await.unwrap().id, 2);
}

async fn spoken_first<S: AsyncRead + AsyncWrite + Unpin>(mut raw: Raw<S>, result: u32) {
    let notice = raw.message().await.unwrap();
    let ProtocolOp::ExtendedResponse(response) = &notice.op else { panic!("{notice:?}") };
    assert_eq!((notice.id, response.result.code.0), (0, result));
    if result != 0 {
        assert_eq!(response.name.as_deref(), Some("1.3.6.1.4.1.1466.20036"));
        assert_eq!(raw.message().await, None);
        return;
    }
    raw.send(&root_dse()).await;
    assert_eq!(raw.message().await.unwrap().id, 2);
}

#[tokio::test]
async fn channel_bindings_are_wrong_for_sasl_inside_tls() {
    let domain = domain("ldap.channel-binding-mismatch").await;
    let (dc, config) = (dc(&domain), trusting(&domain));
    let sasl = || {
        bind_with(Authentication::Sasl {
            mechanism: "GSS-SPNEGO".to_owned(),
            credentials: Some(b"no token".to_vec()),
        })
    };
    let refusal = |message: LdapMessage| match message.op {
        ProtocolOp::BindResponse(bind) => bind.result.diagnostic,
        other => panic!("{other:?}"),
    };
    let stream = tls(dc.ldaps(), dc.dns_name(), config.clone()).await.unwrap();
    let mut raw = Raw { stream, unread: Vec::new() };
    raw.send(&sasl()).await;
    let text = refusal(raw.message().await.unwrap());
    assert!(text.starts_with("80090346: LdapErr: "), "{text}");
    assert!(text.contains("AcceptSecurityContext error, data 80090346"), "{text}");
    // Without TLS there is nothing to be bound to, and a simple bind is bound to nothing.
    let mut raw = Raw::connect(dc.ldap()).await;
    raw.send(&sasl()).await;
    let text = refusal(raw.message().await.unwrap());
    assert!(text.starts_with("8009030C: "), "{text}");
    let mut ldap = ldap(dc, Way::Ldaps, config).await.unwrap();
    assert_eq!(ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().rc, 0);
}

#[tokio::test]
async fn searches_are_slow_and_nothing_else() {
    let domain = domain("ldap.slow-search:300ms").await;
    let mut ldap = ldap(dc(&domain), Way::Ldaps, trusting(&domain)).await.unwrap();
    let begin = Instant::now();
    assert_eq!(ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().rc, 0);
    let root = ldap.search("", Scope::Base, "(objectClass=*)", ["*"]).await.unwrap();
    assert_eq!(root.success().unwrap().0.len(), 1);
    let before = begin.elapsed();
    let begin = Instant::now();
    let found = ldap.search("DC=corp,DC=example", Scope::Subtree, "(cn=krbtgt)", ["cn"]).await;
    assert_eq!(found.unwrap().success().unwrap().0.len(), 1);
    assert!(begin.elapsed() >= Duration::from_millis(300), "{:?} {before:?}", begin.elapsed());
}

#[tokio::test]
async fn a_client_that_leaves_ends_what_the_dc_waits_for() {
    for fault in ["ldap.slow-search:60m", "ldap.no-answer", "ldap.stall-on-bind"] {
        let domain = domain(fault).await;
        let mut raw = Raw::connect(dc(&domain).ldap()).await;
        raw.send(&bind()).await;
        let search = SearchRequest { base: "DC=corp,DC=example".into(), ..Default::default() };
        raw.send(&LdapMessage::new(2, ProtocolOp::SearchRequest(search))).await;
        crate::common::event(&domain, "dc1", "ldap.request").await;
        drop(raw);
        timeout(PATIENCE, domain.quiet()).await.unwrap();
        timeout(PATIENCE, domain.stop()).await.unwrap();
    }
}

#[tokio::test]
async fn values_say_how_wrong_it_is() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let search = async |fault: &str| {
        domain.set_faults("dc1", [fault]).unwrap();
        let mut ldap = ldap(dc(&domain), Way::Ldaps, trusting(&domain)).await.unwrap();
        ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().success().unwrap();
        let attributes = ["cn", "objectSid", "sAMAccountName"];
        let base = "CN=Users,DC=corp,DC=example";
        ldap.search(base, Scope::OneLevel, "(cn=D*)", attributes).await.unwrap()
    };
    let all = search("ldap.size-limit:1000").await;
    assert!(all.0.len() > 2, "{}", all.0.len());
    let some = search("ldap.size-limit:2").await;
    assert_eq!((some.0.len(), some.1.rc), (2, 4));
    let hidden = search("ldap.attribute-hidden:SAMACCOUNTNAME").await;
    let entry = ldap3::SearchEntry::construct(hidden.0[0].clone());
    assert!(entry.attrs.contains_key("cn") && !entry.attrs.contains_key("sAMAccountName"));
    for (value, url) in [
        ("self", "ldap://dc1.corp.example/CN=Users,DC=corp,DC=example"),
        ("domain", "ldap://corp.example/CN=Users,DC=corp,DC=example"),
        ("127.0.0.11:3890", "ldap://127.0.0.11:3890/CN=Users,DC=corp,DC=example"),
    ] {
        let referred = search(&format!("ldap.referral-loop:{value}")).await.1;
        assert_eq!((referred.rc, referred.refs), (10, vec![url.to_owned()]));
    }
    for mistake in [
        "ldap.slow-search:soon",
        "ldap.size-limit:-1",
        "ldap.attribute-hidden:",
        "ldap.referral-loop:a b",
        "ldap.notice-of-disconnection:tired",
        "ldap.oversized-message:big",
    ] {
        assert!(domain.set_faults("dc1", [mistake]).is_err(), "{mistake}");
    }
}

#[tokio::test]
async fn every_reason_of_a_notice_is_told() {
    for (value, code) in [("unavailable", 52), ("busy", 51), ("stronger-auth-required", 8)] {
        let domain = domain(&format!("ldap.notice-of-disconnection:{value}")).await;
        let mut raw = Raw::connect(dc(&domain).ldap()).await;
        raw.send(&root_dse()).await;
        spoken_first(raw, code).await;
    }
}

/// Two DCs that refer to each other, and a client that follows until it notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_follows_referrals_is_led_in_a_circle() {
    if !crate::programs::has("ldapsearch", "ldap-utils") {
        return;
    }
    let domain = Domain::builder("corp.example").dcs(2).start().await.unwrap();
    let [one, two] = ["dc1", "dc2"].map(|dc| domain.dc(dc).unwrap().ldap());
    domain.set_faults("dc1", [format!("ldap.referral-loop:{two}")]).unwrap();
    domain.set_faults("dc2", [format!("ldap.referral-loop:{one}")]).unwrap();
    let run = Program::new("ldapsearch")
        .arguments(["-x", "-C", "-LLL", "-H", &format!("ldap://{one}")])
        .arguments(["-b", "DC=corp,DC=example", "(cn=krbtgt)"])
        .run();
    assert_eq!(run.exit, 10, "{run}");
    for dc in ["dc1", "dc2"] {
        let search = |event: &ground::Event| {
            event.actor.to_string() == format!("dc:{dc}")
                && event.fields().get("operation").is_some_and(|asked| asked == "search")
        };
        assert!(domain.ledger().events().iter().any(search), "{dc} was not asked\n{run}");
    }
}

#[tokio::test]
async fn a_fault_limited_to_one_listener_leaves_the_other_alone() {
    let domain = domain("ldap.unavailable@ldaps").await;
    let rc = async |way| {
        let mut ldap = ldap(dc(&domain), way, trusting(&domain)).await.unwrap();
        ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().rc
    };
    assert_eq!((rc(Way::Ldaps).await, rc(Way::StartTls).await), (52, 0));
}
