//! Every way in which a handshake goes wrong, met by the model and by GnuTLS itself, with the
//! priority string that xapi writes.
//!
//! Needs `python3` and libgnutls (Debian: `python3`, `libgnutls30`). Without them the test says that
//! it is skipped; with `TRUSTRIG_REQUIRE_TOOLS=1` it fails.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sim_host::Patience;
use tokio::time::timeout;

use crate::{support::probe, world::World};

/// What smb.conf of the transcripts has as `tls priority`.
const XAPI: &str = "NONE:+VERS-TLS1.2:+AES-256-GCM:+AES-128-GCM:+AEAD:+ECDHE-RSA:+SIGN-ALL:\
                    +GROUP-SECP384R1:+COMP-NULL:%SERVER_PRECEDENCE";

/// Faults with values that lead elsewhere than the fault without one.
const VALUED: [&str; 4] = [
    "handshake.alert-on-hello:close-notify",
    "handshake.alert-on-hello:protocol-version",
    "handshake.alert-after-certificate:decrypt-error",
    "handshake.differs-per-port:ldaps",
];

/// Faults on which GnuTLS by itself waits for ever; Samba gives up after two seconds
/// (samba-tls-verify.md, section 11).
const SILENT: [&str; 3] =
    ["handshake.slow-drip", "handshake.stall-on-hello", "handshake.stall-after-server-hello"];

/// Worlds at the same time.
const WORKERS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn the_model_and_gnutls_conclude_the_same() {
    if !has_gnutls() {
        return;
    }
    let faults = fake_dc::faults::catalogue().into_iter().map(|fault| fault.id);
    let faults: Arc<Vec<&str>> =
        Arc::new(faults.filter(|id| id.starts_with("handshake.")).chain(VALUED).collect());
    let next = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (faults, next) = (Arc::clone(&faults), Arc::clone(&next));
            tokio::spawn(async move {
                let mut conclusions = Vec::new();
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    conclusions.push((*fault, compare(fault).await));
                }
                conclusions
            })
        })
        .collect();
    let mut conclusions = Vec::new();
    for worker in workers {
        conclusions.extend(worker.await.unwrap());
    }
    let differ = |(fault, (ours, theirs)): &(&str, (String, String))| {
        (ours != theirs).then(|| format!("{fault}: ours {ours}, GnuTLS {theirs}"))
    };
    let wrong: Vec<String> = conclusions.iter().filter_map(differ).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    conclusions.sort_unstable();
    let table: Vec<String> =
        conclusions.iter().map(|(fault, (ours, _))| format!("{fault} {ours}")).collect();
    insta::assert_snapshot!(table.join("\n"), @r"
    handshake.alert-after-certificate GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.alert-after-certificate:decrypt-error GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.alert-on-hello GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.alert-on-hello:close-notify GNUTLS_E_SESSION_EOF
    handshake.alert-on-hello:protocol-version GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.alternates ok 0x0
    handshake.bad-finished GNUTLS_E_ERROR_IN_FINISHED_PACKET
    handshake.bad-signature GNUTLS_E_PK_SIG_VERIFY_FAILED
    handshake.cbc-only GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.client-certificate-requested ok 0x0
    handshake.client-certificate-required GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.close-after-certificate GNUTLS_E_PREMATURE_TERMINATION
    handshake.close-before-hello GNUTLS_E_PREMATURE_TERMINATION
    handshake.close-on-hello GNUTLS_E_PREMATURE_TERMINATION
    handshake.damaged-record GNUTLS_E_DECRYPTION_FAILED
    handshake.depends-on-sni ok 0x4042
    handshake.differs-per-port ok 0x0
    handshake.differs-per-port:ldaps ok 0x402
    handshake.ecdsa-suites-only GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.empty-certificate-list GNUTLS_E_NO_CERTIFICATE_FOUND
    handshake.garbage GNUTLS_E_UNEXPECTED_PACKET
    handshake.http-on-636 GNUTLS_E_UNEXPECTED_PACKET
    handshake.huge-certificate-list GNUTLS_E_HANDSHAKE_TOO_LARGE
    handshake.key-mismatch GNUTLS_E_PK_SIG_VERIFY_FAILED
    handshake.no-certificate GNUTLS_E_PULL_ERROR
    handshake.no-common-cipher GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.no-common-group GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.no-extended-master-secret ok 0x0
    handshake.oversized-record GNUTLS_E_RECORD_OVERFLOW
    handshake.plain-ldap-on-636 GNUTLS_E_UNEXPECTED_PACKET
    handshake.requires-sni GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.reset-after-server-hello GNUTLS_E_PULL_ERROR
    handshake.reset-on-hello GNUTLS_E_PULL_ERROR
    handshake.rotates-mid-run ok 0x0
    handshake.sha1-signature ok 0x0
    handshake.slow-drip GNUTLS_E_PULL_ERROR
    handshake.stall-after-server-hello GNUTLS_E_PULL_ERROR
    handshake.stall-on-hello GNUTLS_E_PULL_ERROR
    handshake.starttls-accepted-then-closed ok 0x0
    handshake.starttls-injected-data ok 0x0
    handshake.starttls-refused ok 0x0
    handshake.starttls-unanswered ok 0x0
    handshake.static-rsa-only GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.tls-on-389 ok 0x0
    handshake.tls10-only GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.tls11-only GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.tls13-only GNUTLS_E_FATAL_ALERT_RECEIVED
    handshake.unoffered-cipher GNUTLS_E_UNKNOWN_CIPHER_SUITE
    handshake.unoffered-group GNUTLS_E_ECC_UNSUPPORTED_CURVE
    handshake.wrong-version GNUTLS_E_UNSUPPORTED_VERSION_PACKET
    ");
}

/// What the model and GnuTLS make of a DC with that fault, each coming first.
async fn compare(fault: &str) -> (String, String) {
    let world = World::of_today(&[fault]).await;
    if SILENT.contains(&fault) {
        return (model(&world, Patience(1)).await, "GNUTLS_E_PULL_ERROR".to_owned());
    }
    let ours = model(&world, Patience(5)).await;
    world.domain.clear_faults("dc1").unwrap();
    world.domain.set_faults("dc1", [fault]).unwrap();
    (ours, gnutls(&world).await)
}

/// What the model of `net ads search` makes of it: the name of an error, or `ok` and the status of
/// the verification.
async fn model(world: &World, patience: Patience) -> String {
    let host = world.host();
    let mut network = host.network.current();
    network.patience = patience;
    host.network.set(network);
    let output = host.run(probe()).await;
    let between = |start: &str, end: char| {
        let (_, rest) = output.stderr.split_once(start)?;
        Some(rest.split_once(end)?.0.to_owned())
    };
    let error = between("tstream_tls_sync_setup: GNUTLS ERROR: ", ',');
    let status = || between(" status ", ' ').map(|status| format!("ok {status}"));
    let accepted = || output.succeeded().then(|| "ok 0x0".to_owned());
    error.or_else(status).or_else(accepted).unwrap_or_else(|| panic!("{output:?}"))
}

/// The same of GnuTLS.
async fn gnutls(world: &World) -> String {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, world.domain.ca_pem()).unwrap();
    let address = world.domain.dc("dc1").unwrap().ldaps();
    let mut command = client();
    command.arg(XAPI).arg(&ca).args(["dc1.lab.example", &address.ip().to_string()]);
    command.arg(address.port().to_string());
    let running = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = timeout(PATIENCE, running).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

const PATIENCE: Duration = Duration::from_secs(20);

fn client() -> Command {
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gnutls/handshake.py"));
    command.stdin(Stdio::null());
    command
}

/// True if GnuTLS can be asked; says so if it cannot.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn has_gnutls() -> bool {
    // Without arguments it does no more than to load the library.
    let found = client().stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(
        found || !required,
        "python3 or libgnutls is missing, and TRUSTRIG_REQUIRE_TOOLS is set"
    );
    if !found {
        eprintln!("SKIPPED: needs python3 and libgnutls (Debian: python3 and libgnutls30)");
    }
    found
}
