//! The client of xapi-flows.md §12.3 against two ends that say what a test wants them to say. What
//! real ends say is in the bundled scenarios.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use ground::{Actor, Ledger, Secret, Timestamp, VirtualClock};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use xenapi_client::{
    Answer, ApiError, Client, Request, Value,
    joining::{
        Copying, DomainAccount, Download, JoinError, JoinFailure, JoinPlan, Login, Side, join,
    },
    xml_rpc,
};

const MISMATCH: &str = "POOL_JOINING_EXTERNAL_AUTH_MISMATCH";

/// Certificates of a side: reference, DER, purposes.
type Rows = Vec<(String, String, Vec<&'static str>)>;

/// One end, and what was asked of it.
#[derive(Default)]
struct End {
    kind: &'static str,
    ldaps: &'static str,
    rows: Rows,
    /// What the calls of these names fail with, each once, in order.
    failures: Vec<(&'static str, &'static str)>,
    asked: Vec<String>,
    installed: usize,
}

impl End {
    fn answer(&mut self, request: &Request) -> Answer {
        let method = request.method.as_str();
        let texts: Vec<_> = request.params.iter().filter_map(Value::as_text).collect();
        let told = match method {
            "pool.install_trusted_certificate" => {
                let purposes = request.params[4].as_texts().unwrap().join(",");
                format!("{method} {} {purposes}", der_of(texts[2]))
            }
            "pool.uninstall_trusted_certificate" => format!("{method} {}", texts[2]),
            _ => method.to_owned(),
        };
        self.asked.push(told);
        if method == "pool.install_trusted_certificate" {
            self.installed += 1;
            let reference = format!("OpaqueRef:installed{}", self.installed);
            self.rows.push((reference, der_of(texts[2]), vec!["ldaps"]));
        }
        if let Some(at) = self.failures.iter().position(|(known, _)| *known == method) {
            let (_, code) = self.failures.remove(at);
            return Err(ApiError::new(code, ["why"]));
        }
        let pems = |references: &[&str]| {
            let is_wanted = |reference: &str| references.contains(&reference);
            let rows = self.rows.iter().filter(|(reference, ..)| is_wanted(reference));
            rows.map(|(_, der, _)| pem(der)).collect::<Vec<_>>()
        };
        Ok(match method {
            "session.login_with_password" => Value::text("OpaqueRef:session"),
            "pool.get_all" => Value::texts(["OpaqueRef:pool"]),
            "pool.get_master" => Value::text("OpaqueRef:host"),
            "host.get_external_auth_type" => Value::text(self.kind),
            "host.get_external_auth_service_name" => Value::text("corp.example"),
            "host.get_external_auth_configuration" => {
                Value::Struct(vec![("ldaps".to_owned(), Value::text(self.ldaps))])
            }
            "host.get_server_certificate" => Value::text(pem("shown")),
            "Certificate.get_all_records_where" => Value::Struct(
                self.rows
                    .iter()
                    .map(|(reference, der, purposes)| (reference.clone(), record(der, purposes)))
                    .collect(),
            ),
            "pool.download_trusted_certificate" => Value::text(&pems(&[texts[2]])[0]),
            "pool.download_trusted_certificates" if texts.len() == 3 => {
                let rows = self.rows.iter().filter(|(.., purposes)| purposes.contains(&texts[2]));
                Value::texts(rows.map(|(_, der, _)| pem(der)))
            }
            "pool.download_trusted_certificates" => {
                Value::texts(pems(&request.params[2].as_texts().unwrap()))
            }
            "pool.sync_trusted_certificates_from" => Value::texts(["OpaqueRef:a", "OpaqueRef:b"]),
            _ => Value::void(),
        })
    }
}

/// Four letters, so that Base64 needs no code here.
fn pem(der: &str) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n")
}

fn der_of(pem: &str) -> String {
    pem.lines().nth(1).unwrap().to_owned()
}

fn record(der: &str, purposes: &[&str]) -> Value {
    // The client's own fingerprint is compared only under D3; here the text stands for it.
    let members = [
        ("type", Value::text("ca")),
        ("fingerprint_sha256", Value::text(fingerprint(der))),
        ("purpose", Value::texts(purposes)),
    ];
    Value::Struct(members.map(|(name, value)| (name.to_owned(), value)).to_vec())
}

/// SHA-256 of the three octets that the four letters are in Base64.
fn fingerprint(der: &str) -> &str {
    match der {
        "YWJj" => {
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
        }
        other => other,
    }
}

struct World {
    joiner: Arc<Mutex<End>>,
    pool: Arc<Mutex<End>>,
}

impl World {
    /// The pool reaches AD over LDAPS, and the joiner is in no domain.
    fn new(theirs: Rows, ours: Rows) -> Self {
        let joiner = End { rows: ours, failures: vec![("pool.join", MISMATCH)], ..End::default() };
        let pool = End { kind: "AD", ldaps: "true", rows: theirs, ..End::default() };
        Self { joiner: Arc::new(Mutex::new(joiner)), pool: Arc::new(Mutex::new(pool)) }
    }

    fn joiner_fails(self, method: &'static str, code: &'static str) -> Self {
        self.joiner.lock().unwrap().failures.push((method, code));
        self
    }

    async fn join(&self, copying: Copying) -> Result<(), JoinFailure> {
        self.join_with(copying, &mut |domain| {
            assert_eq!(domain, "corp.example");
            Some(DomainAccount { user: "joiner".to_owned(), password: Secret::new("hush-hush") })
        })
        .await
    }

    async fn join_with(
        &self,
        copying: Copying,
        ask: &mut (dyn FnMut(&str) -> Option<DomainAccount> + Send),
    ) -> Result<(), JoinFailure> {
        let login = |address| Login {
            client: Client::new(address),
            user: "root".to_owned(),
            password: Secret::new("hush-hush"),
        };
        let plan = JoinPlan {
            joiner: login(serve(Arc::clone(&self.joiner)).await),
            pool: login(serve(Arc::clone(&self.pool)).await),
            coordinator: "192.0.2.1".to_owned(),
            copying,
            force: false,
        };
        let time = VirtualClock::starting_at(Timestamp::from_unix(0));
        let ledger = Ledger::new(time.clock());
        let trail = ledger.trail(Actor::Runner);
        let mut told = Vec::new();
        let outcome = join(&plan, ask, &mut |step| told.push(step.clone()), &trail).await;
        let shown = format!("{told:?} {:?} {outcome:?}", ledger.events());
        assert!(!shown.contains("hush-hush") && !shown.contains("OpaqueRef:session"), "{shown}");
        outcome
    }

    /// What the joiner was asked that changes something.
    fn deeds(&self) -> Vec<String> {
        let asked = self.joiner.lock().unwrap().asked.clone();
        let reads = ["session.", "pool.get_", "host.get_", "Certificate."];
        asked.into_iter().filter(|call| !reads.iter().any(|read| call.starts_with(read))).collect()
    }

    fn downloads(&self) -> usize {
        let asked = &self.pool.lock().unwrap().asked;
        asked.iter().filter(|call| call.starts_with("pool.download_trusted_cert")).count()
    }
}

async fn serve(end: Arc<Mutex<End>>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let request = loop {
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
                let text = String::from_utf8_lossy(&bytes);
                let Some((_, body)) = text.split_once("\r\n\r\n") else { continue };
                if let Ok(request) = xml_rpc::read_request(body.as_bytes()) {
                    break request;
                }
            };
            let answer = xml_rpc::write_answer(end.lock().unwrap().answer(&request));
            let response = format!("HTTP/1.0 200 OK\r\n\r\n{answer}");
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    address
}

fn rows<const N: usize>(rows: [(&str, &str, &[&'static str]); N]) -> Rows {
    rows.map(|(reference, der, purposes)| {
        (format!("OpaqueRef:{reference}"), der.to_owned(), purposes.to_vec())
    })
    .to_vec()
}

const EACH: [Download; 3] = [Download::One, Download::List, Download::ByPurpose];

/// §5.1, steps 1 to 5, with what each variant does to purposes.
#[tokio::test]
async fn what_the_joiner_lacks_is_copied() {
    for (variant, purposes, downloads) in [
        (Download::One, "licensing,ldaps", 2),
        (Download::List, "licensing,ldaps", 1),
        (Download::ByPurpose, "ldaps", 1),
    ] {
        let theirs = rows([
            ("1", "YWJj", &["ldaps"]),
            ("2", "AAAB", &["licensing", "ldaps"]),
            ("3", "AAAC", &["licensing"]),
            ("4", "AAAD", &[]),
            ("5", "AAAE", &["ldaps"]),
        ]);
        // The first is there already, be it for another purpose.
        let world = World::new(theirs, rows([("own", "YWJj", &["licensing"])]));
        world.join(Copying::Download(variant)).await.unwrap();
        assert_eq!(world.downloads(), downloads, "{variant:?}");
        assert_eq!(
            world.deeds(),
            [
                "pool.join".to_owned(),
                format!("pool.install_trusted_certificate AAAB {purposes}"),
                "pool.install_trusted_certificate AAAE ldaps".to_owned(),
                "pool.enable_external_auth".to_owned(),
                "pool.join".to_owned(),
            ],
            "{variant:?}"
        );
    }
}

/// §5.1, step 1; a purpose cannot name the general ones.
#[tokio::test]
async fn general_certificates_are_copied_where_none_is_for_ldaps() {
    for (variant, is_copied) in EACH.into_iter().zip([true, true, false]) {
        let theirs = rows([("1", "AAAB", &[]), ("2", "AAAC", &["licensing"])]);
        let world = World::new(theirs, Vec::new());
        world.join(Copying::Download(variant)).await.unwrap();
        let copied = "pool.install_trusted_certificate AAAB ".to_owned();
        assert_eq!(world.deeds().contains(&copied), is_copied, "{variant:?}");
        assert_eq!(world.deeds().len(), 3 + usize::from(is_copied), "{variant:?}");
    }
}

/// §5.1, step 7; §12.3, step 5: exactly what was added, and the domain if it had been joined.
#[tokio::test]
async fn what_fails_is_taken_back() {
    for (method, is_joined) in [("pool.enable_external_auth", false), ("pool.join", true)] {
        for (copying, added) in [
            (Copying::Download(Download::List), vec!["OpaqueRef:installed1"]),
            (Copying::Sync, vec!["OpaqueRef:a", "OpaqueRef:b"]),
        ] {
            let theirs = rows([("1", "AAAB", &["ldaps"]), ("2", "AAAC", &["ldaps"])]);
            let world = World::new(theirs, rows([("own", "AAAC", &["ldaps"])]));
            let world = world.joiner_fails(method, "NOT_TODAY");
            let failure = world.join(copying).await.unwrap_err();
            assert_eq!(failure.error.api(), Some(&ApiError::new("NOT_TODAY", ["why"])));
            assert!(failure.left.is_empty());
            let mut undone: Vec<_> =
                is_joined.then(|| "pool.disable_external_auth".to_owned()).into_iter().collect();
            let one = |added: &&str| format!("pool.uninstall_trusted_certificate {added}");
            undone.extend(added.iter().map(one));
            let deeds = world.deeds();
            let at = deeds.iter().rposition(|deed| deed == method).unwrap();
            assert_eq!(deeds[at + 1..], undone);
        }
    }
}

/// A call that fails may have left a row behind (quirk Q12).
#[tokio::test]
async fn a_row_of_a_failed_install_is_taken_back() {
    let world = World::new(rows([("1", "AAAB", &["ldaps"])]), Vec::new());
    let world = world.joiner_fails("pool.install_trusted_certificate", "HOST_OFFLINE");
    let failure = world.join(Copying::Download(Download::One)).await.unwrap_err();
    assert_eq!(failure.error.api().unwrap().code, "HOST_OFFLINE");
    let last = world.deeds().pop();
    assert_eq!(last.as_deref(), Some("pool.uninstall_trusted_certificate OpaqueRef:installed1"));
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_told() {
    let world = World::new(rows([("1", "AAAB", &["ldaps"])]), Vec::new())
        .joiner_fails("pool.join", "NOT_TODAY")
        .joiner_fails("pool.disable_external_auth", "POOL_AUTH_DISABLE_FAILED")
        .joiner_fails("pool.uninstall_trusted_certificate", "CERTIFICATE_CORRUPT");
    let failure = world.join(Copying::Download(Download::List)).await.unwrap_err();
    assert_eq!(failure.error.api().unwrap().code, "NOT_TODAY");
    let left: Vec<_> = failure.left.iter().map(|error| error.api().unwrap().code.clone()).collect();
    assert_eq!(left, ["POOL_AUTH_DISABLE_FAILED", "CERTIFICATE_CORRUPT"]);
}

#[tokio::test]
async fn nothing_is_done_where_nothing_helps() {
    let list = Copying::Download(Download::List);
    // The joiner is in a domain already, or the pool in none.
    let rows_of_pool = || rows([("1", "AAAB", &["ldaps"])]);
    let joined = World::new(rows_of_pool(), Vec::new());
    joined.joiner.lock().unwrap().kind = "AD";
    let without = World::new(rows_of_pool(), Vec::new());
    without.pool.lock().unwrap().kind = "";
    for world in [joined, without] {
        let failure = world.join(list).await.unwrap_err();
        assert_eq!(failure.error.api().unwrap().code, MISMATCH);
        assert_eq!(world.deeds(), ["pool.join"]);
    }
    // It fails for another reason.
    let world = World::new(rows_of_pool(), Vec::new());
    world.joiner.lock().unwrap().failures = vec![("pool.join", "HA_IS_ENABLED")];
    let failure = world.join(list).await.unwrap_err();
    assert_eq!(failure.error.api().unwrap().code, "HA_IS_ENABLED");
    assert!(world.pool.lock().unwrap().asked.is_empty());
    // It succeeds at once.
    let world = World::new(rows_of_pool(), Vec::new());
    world.joiner.lock().unwrap().failures.clear();
    world.join(list).await.unwrap();
    assert_eq!(world.deeds(), ["pool.join"]);
    // Nobody gives credentials.
    let world = World::new(rows_of_pool(), Vec::new());
    let failure = world.join_with(list, &mut |_| None).await.unwrap_err();
    assert!(matches!(failure.error, JoinError::NoAccount { domain } if domain == "corp.example"));
    let last = world.deeds().pop();
    assert_eq!(last.as_deref(), Some("pool.uninstall_trusted_certificate OpaqueRef:installed1"));
    // The pool does not use LDAPS.
    let world = World::new(rows_of_pool(), Vec::new());
    world.pool.lock().unwrap().ldaps = "false";
    world.join(list).await.unwrap();
    assert_eq!(world.deeds(), ["pool.join", "pool.enable_external_auth", "pool.join"]);
}

#[tokio::test]
async fn an_answer_of_another_type_is_no_panic() {
    let world = World::new(rows([("1", "AAAB", &["ldaps"])]), Vec::new());
    world.pool.lock().unwrap().rows[0].1 = "not base64".to_owned();
    let failure = world.join(Copying::Download(Download::ByPurpose)).await.unwrap_err();
    assert!(matches!(failure.error, JoinError::Unexpected { at: Side::Pool, .. }), "{failure}");
}
