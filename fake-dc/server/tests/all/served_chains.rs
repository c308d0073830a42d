//! Every certificate fault of the catalogue as a TLS client sees it that is not ours: the bytes on
//! the wire are those of the plan, and who cannot use them says why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    io::ErrorKind,
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use fake_dc::{DcSpec, Domain};
use fake_dc_pki::catalogue;
use ground::{Seed, Timestamp, VirtualClock};

/// What `openssl s_client` says where it does not complete a handshake.
const COMPLAINTS: &[(&str, &str)] = &[
    ("algorithm.unknown-key", "unable to find public key parameters"),
    ("chain.bytes-behind-intermediate", "cert length mismatch"),
    ("chain.bytes-behind-leaf", "cert length mismatch"),
    ("chain.empty-entry", "ASN1 lib"),
    ("chain.extra-cut", "ASN1 lib"),
    ("chain.extra-unparsable", "ASN1 lib"),
    // It takes the first certificate for the DC's, and the DC signs with its own key.
    ("chain.leaf-last", "bad signature"),
    ("profile.padded-serial", "ASN1 lib"),
];

/// What the client sees of one connection.
struct Seen {
    /// The entries of the Certificate message, if there was one.
    certificates: Option<Vec<Vec<u8>>>,
    /// Whether the handshake was completed.
    complete: bool,
    said: String,
}

/// What GnuTLS, which Samba uses, says of the keys that rustls does not sign with: it checks the
/// DC's signature with each of them, as it does in Samba.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gnutls_takes_the_signatures_of_odd_keys() {
    if !program_is_there("gnutls-cli") {
        return;
    }
    let domain = Domain::builder("corp.example").seed(Seed::new(7)).start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    for (fault, version, signature) in [
        ("algorithm.rsa-512", "1.2", "RSA-SHA256"),
        ("algorithm.rsa-1024", "1.2", "RSA-PSS-RSAE-SHA384"),
        ("algorithm.rsa-1024", "1.3", "RSA-PSS-RSAE-SHA384"),
        ("algorithm.rsa-pss-key", "1.2", "RSA-PSS-SHA512"),
        ("algorithm.rsa-pss-key", "1.3", "RSA-PSS-SHA512"),
        ("algorithm.rsa-8192", "1.2", "RSA-PSS-RSAE-SHA512"),
        ("algorithm.ecdsa-p521", "1.2", "ECDSA-SHA512"),
        ("algorithm.ed25519", "1.2", "EdDSA-Ed25519"),
    ] {
        domain.set_faults("dc1", [fault]).unwrap();
        let said = gnutls_cli(dc.ldaps(), version);
        assert!(said.contains("Handshake was completed"), "{fault}, TLS {version}: {said}");
        let named = format!("-({signature})-(");
        assert!(said.contains(&named), "{fault}, TLS {version}: not {signature} but {said}");
    }
}

/// What ends the handshake before GnuTLS verifies anything, and in which words; the words of Samba
/// are the same (samba-tls-verify.md, section 10).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gnutls_ends_the_handshake_over_some_chains() {
    if !program_is_there("gnutls-cli") {
        return;
    }
    let domain = Domain::builder("corp.example").seed(Seed::new(7)).start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    const ERROR: &str = "Error in the certificate.";
    const USAGE: &str = "Key usage violation in certificate has been detected.";
    for (fault, words) in [
        ("algorithm.inner-outer-mismatch", ERROR),
        ("algorithm.unknown-key", ERROR),
        ("chain.bytes-behind-leaf", ERROR),
        ("chain.bytes-behind-intermediate", ERROR),
        ("chain.empty-entry", ERROR),
        ("chain.extra-cut", ERROR),
        ("chain.extra-unparsable", ERROR),
        ("chain.leaf-last", "Public key signature verification has failed."),
        ("profile.duplicate-extension", ERROR),
        ("profile.intermediate-duplicate-extension", ERROR),
        ("profile.key-usage-agreement-only", USAGE),
        ("profile.key-usage-without-signature", USAGE),
        ("profile.malformed-san", ERROR),
        ("profile.version-1-with-extensions", ERROR),
    ] {
        domain.set_faults("dc1", [fault]).unwrap();
        let said = gnutls_cli(dc.ldaps(), "1.2");
        let line = said.lines().find(|line| line.starts_with("*** Fatal error: "));
        assert_eq!(line, Some(format!("*** Fatal error: {words}").as_str()), "{fault}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_is_shown_the_bytes_of_every_plan() {
    if !program_is_there("openssl") {
        return;
    }
    let names = ["dc1", "dc2", "dc3", "dc4"];
    let clock = VirtualClock::starting_at(Timestamp::from_unix(1_787_277_600)).clock();
    let mut builder = Domain::builder("corp.example").seed(Seed::new(7)).clock(clock);
    for name in names {
        builder = builder.dc(DcSpec::new(name));
    }
    let domain = builder.start().await.unwrap();
    let ids: Vec<&str> = catalogue().map(|fault| fault.id).collect();
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let complaints: BTreeMap<_, _> = COMPLAINTS.iter().copied().collect();
    let check = |name: &str| {
        while let Some(&id) = ids.get(next.fetch_add(1, Ordering::Relaxed)) {
            domain.set_faults(name, [id]).unwrap();
            let dc = domain.dc(name).unwrap();
            let planned: Vec<Vec<u8>> =
                dc.chain().certificates.iter().map(|der| der.to_vec()).collect();
            let seen = s_client(dc.ldaps());
            let same = seen.certificates.unwrap_or_default() == planned;
            let complaint = (!seen.complete).then(|| complaint(&seen.said));
            let expected = match planned.as_slice() {
                // A DC without a certificate: how the handshake fails is not a matter of chains.
                [] => complaint.is_some(),
                _ => complaint.as_deref() == complaints.get(id).copied(),
            };
            if !(same && expected) {
                wrong.lock().unwrap().push(format!("{id}: same bytes {same}, {complaint:?}"));
            }
        }
    };
    tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            for name in names {
                scope.spawn(move || check(name));
            }
        });
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// One handshake, whatever the certificates are.
fn gnutls_cli(address: SocketAddr, version: &str) -> String {
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS{version}:%PROFILE_VERY_WEAK");
    let mut command = Command::new("gnutls-cli");
    command
        .args(["--insecure", "--priority", &priority, "--port", &port, &ip])
        .stdin(Stdio::null());
    let output = tokio::task::block_in_place(|| command.output()).unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// One handshake at TLS 1.2, whose Certificate message is not encrypted.
fn s_client(address: SocketAddr) -> Seen {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string(), "-servername", "dc1.corp.example"])
        .args(["-tls1_2", "-cipher", "ALL:@SECLEVEL=0", "-msg"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    Seen {
        certificates: certificate_message(&said).map(|message| entries(&message)),
        complete: said.lines().any(|line| line.ends_with("Handshake [length 0010], Finished"))
            && !said.contains(":error:"),
        said,
    }
}

/// The reason in `40…:error:0A000080:SSL routines:…:wrong certificate type:…`, the last of them.
fn complaint(said: &str) -> String {
    let error = said.lines().rfind(|line| line.contains(":error:"));
    error.and_then(|line| line.split(':').nth(5)).unwrap_or(said).to_owned()
}

/// The octets that `-msg` prints below the line that names the message.
fn certificate_message(said: &str) -> Option<Vec<u8>> {
    let mut lines = said.lines();
    lines.find(|line| line.starts_with("<<<") && line.ends_with("], Certificate"))?;
    let hexadecimal = lines.take_while(|line| line.starts_with("    "));
    let octets = hexadecimal.flat_map(str::split_whitespace);
    octets.map(|octet| u8::from_str_radix(octet, 16).ok()).collect()
}

/// RFC 5246, section 7.4.2: type and length, the length of the list, and each entry with its own.
fn entries(message: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &message[7..];
    let mut entries = Vec::new();
    while let [high, middle, low, behind @ ..] = rest {
        let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        let (entry, behind) = behind.split_at(length);
        entries.push(entry.to_vec());
        rest = behind;
    }
    entries
}

#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
fn program_is_there(program: &str) -> bool {
    match Command::new(program).arg("--version").output() {
        Ok(_) => true,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some();
            assert!(!required, "{program} is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
            eprintln!("SKIPPED: there is no `{program}` program here");
            false
        }
        Err(error) => panic!("{program} cannot be run: {error}"),
    }
}
