//! Peers that are not this crate's: thieves, strangers, TLS 1.3, OpenSSL and GnuTLS.

use std::{io::Write as _, process::Stdio, sync::Arc};

use fake_dc_pki::KeyKind;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, ServerConfig, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    sign::{CertifiedKey, SingleCertAndKey},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    process::Command,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use trust_models::pinned::{Conclusion, Connection, Party, PinnedError, Reason};

use crate::world::{identity, key_of, ledger, parts, party, self_signed};

/// Believes every server.
#[derive(Debug)]
struct Gullible;

impl ServerCertVerifier for Gullible {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// Shows the certificate of `shown` and signs with the key of `owned`.
fn resolver(shown: &str, owned: &str) -> Arc<SingleCertAndKey> {
    let (certificates, _) = parts(&self_signed("peer", shown, KeyKind::EcdsaP256));
    let (_, key) = parts(&self_signed("peer", owned, KeyKind::EcdsaP256));
    let key = default_provider().key_provider.load_private_key(key).unwrap();
    Arc::new(SingleCertAndKey::from(CertifiedKey::new(certificates, key)))
}

/// An agent that knows the owner of `manager`.
fn agent() -> Party {
    let agent = party(&ledger(), "agent1", key_of("agent1", 1));
    let manager = identity(&self_signed("peer", "manager", KeyKind::EcdsaP256));
    agent.known_keys().add("manager1".into(), manager.public_key().clone());
    agent
}

/// What an agent makes of a client.
async fn accepted(
    version: &'static rustls::SupportedProtocolVersion,
    shown: Option<Arc<SingleCertAndKey>>,
) -> Result<Connection, PinnedError> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Gullible));
    let config = match shown {
        Some(resolver) => config.with_client_cert_resolver(resolver),
        None => config.with_no_client_auth(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // It stays as long as the server keeps it.
    let client = tokio::spawn(async move {
        let tcp = TcpStream::connect(address).await.unwrap();
        let name = ServerName::try_from("whoever").unwrap();
        if let Ok(mut stream) = TlsConnector::from(Arc::new(config)).connect(name, tcp).await {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    });
    let outcome = agent().accept(listener.accept().await.unwrap().0).await;
    client.abort();
    outcome
}

fn reason(outcome: Result<Connection, PinnedError>) -> Reason {
    match outcome {
        Err(PinnedError::Refused(verdict)) => match verdict.conclusion {
            Conclusion::Refused(reason) => reason,
            Conclusion::Trusted { peer } => panic!("trusted as {peer}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn clients_are_judged_by_key_and_possession_in_both_versions() {
    for version in [&TLS12, &TLS13] {
        let owner = accepted(version, Some(resolver("manager", "manager"))).await.unwrap();
        assert_eq!(owner.verdict.trusted(), Some(&"manager1".into()));
        let thief = accepted(version, Some(resolver("manager", "thief"))).await;
        assert_eq!(reason(thief), Reason::PossessionRefuted);
        let stranger = accepted(version, Some(resolver("stranger", "stranger"))).await;
        assert_eq!(reason(stranger), Reason::KeyNotPinned);
        assert_eq!(reason(accepted(version, None).await), Reason::NoCertificate);
    }
}

#[tokio::test]
async fn a_server_that_shows_a_certificate_without_owning_its_key_is_refused() {
    let manager = party(&ledger(), "manager1", key_of("manager1", 1));
    let key = identity(&self_signed("peer", "agent", KeyKind::EcdsaP256)).public_key().clone();
    manager.known_keys().add("agent1".into(), key);
    for (owned, expected) in [("agent", None), ("thief", Some(Reason::PossessionRefuted))] {
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS12])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(resolver("agent", owned));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = async {
            let tcp = listener.accept().await.unwrap().0;
            TlsAcceptor::from(Arc::new(config)).accept(tcp).await.is_ok()
        };
        let peer = "agent1".into();
        let (dialled, _) = tokio::join!(manager.dial(&peer, address), server);
        match expected {
            None => assert!(dialled.is_ok(), "{dialled:?}"),
            Some(expected) => assert_eq!(reason(dialled), expected),
        }
    }
}

#[tokio::test]
async fn what_is_no_tls_fails_and_is_noted() {
    let agent = agent();
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"", &[0x16, 3, 1, 0xff, 0xff], &[0; 300]] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let outcome = agent.accept(listener.accept().await.unwrap().0).await;
        assert!(matches!(outcome, Err(PinnedError::Handshake(_))), "{outcome:?}");
    }
    let nobody = agent.dial(&"manager1".into(), ([127, 0, 0, 1], 1).into()).await;
    assert!(matches!(nobody, Err(PinnedError::Connect { .. })), "{nobody:?}");
}

/// Whether a program is here; says so if it is not.
async fn is_here(program: &str) -> bool {
    let here = Command::new(program).arg("--version").output().await.is_ok();
    if !here {
        let required = std::env::var("TRUSTRIG_REQUIRE_TOOLS").is_ok_and(|value| value == "1");
        assert!(!required, "there is no `{program}` program here");
        // Written past the test harness, which hides what is printed.
        let skipped = format!("SKIPPED: there is no `{program}` program here\n");
        std::io::stderr().write_all(skipped.as_bytes()).unwrap();
    }
    here
}

/// A certificate and its key for a program to read.
fn pem_file(owner: &str) -> tempfile::NamedTempFile {
    let chain = self_signed("peer", owner, KeyKind::EcdsaP256);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(chain.to_pem().as_bytes()).unwrap();
    file.write_all(chain.key.to_pem().as_bytes()).unwrap();
    file
}

/// What an agent makes of a client program, which must print what the agent says.
async fn client_program_is_judged(
    owner_is_trusted: bool,
    mut command: Command,
    address: TcpListener,
) {
    let mut client = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let outcome = agent().accept(address.accept().await.unwrap().0).await;
    if owner_is_trusted {
        let mut stream = outcome.unwrap().stream;
        stream.write_all(b"welcome\n").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut said = String::new();
        client.stdout.take().unwrap().read_to_string(&mut said).await.unwrap();
        assert!(said.contains("welcome\n"), "{said}");
    } else {
        assert_eq!(reason(outcome), Reason::KeyNotPinned);
    }
}

/// Independent clients, in both versions.
#[tokio::test]
async fn openssl_connects_with_the_pinned_key_and_not_with_another() {
    if !is_here("openssl").await {
        return;
    }
    for protocol in ["-tls1_2", "-tls1_3"] {
        for (owner, trusted) in [("manager", true), ("stranger", false)] {
            let file = pem_file(owner);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let mut command = Command::new("openssl");
            command.args(["s_client", "-quiet", protocol, "-connect", &address, "-cert"]);
            command.arg(file.path()).arg("-key").arg(file.path());
            client_program_is_judged(trusted, command, listener).await;
        }
    }
}

#[tokio::test]
async fn gnutls_connects_with_the_pinned_key_and_not_with_another() {
    if !is_here("gnutls-cli").await {
        return;
    }
    for version in ["VERS-TLS1.2", "VERS-TLS1.3"] {
        for (owner, trusted) in [("manager", true), ("stranger", false)] {
            let file = pem_file(owner);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port().to_string();
            let mut command = Command::new("gnutls-cli");
            let priority = format!("NORMAL:-VERS-ALL:+{version}");
            command.args(["--insecure", "--priority", &priority, "--port", &port]);
            command.arg("--x509certfile").arg(file.path()).arg("--x509keyfile").arg(file.path());
            command.arg("127.0.0.1");
            client_program_is_judged(trusted, command, listener).await;
        }
    }
}

/// An independent server that demands a certificate: it gets one, and its own key decides.
#[tokio::test]
async fn openssls_server_is_believed_by_its_key_alone() {
    if !is_here("openssl").await {
        return;
    }
    for (owner, trusted) in [("agent", true), ("stranger", false)] {
        let file = pem_file(owner);
        let mut server = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-Verify", "1", "-naccept", "1"])
            .arg("-cert")
            .arg(file.path())
            .arg("-key")
            .arg(file.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("it says where it listens");
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                break address.parse().unwrap();
            }
        };
        let manager = party(&ledger(), "manager1", key_of("manager1", 1));
        let key = identity(&self_signed("peer", "agent", KeyKind::EcdsaP256)).public_key().clone();
        manager.known_keys().add("agent1".into(), key);
        let dialled = manager.dial(&"agent1".into(), address).await;
        if trusted {
            let mut stream = dialled.unwrap().stream;
            stream.write_all(b"welcome\n").await.unwrap();
            // It has our certificate, and prints what we say.
            while lines.next_line().await.unwrap().expect("it prints it") != "welcome" {}
        } else {
            assert_eq!(reason(dialled), Reason::KeyNotPinned);
        }
    }
}
