//! `trustrig verify` through the program: exit codes, JSON, words, and every way to give it a
//! chain. That the verdicts are right is the business of `trust-verdict`'s tests; here is shown
//! that they arrive.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    thread,
};

use serde::Deserialize;
use serde_json::Value;

/// Within the validity of the sound certificates (2024 to 2049).
const NOW: &str = "2026-08-21T02:00:23Z";
const PEER: &str = "dc1.ad.example.test";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// `trustrig verify`, run in the folder of the oracle so that messages have no path of the machine.
fn verify(arguments: &[&str]) -> Finished {
    verify_in(&fixtures().join("oracle"), arguments, b"")
}

fn verify_in(folder: &Path, arguments: &[&str], input: &[u8]) -> Finished {
    let mut child = Command::new(env!("CARGO_BIN_EXE_trustrig"))
        .arg("verify")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads no input has closed it.
    let _ = child.stdin.take().unwrap().write_all(input);
    Finished(child.wait_with_output().unwrap())
}

/// A verdict about the chain of a sample, with its CA file.
fn verify_sample(sample: &str, more: &[&str]) -> Finished {
    let (cafile, chain) = (format!("{sample}/cafile.pem"), format!("{sample}/chain.pem"));
    verify(&[&["--cafile", &cafile, "--at", NOW, &chain], more].concat())
}

struct Finished(Output);

impl Finished {
    #[track_caller]
    fn exits(self, code: i32) -> Self {
        assert_eq!(self.0.status.code(), Some(code), "{}\n{}", self.stdout(), self.stderr());
        self
    }

    /// Wrong input says so, and prints no verdict.
    #[track_caller]
    fn complains(self, code: i32, about: &str) {
        let finished = self.exits(code);
        assert!(finished.stderr().starts_with("error: "), "{}", finished.stderr());
        assert!(finished.stderr().contains(about), "{}", finished.stderr());
        assert_eq!(finished.stdout(), "");
    }

    fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    #[track_caller]
    fn json(&self) -> Value {
        let stdout = self.stdout();
        let last = stdout.lines().last().expect("a line on stdout");
        serde_json::from_str(last).unwrap()
    }
}

/// `expected.json` of a sample.
#[derive(Debug, Deserialize)]
struct Expected {
    crlfile: Option<String>,
    crl_in_every_mode: bool,
    cadir: Option<String>,
    outcomes: BTreeMap<String, Outcome>,
    /// priority → mode → peer → key of `outcomes`.
    verdicts: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
}

#[derive(Clone, Debug, Deserialize)]
struct Outcome {
    verdict: String,
    status: Option<String>,
    gnutls: Option<String>,
    ntstatus: Option<String>,
    #[serde(default)]
    stderr: Vec<String>,
    wire: Wire,
}

#[derive(Clone, Debug, Deserialize)]
struct Wire {
    version: Option<String>,
}

/// One row of the oracle.
struct Row {
    sample: String,
    arguments: Vec<String>,
    outcome: Outcome,
}

fn rows() -> Vec<Row> {
    let mut folders: Vec<_> = fs::read_dir(fixtures().join("oracle"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders.iter().flat_map(|folder| rows_of(folder)).collect()
}

fn rows_of(folder: &Path) -> Vec<Row> {
    let sample = folder.file_name().unwrap().to_str().unwrap();
    let text = fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Expected = serde_json::from_str(&text).unwrap();
    let mut rows = Vec::new();
    for (priority, modes) in &expected.verdicts {
        for (mode, peers) in modes {
            for (peer, letter) in peers {
                let mut arguments = vec![
                    "--json".to_owned(),
                    format!("--cafile={sample}/cafile.pem"),
                    format!("--mode={mode}"),
                    format!("--peer={peer}"),
                    format!("--priority={priority}"),
                    format!("--at={NOW}"),
                    format!("{sample}/chain.pem"),
                ];
                arguments
                    .extend(expected.cadir.iter().map(|dir| format!("--cadir={sample}/{dir}")));
                if expected.crl_in_every_mode || mode == "as_strict_as_possible" {
                    let crl = expected.crlfile.iter();
                    arguments.extend(crl.map(|file| format!("--crlfile={sample}/{file}")));
                }
                let mut outcome = expected.outcomes[letter].clone();
                if outcome.wire.version.as_deref() == Some("TLSv1.2") {
                    arguments.push("--tls=1.2".to_owned());
                }
                for line in &mut outcome.stderr {
                    *line = line.replace("{mode}", mode).replace("{peer}", peer);
                    *line = line.replace("{dir}", sample);
                }
                rows.push(Row { sample: sample.to_owned(), arguments, outcome });
            }
        }
    }
    rows
}

/// Rows of every class, spread over samples, modes, peers and priorities.
fn sampled() -> Vec<Row> {
    let mut classes: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in rows() {
        classes.entry(row.outcome.verdict.clone()).or_default().push(row);
    }
    let all = ["accept", "config_error", "reject", "tls_error", "verify_error"];
    assert!(classes.keys().eq(all), "{:?}", classes.keys());
    let spread = |rows: Vec<Row>| {
        let step = (rows.len() / 25).max(1);
        rows.into_iter().step_by(step)
    };
    classes.into_values().flat_map(spread).collect()
}

#[test]
fn verdicts_of_the_oracle_arrive() {
    let rows = sampled();
    assert!(rows.len() > 60, "{} rows", rows.len());
    for Row { sample, arguments, outcome } in &rows {
        // Served over TLS 1.2 for both priorities; a failed handshake does not record it.
        let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if sample == "bad-san-encoding" && !arguments.contains(&"--tls=1.2") {
            arguments.push("--tls=1.2");
        }
        let code = match outcome.verdict.as_str() {
            "accept" => 0,
            "reject" => 1,
            _ => 2,
        };
        let json = verify(&arguments).exits(code).json();
        let what = arguments.join(" ");
        assert_eq!(json["verdict"], *outcome.verdict, "{what}");
        assert_eq!(json["status"], *outcome.status.as_deref().unwrap_or("0x0"), "{what}");
        if let Some(gnutls) = &outcome.gnutls {
            assert_eq!(json["gnutls"], **gnutls, "{what}");
        }
        if let Some(ntstatus) = &outcome.ntstatus {
            assert_eq!(json["ntstatus"], **ntstatus, "{what}");
        }
        assert_eq!(json["stderr"], Value::from(outcome.stderr.clone()), "{what}");
        let code = match outcome.verdict.as_str() {
            "accept" => Value::Null,
            "reject" => "AUTH_INVALID_TRUSTED_CERTS".into(),
            "tls_error" => "AUTH_SETUP_TLS_CONNECTION".into(),
            _ => "AUTH_SET_LDAPS_FAILED".into(),
        };
        assert_eq!(json["xapi_error"], code, "{what}");
        let is_accept = outcome.verdict == "accept";
        assert_eq!(json["reasons"].as_array().unwrap().is_empty(), is_accept, "{what}");
        assert_eq!(json["advice"].as_array().unwrap().is_empty(), is_accept, "{what}");
        assert!(json["other_modes"].is_array(), "{what}");
    }
}

#[test]
fn a_channel_binding_that_cannot_be_computed_is_an_error_of_its_own() {
    // No sample of the oracle ends so.
    let json = verify(&["--json", "--mode=no_check", "../chain-forms/pss-sha1.pem"]);
    let json = json.exits(2).json();
    assert_eq!(json["verdict"], "binding_error");
    assert_eq!(json["gnutls"], "GNUTLS_E_UNIMPLEMENTED_FEATURE");
    assert_eq!(json["xapi_error"], "AUTH_SET_LDAPS_FAILED");
}

/// The words of advice are `trust-verdict`'s, and under its own snapshots.
fn without_advice(text: &str) -> String {
    let line = |line| if str::starts_with(line, "  - ") { "  - [advice]" } else { line };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_person_sees_the_tree_with_the_fault() {
    let seen = |sample, code, more: &[&str]| {
        let finished = verify_sample(sample, &[&["--peer", PEER], more].concat());
        without_advice(&finished.exits(code).stdout())
    };
    insta::assert_snapshot!("accepted", seen("ok-int", 0, &[]));
    insta::assert_snapshot!("missing-intermediate", seen("missing-int", 1, &[]));
    let quiet = seen("ecdsa-p256-leaf", 2, &["--debug-level", "0"]);
    insta::assert_snapshot!("no-common-cipher-without-debug-lines", quiet);
}

#[test]
fn help_names_the_exit_codes() {
    insta::assert_snapshot!("help", verify(&["--help"]).exits(0).stdout());
}

#[test]
fn xapi_sees_a_failed_handshake_only_in_the_debug_lines() {
    let quiet = ["--peer", PEER, "--json", "--debug-level", "0"];
    let json = verify_sample("ecdsa-p256-leaf", &quiet).exits(2).json();
    assert_eq!(json["verdict"], "tls_error");
    assert_eq!(json["gnutls"], "GNUTLS_E_FATAL_ALERT_RECEIVED");
    assert_eq!(json["xapi_error"], "AUTH_SET_LDAPS_FAILED");
    assert_eq!(json["stderr"].as_array().unwrap().len(), 1);
}

#[test]
fn a_chain_is_read_in_every_form() {
    for (file, certificates) in
        [("chain.p7b", 2), ("chain.p7c", 2), ("showcerts.txt", 2), ("leaf.der", 1)]
    {
        let chain = format!("../chain-forms/{file}");
        let finished =
            verify(&["--json", "--cafile=ok-int/cafile.pem", "--peer", PEER, "--at", NOW, &chain]);
        let json = finished.json();
        assert_eq!(json["chain"].as_array().unwrap().len(), certificates, "{file}");
        // The leaf alone lacks its issuer.
        let wanted = if certificates == 2 { ("accept", "0x0") } else { ("reject", "0x42") };
        assert_eq!(
            (json["verdict"].as_str(), json["status"].as_str()),
            (Some(wanted.0), Some(wanted.1))
        );
    }
    let oracle = fixtures().join("oracle");
    let arguments = ["--cafile=ok-int/cafile.pem", "--peer", PEER, "--at", NOW, "-"];
    let chain = fs::read(oracle.join("ok-int/chain.pem")).unwrap();
    verify_in(&oracle, &arguments, &chain).exits(0);
    verify_in(&oracle, &arguments, b"").complains(64, "-: failed to find a certificate");
}

#[test]
fn certificates_that_do_not_parse_are_judged() {
    let garbage = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let oracle = fixtures().join("oracle");
    let arguments = ["--json", "--cafile=ok-int/cafile.pem", "--peer", PEER, "--at", NOW, "-"];
    let json = verify_in(&oracle, &arguments, garbage.as_bytes()).exits(2).json();
    assert_eq!(
        (&json["verdict"], &json["gnutls"]),
        (&"tls_error".into(), &"GNUTLS_E_CERTIFICATE_ERROR".into())
    );
}

#[test]
fn files_that_are_not_there_count_as_for_samba() {
    let missing = ["--cafile=none.pem", "--cadir=none", "--system-cas=none", "--crlfile=none"];
    let chain = ["--json", "--peer", PEER, "--at", NOW, "ok-int/chain.pem"];
    let json = verify(&[&missing[..], &chain].concat()).exits(2).json();
    assert_eq!(json["ntstatus"], "NT_STATUS_INVALID_PARAMETER_MIX");
    let system = [&missing[..2], &chain, &["--system-cas=ok-int/cafile.pem"]].concat();
    verify(&system).exits(0);
    let directories = [&chain[..], &["--cadir=none", "--cadir=ok-int"]].concat();
    verify(&directories).exits(0);
}

#[test]
fn an_smb_conf_gives_mode_files_and_priority() {
    let host = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &[u8]| {
        let path = host.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    };
    let oracle = fixtures().join("oracle");
    let bundle = fs::read(oracle.join("ok-int/cafile.pem")).unwrap();
    file("etc/trusted-certs/ca-bundle-ldaps.pem", &bundle);
    let written = fs::read(fixtures().join("samba-client/smb.conf")).unwrap();
    let conf = file("etc/samba/smb.conf", &written);
    let root = host.path().to_str().unwrap();
    let chain = ["--json", "--at", NOW, "--peer=dc2.ad.example.test", "ok-int/chain.pem"];
    let rooted = |more: &[&str]| verify(&[&["--root", root], &chain[..], more].concat());

    let json = rooted(&[]).exits(1).json();
    assert_eq!(
        (&json["mode"], &json["status"]),
        (&"ca_and_name_if_available".into(), &"0x4002".into())
    );
    assert_eq!(json["tls"], "1.2");
    assert_eq!(json["chain"][1]["anchor"]["file"], "/etc/trusted-certs/ca-bundle-ldaps.pem");
    rooted(&["--smb-conf", conf.to_str().unwrap()]).exits(1);

    // What administrators add comes last and wins; arguments win over both.
    let extra = b"tls verify peer = ca_only\ntls priority = NORMAL\ntls verify peer = odd\n";
    file("etc/samba/smb.extra.conf", extra);
    let json = rooted(&[]).exits(0).json();
    assert_eq!((&json["mode"], &json["tls"]), (&"ca_only".into(), &"1.3".into()));
    let ignored = "WARNING: Ignoring invalid value 'odd' for parameter 'tls verify peer'";
    assert_eq!(json["notes"], serde_json::json!([ignored]));
    rooted(&["--mode=ca_and_name"]).exits(1);
    rooted(&["--cafile=wrong-ca/cafile.pem", "--priority=xapi"]).exits(1);

    // Without a root, paths are those of this machine.
    let here = format!(
        "tls verify peer = ca_only\ntls cafile = {}\n",
        oracle.join("ok-int/cafile.pem").display()
    );
    let conf = file("own.conf", here.as_bytes());
    let own = ["--json", "--smb-conf", conf.to_str().unwrap(), "--at", NOW, "ok-int/chain.pem"];
    let json = verify(&own).exits(0).json();
    let sealed = "with its `client ldap sasl wrapping`, this configuration does not use TLS";
    assert_eq!(json["notes"], serde_json::json!([sealed]));
}

#[test]
fn wrong_input_is_told_apart_from_every_verdict() {
    let ok = ["--cafile=ok-int/cafile.pem", "--peer", PEER];
    let with = |more: &[&str]| verify(&[&ok[..], more].concat());
    with(&[]).complains(64, "<CHAIN|--connect <HOST:PORT>>");
    with(&["--frobnicate", "x"]).complains(64, "--frobnicate");
    with(&["none.pem"]).complains(64, "none.pem: cannot be read");
    with(&["ok-int"]).complains(64, "ok-int: cannot be read");
    with(&["ok-int/server.key"]).complains(64, "expected PEM, DER, PKCS#7");
    with(&["--mode=strict", "ok-int/chain.pem"]).complains(64, "as_strict_as_possible");
    with(&["--at=yesterday", "ok-int/chain.pem"]).complains(64, "2026-08-21T02:00:23Z");
    with(&["--tls=1.1", "ok-int/chain.pem"]).complains(64, "1.2, 1.3");
    with(&["--debug-level=many", "ok-int/chain.pem"]).complains(64, "--debug-level");
    with(&["--smb-conf=none.conf", "ok-int/chain.pem"]).complains(64, "none.conf");
    with(&["--root=none", "ok-int/chain.pem"]).complains(64, "none: no such directory");
    with(&["--connect=dc1", "--json"]).complains(64, "expected HOST:PORT");
    with(&["--connect=dc1:636", "ok-int/chain.pem"]).complains(64, "cannot be used with");
    let nameless = ["--cafile=ok-int/cafile.pem", "ok-int/chain.pem"];
    verify(&nameless).complains(64, "give --peer NAME");
    verify(&[&nameless[..], &["--mode=ca_only", "--at", NOW]].concat()).exits(0);

    // A loop of links can be read by nobody, root included.
    let folder = tempfile::tempdir().unwrap();
    let looped = folder.path().join("loop.pem");
    std::os::unix::fs::symlink(&looped, &looped).unwrap();
    let cafile = format!("--cafile={}", looped.display());
    verify(&[&cafile, "--peer", PEER, "ok-int/chain.pem"]).complains(64, "loop.pem");
}

/// A domain in which each DC but the first has a defect, served while a test runs.
struct Served {
    runtime: tokio::runtime::Runtime,
    domain: fake_dc::Domain,
    folder: tempfile::TempDir,
}

impl Served {
    fn start() -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let domain = runtime
            .block_on(
                fake_dc::Domain::builder("corp.example")
                    .dcs(4)
                    .fault("dc2", "time.leaf-expired")
                    .fault("dc3", "handshake.tls13-only")
                    .fault("dc4", "handshake.close-on-hello")
                    .start(),
            )
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), domain.ca_pem()).unwrap();
        Self { runtime, domain, folder }
    }

    fn verify(&self, dc: &str, more: &[&str]) -> Finished {
        let dc = self.domain.dc(dc).unwrap();
        let (connect, peer) = (dc.ldaps().to_string(), dc.dns_name().to_owned());
        let arguments = ["--json", "--cafile=ca.pem", "--connect", &connect, "--peer", &peer];
        verify_in(self.folder.path(), &[&arguments, more].concat(), b"")
    }

    fn stop(self) {
        self.runtime.block_on(self.domain.stop());
    }
}

#[test]
fn a_live_server_is_judged() {
    let served = Served::start();
    let json = served.verify("dc1", &[]).exits(0).json();
    assert_eq!(json["tls"], "1.2");
    let json = served.verify("dc1", &["--priority=default"]).exits(0).json();
    assert_eq!(json["tls"], "1.3");
    let json = served.verify("dc2", &[]).exits(1).json();
    assert_eq!(
        (&json["status"], &json["reasons"][0]["check"]),
        (&"0x402".into(), &"validity".into())
    );
    let json = served.verify("dc3", &[]).exits(2).json();
    assert_eq!(
        (&json["verdict"], &json["gnutls"]),
        (&"tls_error".into(), &"GNUTLS_E_FATAL_ALERT_RECEIVED".into())
    );
    served.verify("dc3", &["--priority=default"]).exits(0);
    let json = served.verify("dc4", &[]).exits(2).json();
    assert_eq!(json["gnutls"], "GNUTLS_E_PREMATURE_TERMINATION");
    assert_eq!(json["notes"], serde_json::json!(["the server closed the connection"]));
    let json = served.verify("dc4", &["--priority=default"]).exits(2).json();
    assert!(json["notes"][1].as_str().unwrap().starts_with("the real client might"), "{json}");
    // The configuration fails first, as for Samba.
    let json = served.verify("dc1", &["--priority=ODD"]).exits(2).json();
    assert_eq!(json["verdict"], "config_error");
    served.stop();
}

#[test]
fn a_server_that_speaks_something_else_is_a_verdict_and_none_at_all_is_not() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let connect = format!("--connect=localhost:{}", address.port());
    let arguments = ["--json", "--cafile=ok-int/cafile.pem", "--peer", PEER, &connect];
    let talker = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail.corp.example ESMTP\r\n").unwrap();
        // Held open until the client goes.
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let json = verify(&arguments).exits(2).json();
    assert_eq!(
        (&json["verdict"], &json["gnutls"]),
        (&"tls_error".into(), &"GNUTLS_E_UNEXPECTED_PACKET".into())
    );
    talker.join().unwrap();
    // The listener is gone.
    verify(&arguments).complains(69, "failed to connect to");
    let unknown = ["--connect=dc1.invalid:636", "--cafile=ok-int/cafile.pem", "--peer", PEER];
    verify(&unknown).complains(69, "failed to resolve the name");
}
