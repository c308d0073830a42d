//! Every fault of the family `handshake`, observed from outside: by GnuTLS with the priority string of
//! xapi, by OpenSSL, and by a raw socket. Beside each faulty connection stands a sound one, made by the
//! same client to the same DC after the fault was cleared.
//!
//! Needs `gnutls-cli` and `openssl` (Debian: `gnutls-bin`, `openssl`). Without them the tests say that
//! they are skipped; with `TRUSTRIG_REQUIRE_TOOLS=1` they fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod common;

use std::{
    io,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use common::{PATIENCE, event, tls};
use fake_dc::{Dc, Domain, facts::Listener};
use ground::{Clock, Ledger, Timestamp, VirtualClock};
use ldap_wire::{
    Decoded, ExtendedRequest, LdapMessage, Limits, ProtocolOp, SearchRequest, extended::START_TLS,
};
use rustls::ClientConnection;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// What xapi writes as `tls priority` (samba-tls-verify.md, section 1).
const XAPI: &str = "NONE:+VERS-TLS1.2:+AES-256-GCM:+AES-128-GCM:+AEAD:+ECDHE-RSA:+SIGN-ALL:\
                    +GROUP-SECP384R1:+COMP-NULL:%SERVER_PRECEDENCE";

/// A real program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    /// `gnutls-cli` with this priority string.
    Gnutls(&'static str),
    /// `openssl s_client`.
    Openssl,
}
use Program::{Gnutls, Openssl};

/// One client at one port, and the words it must say.
struct Sight {
    fault: &'static str,
    program: Program,
    arguments: &'static [&'static str],
    listener: Listener,
    /// All of them while the fault is there.
    words: &'static [&'static str],
}

/// `gnutls-cli` as xapi's Samba would see it, on LDAPS.
const fn xapi(fault: &'static str, words: &'static [&'static str]) -> Sight {
    Sight { fault, program: Gnutls(XAPI), arguments: &[], listener: Listener::Ldaps, words }
}

/// OpenSSL's client, on LDAPS.
const fn openssl(
    fault: &'static str,
    arguments: &'static [&'static str],
    words: &'static [&'static str],
) -> Sight {
    Sight { fault, program: Openssl, arguments, listener: Listener::Ldaps, words }
}

impl Sight {
    const fn at_ldap(self) -> Self {
        Self { listener: Listener::Ldap, ..self }
    }

    const fn with(self, priority: &'static str) -> Self {
        Self { program: Gnutls(priority), ..self }
    }
}

const ALERT: &str = "*** Fatal error: A TLS fatal alert has been received.";
const NO_COMMON: &[&str] = &[ALERT, "*** Received alert [40]: Handshake failed"];
const ENDED: &[&str] = &["*** Fatal error: The TLS connection was non-properly terminated."];
const BROKEN: &[&str] = &["*** Fatal error: Error in the pull function."];
const NO_TLS: &[&str] = &["*** Fatal error: An unexpected TLS packet was received."];
const TRUSTED: &[&str] = &["The certificate is trusted.", "Handshake was completed"];
const VERIFIED: &[&str] = &["Verify return code: 0 (ok)"];
const OPENSSL_EOF: &[&str] = &["unexpected eof while reading"];
const NO_HANDSHAKE: &[&str] = &["New, (NONE), Cipher is (NONE)"];

const SIGHTS: &[Sight] = &[
    // Versions and suites.
    xapi("handshake.tls10-only", NO_COMMON),
    openssl("handshake.tls10-only", &[], &["Protocol  : TLSv1\n", "Cipher    : AES128-SHA\n"]),
    openssl("handshake.tls10-only", &["-tls1_2"], &["unsupported protocol"]),
    xapi("handshake.tls10-only", TRUSTED).with("NORMAL:-VERS-ALL:+VERS-TLS1.0:+VERS-TLS1.2"),
    xapi("handshake.tls11-only", NO_COMMON),
    openssl("handshake.tls11-only", &[], &["Protocol  : TLSv1.1\n", "Cipher    : AES128-SHA\n"]),
    xapi("handshake.tls13-only", &[ALERT, "*** Received alert [70]: Error in protocol version"]),
    openssl("handshake.tls13-only", &[], &["New, TLSv1.3"]),
    xapi("handshake.static-rsa-only", NO_COMMON),
    openssl(
        "handshake.static-rsa-only",
        &[],
        &["Protocol  : TLSv1.2\n", "Cipher    : AES256-GCM-SHA384\n"],
    ),
    xapi("handshake.static-rsa-only", TRUSTED).with("NORMAL:-VERS-ALL:+VERS-TLS1.2"),
    xapi("handshake.cbc-only", NO_COMMON),
    openssl("handshake.cbc-only", &[], &["Cipher    : ECDHE-RSA-AES128-SHA256\n"]),
    xapi("handshake.cbc-only", TRUSTED).with("NORMAL"),
    xapi("handshake.ecdsa-suites-only", NO_COMMON),
    openssl("handshake.ecdsa-suites-only", &[], &["alert handshake failure"]),
    xapi("handshake.no-common-cipher", NO_COMMON),
    openssl("handshake.no-common-cipher", &[], &["Cipher is TLS_CHACHA20_POLY1305_SHA256"]),
    xapi("handshake.no-common-group", NO_COMMON),
    openssl("handshake.no-common-group", &[], &["Server Temp Key: ECDH, prime256v1"]),
    xapi("handshake.no-extended-master-secret", TRUSTED),
    openssl("handshake.no-extended-master-secret", &[], &["Extended master secret: no"]),
    // Parameters that were not offered.
    xapi(
        "handshake.unoffered-cipher",
        &["*** Fatal error: Could not negotiate a supported cipher suite."],
    ),
    openssl("handshake.unoffered-cipher", &["-tls1_2"], &["wrong cipher returned"]),
    xapi("handshake.unoffered-group", &["*** Fatal error: The curve is unsupported"]),
    openssl("handshake.unoffered-group", &["-groups", "P-384"], &["wrong curve"]),
    xapi(
        "handshake.wrong-version",
        &["*** Fatal error: A packet with illegal or unsupported version was received."],
    ),
    openssl("handshake.wrong-version", &["-tls1_2"], &["unsupported protocol"]),
    // The end.
    xapi("handshake.alert-on-hello", NO_COMMON),
    openssl("handshake.alert-on-hello", &[], &["SSL alert number 40"]),
    xapi(
        "handshake.alert-on-hello:close-notify",
        &["*** Fatal error: Peer has terminated the connection"],
    ),
    xapi("handshake.alert-on-hello:protocol_version", &["*** Received alert [70]"]),
    xapi("handshake.alert-on-hello:80@ldap", &["*** Received alert [80]"]).at_ldap(),
    xapi("handshake.alert-on-hello@ldap", TRUSTED),
    xapi("handshake.alert-after-certificate", &[ALERT, "*** Received alert [80]: Internal error"]),
    openssl("handshake.alert-after-certificate:decrypt-error", &[], &["SSL alert number 51"]),
    xapi("handshake.close-before-hello", ENDED),
    openssl("handshake.close-before-hello", &[], OPENSSL_EOF),
    xapi("handshake.close-before-hello", TRUSTED).at_ldap(),
    xapi("handshake.close-on-hello", ENDED),
    openssl("handshake.close-on-hello", &[], OPENSSL_EOF),
    xapi("handshake.close-after-certificate", ENDED),
    openssl("handshake.close-after-certificate", &["-tls1_2"], OPENSSL_EOF),
    xapi("handshake.reset-on-hello", BROKEN),
    openssl("handshake.reset-on-hello", &[], &["write:errno=104"]),
    xapi("handshake.reset-after-server-hello", BROKEN),
    openssl("handshake.reset-after-server-hello", &[], &["write:errno=104"]),
    // Proofs.
    xapi(
        "handshake.key-mismatch",
        &["*** Fatal error: Public key signature verification has failed."],
    ),
    openssl("handshake.key-mismatch", &[], &["tls_process_cert_verify:bad signature"]),
    openssl("handshake.key-mismatch", &["-tls1_2"], &["tls_process_key_exchange:bad signature"]),
    xapi(
        "handshake.bad-signature",
        &["*** Fatal error: Public key signature verification has failed."],
    ),
    openssl("handshake.bad-signature", &[], &["tls_process_cert_verify:bad signature"]),
    xapi("handshake.sha1-signature", &["-(RSA-SHA1)-", "Handshake was completed"]),
    openssl("handshake.sha1-signature", &[], &["Peer signing digest: SHA1"]),
    openssl("handshake.sha1-signature", &["-cipher", "ALL:@SECLEVEL=1"], &["wrong signature type"]),
    xapi(
        "handshake.bad-finished",
        &["*** Fatal error: An error was encountered at the TLS Finished packet calculation."],
    ),
    openssl("handshake.bad-finished", &[], &["tls_process_finished:digest check failed"]),
    xapi("handshake.damaged-record", &["*** Fatal error: Decryption has failed."]),
    openssl("handshake.damaged-record", &[], &["decryption failed or bad record mac"]),
    openssl("handshake.damaged-record", &["-tls1_2"], &["decryption failed or bad record mac"]),
    xapi(
        "handshake.oversized-record",
        &["*** Fatal error: A TLS record packet with invalid length was received."],
    ),
    openssl("handshake.oversized-record", &["-tls1_2"], &["ssl3_get_record:"]),
    // Certificates.
    xapi("handshake.no-certificate", BROKEN),
    openssl("handshake.no-certificate", &[], &["write:errno=104"]),
    openssl("handshake.no-certificate", &[], NO_HANDSHAKE).at_ldap(),
    xapi("handshake.empty-certificate-list", &["*** Fatal error: No certificate was found."]),
    openssl("handshake.empty-certificate-list", &[], &["tls_process_server_certificate:"]),
    xapi(
        "handshake.huge-certificate-list",
        &["*** Fatal error: The handshake data size is too large."],
    ),
    openssl("handshake.huge-certificate-list", &[], &["excessive message size"]),
    xapi(
        "handshake.depends-on-sni",
        &["The certificate is NOT trusted. The certificate issuer is unknown."],
    ),
    openssl("handshake.depends-on-sni", &[], &["verify error:num=18:self-signed certificate"]),
    openssl("handshake.depends-on-sni", &["-servername", "dc1.corp.example"], VERIFIED),
    xapi(
        "handshake.requires-sni",
        &["*** Received alert [112]: The server name sent was not recognized"],
    ),
    openssl("handshake.requires-sni", &["-servername", "dc1.corp.example"], VERIFIED),
    xapi("handshake.differs-per-port", TRUSTED),
    xapi("handshake.differs-per-port", &["The certificate chain uses expired certificate."])
        .at_ldap(),
    xapi("handshake.differs-per-port:ldaps", &["The certificate chain uses expired certificate."]),
    xapi("handshake.differs-per-port:ldaps", TRUSTED).at_ldap(),
    xapi("handshake.client-certificate-requested", TRUSTED),
    openssl(
        "handshake.client-certificate-requested",
        &["-tls1_2"],
        &["Client Certificate Types: RSA sign"],
    ),
    xapi(
        "handshake.client-certificate-required",
        &[ALERT, "*** Received alert [116]: Certificate is required"],
    ),
    openssl("handshake.client-certificate-required", &["-tls1_2"], &["SSL alert number 116"]),
    // No TLS, and TLS where there should be none.
    xapi("handshake.garbage", NO_TLS),
    openssl("handshake.garbage", &[], &["wrong version number"]),
    xapi("handshake.plain-ldap-on-636", NO_TLS),
    openssl("handshake.plain-ldap-on-636", &[], &["wrong version number"]),
    xapi("handshake.http-on-636", NO_TLS),
    openssl("handshake.http-on-636", &[], &["wrong version number"]),
    openssl("handshake.tls-on-389", &[], NO_HANDSHAKE).at_ldap(),
    openssl("handshake.starttls-refused", &[], NO_HANDSHAKE).at_ldap(),
    xapi("handshake.starttls-refused", TRUSTED),
    xapi("handshake.starttls-accepted-then-closed", ENDED).at_ldap(),
    xapi("handshake.starttls-accepted-then-closed", TRUSTED),
    openssl("handshake.starttls-injected-data", &[], VERIFIED).at_ldap(),
];

#[tokio::test(flavor = "multi_thread")]
async fn clients_see_what_is_wrong() {
    if !has_programs() {
        return;
    }
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let next = Arc::clone(&next);
        workers.push(tokio::spawn(async move {
            let mut wrong = Vec::new();
            while let Some(sight) = SIGHTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                wrong.extend(look(sight).await.err());
            }
            wrong
        }));
    }
    let mut wrong = Vec::new();
    for worker in workers {
        wrong.extend(worker.await.unwrap());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Programs that run at the same time.
const WORKERS: usize = 6;

/// The faulty and the sound connection of one client.
async fn look(sight: &Sight) -> Result<(), String> {
    let Sight { fault, program, arguments, listener, words } = *sight;
    let domain = Domain::builder("corp.example").fault("dc1", fault).start().await.unwrap();
    let output = run(&domain, program, arguments, listener).await;
    for word in words {
        if !output.contains(word) {
            return Err(format!(
                "{fault}: {program:?} {arguments:?} does not say `{word}`\n{output}"
            ));
        }
    }
    domain.clear_faults("dc1").unwrap();
    let output = run(&domain, program, arguments, listener).await;
    let sound = if program == Openssl { VERIFIED } else { TRUSTED };
    let is_sound =
        sound.iter().all(|word| output.contains(word)) && !output.contains("Fatal error");
    // A connection that failed has the return code of no verification too.
    if !is_sound || output.contains(NO_HANDSHAKE[0]) {
        return Err(format!("{fault} cleared: {program:?} {arguments:?}\n{output}"));
    }
    Ok(())
}

/// What the program says at that port, with nothing to send.
async fn run(domain: &Domain, program: Program, arguments: &[&str], listener: Listener) -> String {
    let dc = domain.dc("dc1").unwrap();
    let address = if listener == Listener::Ldap { dc.ldap() } else { dc.ldaps() };
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, domain.ca_pem()).unwrap();
    let mut command = command(program, address, listener);
    command.arg(if program == Openssl { "-CAfile" } else { "--x509cafile" }).arg(&ca);
    if program == Openssl && !arguments.contains(&"-servername") {
        command.arg("-noservername");
    }
    command.args(arguments).stdin(Stdio::null());
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = timeout(PATIENCE, running).await.unwrap().unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn command(program: Program, address: SocketAddr, listener: Listener) -> Command {
    let is_ldap = listener == Listener::Ldap;
    match program {
        Gnutls(priority) => {
            let mut command = Command::new("gnutls-cli");
            // An address, so that no name is sent, as Samba sends none.
            command.args(["--priority", priority, "--verify-hostname", "dc1.corp.example"]);
            command.args(is_ldap.then_some("--starttls-proto=ldap"));
            command.args(["-p", &address.port().to_string(), &address.ip().to_string()]);
            command
        }
        Openssl => {
            let mut command = Command::new("openssl");
            command.args(["s_client", "-connect", &address.to_string(), "-verify_return_error"]);
            // Level 0 lets TLS 1.0 be offered.
            command.args(["-cipher", "ALL:@SECLEVEL=0"]);
            command.args(is_ldap.then_some(["-starttls", "ldap"]).iter().flatten());
            command
        }
    }
}

/// True if both programs are there; says so if they are not.
fn has_programs() -> bool {
    let runs = |program, argument| {
        let mut command = Command::new(program);
        let command = command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = runs("gnutls-cli", "--version") && runs("openssl", "version");
    let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(
        found || !required,
        "gnutls-cli or openssl is missing, and TRUSTRIG_REQUIRE_TOOLS is set"
    );
    if !found {
        eprintln!("SKIPPED: needs gnutls-cli and openssl (Debian: gnutls-bin and openssl)");
    }
    found
}

async fn domain(fault: &str) -> Domain {
    Domain::builder("corp.example").fault("dc1", fault).start().await.unwrap()
}

fn dc(domain: &Domain) -> &Dc {
    domain.dc("dc1").unwrap()
}

/// What a client sends first.
fn client_hello(domain: &Domain) -> Vec<u8> {
    let name = "dc1.corp.example".try_into().unwrap();
    let mut client = ClientConnection::new(common::xapi(domain), name).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    hello
}

/// A connection to LDAPS on which a hello has been said.
async fn greeted(domain: &Domain) -> TcpStream {
    let mut stream = TcpStream::connect(dc(domain).ldaps()).await.unwrap();
    stream.write_all(&client_hello(domain)).await.unwrap();
    stream
}

/// Everything until the DC ends the connection.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    bytes
}

/// The next LDAP message.
async fn answer(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> LdapMessage {
    loop {
        if let Decoded::Message { message, consumed } =
            ldap_wire::decode(bytes, &Limits::DEFAULT).unwrap()
        {
            bytes.drain(..consumed);
            return message;
        }
        let size = timeout(PATIENCE, stream.read_buf(bytes)).await.unwrap().unwrap();
        assert_ne!(size, 0, "the end instead of an answer");
    }
}

fn start_tls(id: u32) -> Vec<u8> {
    let request = ExtendedRequest { name: START_TLS.to_owned(), value: None };
    LdapMessage::new(id, ProtocolOp::ExtendedRequest(request)).encode()
}

fn search(id: u32) -> Vec<u8> {
    LdapMessage::new(id, ProtocolOp::SearchRequest(SearchRequest::default())).encode()
}

#[tokio::test]
async fn bytes_in_place_of_a_handshake() {
    for (fault, bytes) in [
        ("handshake.alert-on-hello", &[21, 3, 3, 0, 2, 2, 40][..]),
        ("handshake.alert-on-hello:close_notify", &[21, 3, 3, 0, 2, 1, 0]),
        ("handshake.alert-on-hello:255", &[21, 3, 3, 0, 2, 2, 255]),
        ("handshake.tls10-only", &[21, 3, 1, 0, 2, 2, 40]),
        ("handshake.tls11-only", &[21, 3, 2, 0, 2, 2, 40]),
        ("handshake.static-rsa-only", &[21, 3, 3, 0, 2, 2, 40]),
        ("handshake.close-on-hello", b""),
        ("handshake.garbage", &[0xde, 0xad, 0xbe, 0xef, 0, 1, 2, 3]),
        ("handshake.http-on-636", b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
    ] {
        let domain = domain(fault).await;
        assert_eq!(rest(&mut greeted(&domain).await).await, bytes, "{fault}");
        assert_eq!(event(&domain, "dc1", "tls.handshake").await.fields()["outcome"], "failed");
    }
    // A hello is no LDAP message: the server says so in LDAP, and closes.
    let domain = domain("handshake.plain-ldap-on-636").await;
    assert_eq!(rest(&mut greeted(&domain).await).await[0], 0x30);
    let mut stream = TcpStream::connect(dc(&domain).ldaps()).await.unwrap();
    stream.write_all(&search(1)).await.unwrap();
    assert_eq!(answer(&mut stream, &mut Vec::new()).await.id, 1);
}

#[tokio::test]
async fn ends_of_connections() {
    let closing = domain("handshake.close-before-hello").await;
    let mut stream = TcpStream::connect(dc(&closing).ldaps()).await.unwrap();
    assert_eq!(rest(&mut stream).await, b"", "closed though nothing was said");
    for fault in ["handshake.reset-on-hello", "handshake.no-certificate"] {
        let domain = domain(fault).await;
        let error = greeted(&domain).await.read_to_end(&mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{fault}");
    }
    let cut = domain("handshake.reset-after-server-hello").await;
    let mut bytes = Vec::new();
    let error = greeted(&cut).await.read_to_end(&mut bytes).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

/// Silence lasts as long as the client likes, and no longer.
#[tokio::test]
async fn servers_that_fall_silent() {
    let mute = domain("handshake.stall-on-hello").await;
    let mut stream = greeted(&mute).await;
    let event = event(&mute, "dc1", "tls.handshake").await;
    assert_eq!(event.fields()["reason"], "handshake.stall-on-hello");
    timeout(BRIEFLY, stream.read_u8()).await.unwrap_err();
    drop(stream);
    timeout(PATIENCE, mute.quiet()).await.unwrap();

    let stalling = domain("handshake.stall-after-server-hello").await;
    let mut stream = greeted(&stalling).await;
    let mut header = [0; 5];
    stream.read_exact(&mut header).await.unwrap();
    assert_eq!(header[..3], [22, 3, 3], "a handshake record");
    let mut record = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
    stream.read_exact(&mut record).await.unwrap();
    assert_eq!(record[0], 2, "a ServerHello");
    let size = usize::from(record[2]) << 8 | usize::from(record[3]);
    assert_eq!(record.len(), 4 + size, "and nothing else");
    timeout(BRIEFLY, stream.read_u8()).await.unwrap_err();
    drop(stream);
    timeout(PATIENCE, stalling.quiet()).await.unwrap();

    let dripping = domain("handshake.slow-drip:50ms").await;
    let mut stream = greeted(&dripping).await;
    let begun = Instant::now();
    let mut pieces = Vec::new();
    for _ in 0..5 {
        let mut piece = vec![0; 100];
        let size = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap().unwrap();
        pieces.push(piece[..size].to_vec());
    }
    assert!(pieces.iter().all(|piece| piece.len() == 1), "one byte at a time: {pieces:?}");
    assert_eq!(pieces.concat()[..3], [22, 3, 3], "a handshake record");
    assert!(begun.elapsed() >= Duration::from_millis(200), "four pauses");
    drop(stream);
    timeout(PATIENCE, dripping.quiet()).await.unwrap();

    // Other requests are answered.
    let deaf = domain("handshake.starttls-unanswered").await;
    let mut stream = TcpStream::connect(dc(&deaf).ldap()).await.unwrap();
    stream.write_all(&[start_tls(1), search(2)].concat()).await.unwrap();
    assert_eq!(answer(&mut stream, &mut Vec::new()).await.id, 2);
}

/// How long nothing is waited for.
const BRIEFLY: Duration = Duration::from_millis(200);

#[tokio::test]
async fn starttls_that_is_refused() {
    for fault in ["handshake.starttls-refused", "handshake.no-certificate"] {
        let domain = domain(fault).await;
        let mut stream = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
        stream.write_all(&start_tls(1)).await.unwrap();
        let mut bytes = Vec::new();
        let ProtocolOp::ExtendedResponse(response) = answer(&mut stream, &mut bytes).await.op
        else {
            panic!("no extended response")
        };
        assert_eq!(response.result.code.0, 52, "{fault}");
        assert!(response.result.diagnostic.contains("Error initializing SSL/TLS"));
        // The connection goes on in clear.
        stream.write_all(&search(2)).await.unwrap();
        assert_eq!(answer(&mut stream, &mut bytes).await.id, 2);
    }
    let domain = domain("handshake.starttls-accepted-then-closed").await;
    let mut stream = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
    stream.write_all(&start_tls(1)).await.unwrap();
    let mut bytes = rest(&mut stream).await;
    let ProtocolOp::ExtendedResponse(response) = answer(&mut stream, &mut bytes).await.op else {
        panic!("no extended response")
    };
    assert!(response.result.is_success());
    assert!(bytes.is_empty());
}

#[tokio::test]
async fn data_before_tls() {
    let domain = domain("handshake.starttls-injected-data").await;
    let mut stream = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
    stream.write_all(&start_tls(7)).await.unwrap();
    let mut bytes = Vec::new();
    assert!(matches!(answer(&mut stream, &mut bytes).await.op, ProtocolOp::ExtendedResponse(_)));
    let injected = answer(&mut stream, &mut bytes).await;
    assert_eq!(injected.id, 8, "what the client would ask next");
    assert!(matches!(injected.op, ProtocolOp::BindResponse(bound) if bound.result.is_success()));
    // Who has thrown that away gets TLS.
    stream.write_all(&client_hello(&domain)).await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 22);
    let tls = tls(dc(&domain).ldaps(), "dc1.corp.example", common::trusting(&domain)).await;
    tls.unwrap();
}

#[tokio::test]
async fn tls_on_389() {
    let domain = domain("handshake.tls-on-389").await;
    tls(dc(&domain).ldap(), "dc1.corp.example", common::trusting(&domain)).await.unwrap();
}

/// The leaf that the DC shows to whoever comes next.
async fn leaf(address: SocketAddr) -> Vec<u8> {
    let (config, shown) = common::noting();
    tls(address, "dc1.corp.example", config).await.unwrap();
    shown.certificates()[0].clone()
}

#[tokio::test]
async fn chains_that_change_between_connections() {
    let domain = domain("handshake.rotates-mid-run:2").await;
    let (ldaps, own) = (dc(&domain).ldaps(), dc(&domain).chain().certificates[0].to_vec());
    assert_eq!(leaf(ldaps).await, own);
    assert_eq!(leaf(ldaps).await, own);
    let other = leaf(ldaps).await;
    assert_ne!(other, own);
    // Another fault beside it changes nothing of that; setting it anew begins anew.
    domain.set_faults("dc1", ["ldap.busy", "handshake.rotates-mid-run:2"]).unwrap();
    assert_eq!(leaf(ldaps).await, other);
    domain.set_faults("dc1", ["handshake.rotates-mid-run"]).unwrap();
    assert_eq!(leaf(ldaps).await, own);
    assert_eq!(leaf(ldaps).await, other);

    domain.set_faults("dc1", ["handshake.alternates"]).unwrap();
    let mut shown = Vec::new();
    for _ in 0..4 {
        shown.push(leaf(ldaps).await == own);
    }
    assert_eq!(shown, [true, false, true, false]);
    let leaves: Vec<_> = domain
        .ledger()
        .events()
        .iter()
        .filter(|event| event.kind() == "tls.handshake")
        .map(|event| event.fields()["leaf"].clone())
        .collect();
    assert_ne!(leaves[9], leaves[8], "the ledger has what was shown");
}

/// What a client with xapi's policy leaves in the ledger of a DC with that fault, at both ports.
async fn story(fault: &str, now: Timestamp) -> Vec<String> {
    let time = VirtualClock::starting_at(now);
    let domain = Domain::builder("corp.example")
        .fault("dc1", fault)
        .clock(time.clock())
        .ledger(Ledger::new(time.clock()))
        .start()
        .await
        .unwrap();
    // A DC that says nothing has at least recorded what it heard.
    let is_silent = fault.contains("stall") || fault.contains("unanswered");
    for listener in [Listener::Ldaps, Listener::Ldap, Listener::Ldaps] {
        let before = domain.ledger().last();
        let recorded = |kind: &'static str| {
            domain.ledger().wait_for_after(before, move |event| is_silent && event.kind() == kind)
        };
        let visit = async {
            if listener == Listener::Ldap {
                let mut stream = TcpStream::connect(dc(&domain).ldap()).await.unwrap();
                stream.write_all(&start_tls(1)).await.unwrap();
                let mut answer = [0; 200];
                tokio::select! {
                    _ = stream.read(&mut answer) => {}
                    _ = recorded("ldap.request") => {}
                }
            } else if fault == "handshake.slow-drip" {
                // Nobody waits for all of it.
                greeted(&domain).await.read_u8().await.unwrap();
            } else {
                let stream = TcpStream::connect(dc(&domain).ldaps()).await.unwrap();
                let name = "dc1.corp.example".try_into().unwrap();
                let client = TlsConnector::from(common::xapi(&domain));
                tokio::select! {
                    _ = client.connect(name, stream) => {}
                    _ = recorded("tls.handshake") => {}
                }
            }
        };
        timeout(PATIENCE, visit).await.unwrap();
        timeout(PATIENCE, domain.quiet()).await.unwrap();
    }
    let told = domain
        .ledger()
        .causal_order()
        .into_iter()
        .map(|event| format!("{} {} {:?}", event.actor, event.kind(), event.fields()));
    let told = told.collect();
    timeout(PATIENCE, domain.stop()).await.unwrap();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_tells_the_same_of_every_fault_twice() {
    let now = Clock::system().now();
    let mut twins = Vec::new();
    for fault in family() {
        twins.push(tokio::spawn(async move {
            let (first, second) = tokio::join!(story(fault, now), story(fault, now));
            assert_eq!(first, second, "{fault}");
            assert!(first.len() > 3, "{first:?}");
        }));
    }
    for twin in twins {
        twin.await.unwrap();
    }
}

fn family() -> impl Iterator<Item = &'static str> {
    let ids = fake_dc::faults::catalogue().into_iter().map(|fault| fault.id);
    ids.filter(|id| id.starts_with("handshake."))
}

/// A fault of the family without a client that sees it, or without a drawing, fails this.
#[test]
fn every_fault_of_the_family_is_observed() {
    let sent_raw = include_str!("handshake_faults.rs");
    for fault in fake_dc::faults::catalogue() {
        if !fault.id.starts_with("handshake.") {
            continue;
        }
        let quoted = [format!("\"{}\"", fault.id), format!("\"{}:", fault.id)];
        assert!(quoted.iter().any(|id| sent_raw.contains(id)), "{} is not observed", fault.id);
        for text in [fault.summary, fault.cause, fault.drawing] {
            assert!(!text.is_empty(), "{} is not explained", fault.id);
        }
        assert!(fault.drawing.lines().all(|line| line.chars().count() < 100), "{}", fault.id);
    }
}
