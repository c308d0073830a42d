//! Independent clients and servers agree: `openssl` and `gnutls-cli` (Debian: `openssl`,
//! `gnutls-bin`). They judge by the machine's clock, and so does everybody here.

use std::{fs, io::Write as _, process::Stdio};

use fake_dc_pki::{Chain, DcIdentity, Pki, RevocationReason};
use ground::{Actor, Clock, Ledger, Seed, Timestamp};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    process::{Child, Command},
};
use trust_models::directory::{CertData, Client, ClientPolicy, DataKind, Server};

use crate::world::{crl_of, required};

fn now() -> Timestamp {
    Clock::system().now()
}

/// A CA of today, a server at 127.0.0.1, clients of each kind, and their files.
struct Today {
    folder: TempDir,
    pki: Pki,
    server: Chain,
    /// Empty, and with the revoked ones.
    lists: [String; 2],
    people: Vec<(&'static str, Chain)>,
}

impl Today {
    fn new() -> Self {
        let pki = Pki::new(&Seed::new(1), now(), "ca1.example").unwrap();
        let other = Pki::new(&Seed::new(2), now(), "ca2.example").unwrap();
        let plan = |pki: &Pki, name: &str| {
            let mut plan =
                pki.plan(&DcIdentity::new(name, "lab.example", [127, 0, 0, 1].into())).unwrap();
            let address: std::net::IpAddr = [127, 0, 0, 1].into();
            plan.leaf().also_named([address]);
            plan
        };
        let mut revoked = plan(&pki, "revoked");
        let empty = crl_of(&revoked.issue().unwrap());
        let (leaf, issuer) = (revoked.leaf_id(), revoked.intermediate_id());
        revoked.crl_of(issuer).revoking(leaf, now().plus_days(-1), RevocationReason::KeyCompromise);
        let revoked = revoked.issue().unwrap();
        let mut expired = plan(&pki, "expired");
        expired.leaf().valid(now().plus_days(-9), now().plus_days(-1));
        let today = Self {
            folder: tempfile::tempdir().unwrap(),
            server: plan(&pki, "server").issue().unwrap(),
            lists: [empty, crl_of(&revoked)],
            people: vec![
                ("sound", plan(&pki, "sound").issue().unwrap()),
                ("revoked", revoked),
                ("expired", expired.issue().unwrap()),
                ("wrong-ca", plan(&other, "stranger").issue().unwrap()),
            ],
            pki,
        };
        today.write("ca.pem", &format!("{}{}", today.pki.root_pem(), today.pki.intermediate_pem()));
        today.write("empty.crl", &today.lists[0]);
        today.write("list.crl", &today.lists[1]);
        for (name, chain) in today.people.iter().map(|(name, chain)| (*name, chain)) {
            today.write(&format!("{name}.pem"), &chain.to_pem());
            today.write(&format!("{name}.key"), &chain.key.to_pem());
        }
        today.write("server.pem", &today.server.to_pem());
        today.write("server.key", &today.server.key.to_pem());
        today
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn person(&self, name: &str) -> &Chain {
        &self.people.iter().find(|(known, _)| *known == name).unwrap().1
    }

    fn serving(&self, shown: &Chain, policy: ClientPolicy) -> Server {
        let trail = Ledger::new(Clock::system()).trail(Actor::Runner);
        let (certificates, key) = (shown.certificates.clone(), shown.key.to_der());
        let server = Server::new(certificates, key, Clock::system(), trail).unwrap();
        server.set_policy(policy);
        server
    }

    fn client(&self, own: Option<&str>) -> Client {
        let mut data = CertData::new();
        data.add(DataKind::CaCertificate, self.pki.root_pem()).unwrap();
        if let Some(own) = own {
            data.add_file(DataKind::ClientCertificate, self.path(&format!("{own}.pem"))).unwrap();
            data.add_file(DataKind::ClientKey, self.path(&format!("{own}.key"))).unwrap();
        }
        let trail = Ledger::new(Clock::system()).trail(Actor::Runner);
        Client::new(data, Clock::system(), trail).unwrap().without_own_check()
    }
}

/// Runs a client of another make against `server`; whether the server let it in, and its words.
async fn visits(
    server: &Server,
    program: &str,
    arguments: impl Fn(u16) -> Vec<String>,
) -> (bool, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = Command::new(program)
        .args(arguments(listener.local_addr().unwrap().port()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    // It stays until the server closes the connection.
    let stdin = client.stdin.take();
    let served = server.accept(listener.accept().await.unwrap().0).await;
    let let_in = match served {
        Ok(mut served) => {
            // In TLS 1.3 a client that refuses says so to a server that is done.
            let said = served.stream.write_all(b"welcome\n").await;
            said.is_ok() && served.stream.shutdown().await.is_ok()
        }
        Err(_) => false,
    };
    let ended = client.wait_with_output().await.unwrap();
    drop(stdin);
    let text = [ended.stdout, ended.stderr].concat();
    (let_in, String::from_utf8_lossy(&text).into_owned())
}

#[tokio::test]
async fn openssl_and_gnutls_are_judged_as_clients_by_our_server() {
    if !are_here(&["openssl", "gnutls-cli"]) {
        return;
    }
    let today = Today::new();
    let server = today.serving(&today.server, required(&today.pki, Some(&today.lists[1])));
    let alerts = [
        (Some("sound"), None),
        (None, Some("alert number 116")),
        (Some("revoked"), Some("alert number 44")),
        (Some("expired"), Some("alert number 45")),
        (Some("wrong-ca"), Some("alert number 48")),
    ];
    for (own, alert) in alerts {
        for version in ["-tls1_2", "-tls1_3"] {
            let (_, said) = visits(&server, "openssl", |port| {
                let mut arguments = words(&["s_client", "-quiet", version, "-verify_return_error"]);
                arguments.extend([("-connect".to_owned()), format!("127.0.0.1:{port}")]);
                arguments.extend(["-CAfile".to_owned(), today.path("ca.pem")]);
                if let Some(own) = own {
                    let (certificate, key) = (format!("{own}.pem"), format!("{own}.key"));
                    arguments.extend(["-cert".to_owned(), today.path(&certificate)]);
                    arguments.extend(["-cert_chain".to_owned(), today.path(&certificate)]);
                    arguments.extend(["-key".to_owned(), today.path(&key)]);
                }
                arguments
            })
            .await;
            assert_eq!(said.contains("welcome"), alert.is_none(), "{own:?} {version}: {said}");
            assert!(alert.is_none_or(|alert| said.contains(alert)), "{own:?} {version}: {said}");
        }
        let (_, said) = visits(&server, "gnutls-cli", |port| {
            let mut arguments =
                vec![format!("--x509cafile={}", today.path("ca.pem")), format!("--port={port}")];
            if let Some(own) = own {
                arguments.push(format!("--x509certfile={}", today.path(&format!("{own}.pem"))));
                arguments.push(format!("--x509keyfile={}", today.path(&format!("{own}.key"))));
            }
            arguments.push("127.0.0.1".to_owned());
            arguments
        })
        .await;
        assert_eq!(said.contains("welcome"), alert.is_none(), "{own:?} gnutls: {said}");
    }
}

/// What our client concludes about our server, `gnutls-cli` with `--x509crlfile` and `openssl` with
/// `-crl_check` conclude, too.
#[tokio::test]
async fn openssl_and_gnutls_judge_our_server_as_our_client_does() {
    if !are_here(&["openssl", "gnutls-cli"]) {
        return;
    }
    let today = Today::new();
    let cases = [
        (&today.server, "list.crl", true),
        (today.person("revoked"), "empty.crl", true),
        (today.person("revoked"), "list.crl", false),
        (today.person("expired"), "empty.crl", false),
        (today.person("wrong-ca"), "empty.crl", false),
    ];
    for (number, (shown, list, passes)) in cases.into_iter().enumerate() {
        let server = today.serving(shown, ClientPolicy::NotAsked);
        let mut data = CertData::new();
        data.add(DataKind::CaCertificate, today.pki.root_pem()).unwrap();
        data.add_file(DataKind::CaRevocationList, today.path(list)).unwrap();
        let trail = Ledger::new(Clock::system()).trail(Actor::Runner);
        let client = Client::new(data, Clock::system(), trail).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (ours, _) = tokio::join!(client.connect("127.0.0.1", address), async {
            server.accept(listener.accept().await.unwrap().0).await
        });
        assert_eq!(ours.is_ok(), passes, "{number}: {ours:?}");

        let (_, said) = visits(&server, "gnutls-cli", |port| {
            vec![
                format!("--x509cafile={}", today.path("ca.pem")),
                format!("--x509crlfile={}", today.path(list)),
                format!("--port={port}"),
                "127.0.0.1".to_owned(),
            ]
        })
        .await;
        assert_eq!(said.contains("welcome"), passes, "{number} gnutls: {said}");
        let (_, said) = visits(&server, "openssl", |port| {
            let mut arguments =
                words(&["s_client", "-quiet", "-verify_return_error", "-crl_check"]);
            arguments.extend(["-CRL".to_owned(), today.path(list)]);
            arguments.extend(["-CAfile".to_owned(), today.path("ca.pem")]);
            arguments.extend(["-connect".to_owned(), format!("127.0.0.1:{port}")]);
            arguments.extend(words(&["-verify_ip", "127.0.0.1"]));
            arguments
        })
        .await;
        assert_eq!(said.contains("welcome"), passes, "{number} openssl: {said}");
    }
}

/// `openssl s_server` that requires client certificates and has a revocation list.
#[tokio::test]
async fn our_client_understands_the_alerts_of_openssl() {
    if !are_here(&["openssl"]) {
        return;
    }
    let today = Today::new();
    let cases = [
        (Some("sound"), None),
        (None, Some("client-certificate-missing")),
        (Some("revoked"), Some("client-certificate-revoked")),
        (Some("expired"), Some("client-certificate-expired")),
        (Some("wrong-ca"), Some("client-certificate-wrong-ca")),
    ];
    for version in ["-tls1_2", "-tls1_3"] {
        for (own, id) in cases {
            let (_server, port) = s_server(&today, version).await;
            let client = today.client(own);
            let connected = client.connect("127.0.0.1", ([127, 0, 0, 1], port).into()).await;
            let found = match connected {
                Err(error) => Some(error),
                Ok(mut connection) => {
                    // It answers a request, or with an alert that comes late.
                    let asked = connection.stream.write_all(b"GET / HTTP/1.0\r\n\r\n").await;
                    let mut line = String::new();
                    let read = match asked {
                        Ok(()) => BufReader::new(&mut connection.stream).read_line(&mut line).await,
                        Err(error) => Err(error),
                    };
                    read.err().map(|error| connection.explain(error))
                }
            };
            let found_id = found.as_ref().map(|error| error.id());
            assert_eq!(found_id.as_deref(), id, "{version} {own:?}: {found:?}");
        }
    }
}

/// A server at a port that it has chosen itself.
async fn s_server(today: &Today, version: &str) -> (Child, u16) {
    let mut process = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-www", version, "-Verify", "5"])
        .args(["-verify_return_error", "-crl_check", "-CRL", &today.path("list.crl")])
        .args(["-CAfile", &today.path("ca.pem"), "-cert", &today.path("server.pem")])
        .args(["-cert_chain", &today.path("server.pem"), "-key", &today.path("server.key")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    loop {
        let line = lines.next_line().await.unwrap().expect("it says where it listens");
        if let Some(port) = line.strip_prefix("ACCEPT ").and_then(|at| at.rsplit(':').next()) {
            let port = port.trim().parse().unwrap();
            // Whatever it says later goes nowhere, and must not stop it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return (process, port);
        }
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn are_here(programs: &[&str]) -> bool {
    let is_missing = |program: &&&str| {
        let asked = std::process::Command::new(program).arg("--version").output();
        asked.is_err()
    };
    let Some(missing) = programs.iter().find(is_missing) else { return true };
    let required = std::env::var("TRUSTRIG_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
    assert!(!required, "there is no `{missing}` program here");
    // Written past the test harness, which hides what is printed.
    let line = format!("SKIPPED: there is no `{missing}` program here\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    false
}
