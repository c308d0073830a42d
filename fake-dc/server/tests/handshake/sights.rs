//! GnuTLS with the priority string of xapi, and OpenSSL: what they say, word by word. Beside each faulty
//! connection stands a sound one, made by the same client to the same DC after the fault was cleared.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use fake_dc::{Domain, facts::Listener};
use tokio::time::timeout;

use crate::common::{
    PATIENCE,
    tools::{are_here, run},
};

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
    if !are_here(&["gnutls-cli", "openssl"]) {
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
    let output = visit(&domain, program, arguments, listener).await;
    for word in words {
        if !output.contains(word) {
            return Err(format!(
                "{fault}: {program:?} {arguments:?} does not say `{word}`\n{output}"
            ));
        }
    }
    domain.clear_faults("dc1").unwrap();
    let output = visit(&domain, program, arguments, listener).await;
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
async fn visit(
    domain: &Domain,
    program: Program,
    arguments: &[&'static str],
    listener: Listener,
) -> String {
    let dc = domain.dc("dc1").unwrap();
    let address = if listener == Listener::Ldap { dc.ldap() } else { dc.ldaps() };
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, domain.ca_pem()).unwrap();
    let ca = ca.display().to_string();
    let (name, mut all) = program.start(address, &ca, listener);
    if program == Openssl && !arguments.contains(&"-servername") {
        all.push("-noservername".to_owned());
    }
    all.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let running = tokio::task::spawn_blocking(move || {
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        run(name, &all, "").text
    });
    timeout(PATIENCE, running).await.unwrap().unwrap()
}

impl Program {
    /// Its name, and the arguments that all its visits have.
    fn start(
        self,
        address: SocketAddr,
        ca: &str,
        listener: Listener,
    ) -> (&'static str, Vec<String>) {
        let is_ldap = listener == Listener::Ldap;
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let (name, arguments) = match self {
            // An address, so that no name is sent, as Samba sends none.
            Gnutls(priority) => {
                let own = ["--priority", priority, "--verify-hostname", "dc1.corp.example"];
                let place = ["--x509cafile", ca, "-p", &port, &host];
                let starttls = is_ldap.then_some("--starttls-proto=ldap");
                let all = own.into_iter().chain(place).chain(starttls);
                ("gnutls-cli", all.map(str::to_owned).collect())
            }
            // Level 0 lets TLS 1.0 be offered.
            Openssl => {
                let address = address.to_string();
                let own = ["s_client", "-verify_return_error", "-cipher", "ALL:@SECLEVEL=0"];
                let place = ["-CAfile", ca, "-connect", &address];
                let starttls = is_ldap.then_some(["-starttls", "ldap"]);
                let all = own.into_iter().chain(place).chain(starttls.into_iter().flatten());
                ("openssl", all.map(str::to_owned).collect())
            }
        };
        (name, arguments)
    }
}
