//! `fake-dc clone` and `fake-dc serve --clone` from outside.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::served::Served;
use tempfile::TempDir;

/// The chain of the oracle: leaf and intermediate.
fn sample(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    root.join(name).display().to_string()
}

/// Runs `fake-dc clone` and returns what it says.
fn clone(arguments: &[&str]) -> String {
    let output = run(arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{complaint}");
    String::from_utf8(output.stdout).unwrap()
}

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fake-dc")).arg("clone").args(arguments).output().unwrap()
}

/// A folder that is removed at the end, and paths in it.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn file(&self, name: &str, text: &str) -> String {
        fs::write(self.path(name), text).unwrap();
        self.name(name)
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_clone_is_a_folder_with_chain_key_trust_and_account() {
    let folder = Folder::new();
    let out = folder.name("clone");
    let (ca, crl) = (sample("oracle/ok-int/cafile.pem"), sample("oracle/ok-int/crl.pem"));
    let showcerts = sample("chain-forms/showcerts.txt");
    let said = clone(&["--showcerts", &showcerts, "--ca", &ca, "--crl", &crl, "--out", &out]);
    insta::assert_snapshot!(said.replace(&out, "CLONE"), @r"
    1: RSA 2048, signed by the key of 2
    2: RSA 2048, signed by a trusted certificate
    serve it: fake-dc serve --clone CLONE
    ");
    insta::assert_snapshot!(folder.read("clone/manifest.json"));
    assert_eq!(mode(&folder.path("clone/key.pem")), 0o600);
    assert_eq!(mode(&folder.path("clone/chain.pem")), 0o644);
    let original = fs::read_to_string(sample("oracle/ok-int/chain.pem")).unwrap();
    let made = folder.read("clone/chain.pem");
    assert_eq!(made.matches("BEGIN").count(), original.matches("BEGIN").count());
    assert_ne!(made, original);

    // The same again: the same bytes. Another seed: another key.
    let (again, other) = (folder.name("again"), folder.name("other"));
    clone(&["--showcerts", &showcerts, "--ca", &ca, "--crl", &crl, "--out", &again]);
    clone(&["--showcerts", &showcerts, "--ca", &ca, "--crl", &crl, "--out", &other, "--seed", "2"]);
    for file in ["chain.pem", "key.pem", "ca.pem", "crl.pem"] {
        let read = |folder_name: &str| folder.read(&format!("{folder_name}/{file}"));
        assert_eq!(read("clone"), read("again"));
        assert_ne!(read("clone"), read("other"));
    }
}

#[test]
fn names_go_and_come_back_by_the_map_alone() {
    let folder = Folder::new();
    let (scrubbed, restored) = (folder.name("scrubbed"), folder.name("restored"));
    let chain = sample("oracle/ad-dc-template/chain.pem");
    let said =
        clone(&["--pem", &chain, "--scrub", "--out", &scrubbed, "--peer", "dc2.ad.example.test"]);
    let map = folder.name("scrub-map.json");
    assert_eq!(mode(Path::new(&map)), 0o600);
    assert!(said.contains(&map), "{said}");
    assert!(said.contains("peer dc2.ad.example.test: "), "{said}");
    assert!(!folder.path("scrubbed/scrub-map.json").exists());
    let manifest = folder.read("scrubbed/manifest.json");
    assert!(!manifest.contains("example"), "{manifest}");

    // Another DC of the same customer: the same inventions.
    let other = folder.name("other");
    clone(&["--pem", &sample("oracle/ok-int/chain.pem"), "--scrub", "--out", &other]);
    let host_name = |folder_name: &str| {
        let manifest: serde_json::Value =
            serde_json::from_str(&folder.read(&format!("{folder_name}/manifest.json"))).unwrap();
        manifest["host_name"].as_str().unwrap().to_lowercase()
    };
    assert_eq!(host_name("scrubbed"), host_name("other"));

    let made = folder.name("scrubbed/chain.pem");
    clone(&["--pem", &made, "--unscrub", &map, "--out", &restored]);
    assert_eq!(host_name("restored"), "dc1.ad.example.test");
}

#[test]
fn single_files_may_be_named() {
    let folder = Folder::new();
    let [chain, key, ca] = ["a.pem", "b.pem", "c.pem"].map(|name| folder.name(name));
    let p7b = sample("chain-forms/chain.p7b");
    let trusted = sample("oracle/ok-int/cafile.pem");
    clone(&[
        "--pkcs7",
        &p7b,
        "--ca",
        &trusted,
        "--chain-out",
        &chain,
        "--key-out",
        &key,
        "--ca-out",
        &ca,
    ]);
    assert_eq!(folder.read("a.pem").matches("BEGIN CERTIFICATE").count(), 2);
    assert!(folder.read("b.pem").starts_with("-----BEGIN PRIVATE KEY-----"));
    assert_eq!(mode(&folder.path("b.pem")), 0o600);
    assert_eq!(folder.read("c.pem").matches("BEGIN CERTIFICATE").count(), 1);
}

#[test]
fn mistakes_are_named_with_their_remedy_and_exit_with_2() {
    let folder = Folder::new();
    let out = folder.name("clone");
    let shown = fs::read_to_string(sample("chain-forms/showcerts.txt")).unwrap();
    let forgotten: String = {
        // Without -showcerts, s_client lists the chain and shows the leaf behind it.
        let mut inside = false;
        let kept = shown.lines().filter(|line| {
            inside = (inside || line.starts_with("-----BEGIN")) && !line.starts_with("-----END");
            !inside && !line.starts_with("-----END")
        });
        kept.map(|line| format!("{line}\n")).collect()
    };
    let files = [
        ("--showcerts", folder.file("forgotten.txt", &forgotten)),
        ("--showcerts", folder.file("twice.txt", &format!("{shown}{shown}"))),
        ("--showcerts", folder.file("mail.txt", "Hello,\nplease help.\n")),
        ("--pem", folder.file("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n")),
        ("--pkcs7", sample("oracle/ok-int/chain.pem")),
        ("--der", sample("oracle/ok-int/chain.pem")),
        ("--pem", folder.name("missing.pem")),
        ("--from", "ldaps://127.0.0.1:1".to_owned()),
    ];
    let mut said = String::new();
    for (option, file) in files {
        let output = run(&[option, &file, "--out", &out]);
        assert_eq!(output.status.code(), Some(2));
        said += &String::from_utf8(output.stderr).unwrap();
    }
    let output = run(&[
        "--pem",
        &sample("oracle/ok-int/chain.pem"),
        "--unscrub",
        &folder.file("map.json", "{\"version\": 7}"),
        "--out",
        &out,
    ]);
    said += &String::from_utf8(output.stderr).unwrap();
    let fixtures = sample("").trim_end_matches('/').to_owned();
    let here = folder.0.path().display().to_string();
    insta::assert_snapshot!(said.replace(&here, "HERE").replace(&fixtures, "FIXTURES"));
    assert!(!Path::new(&out).exists());
}

/// Serve a clone, fetch what is served, clone that, serve it, and fetch it again: always the same
/// chain under other keys.
#[test]
fn a_served_clone_can_be_fetched_and_cloned_again() {
    let folder = Folder::new();
    let (first, second, third) = (folder.name("1"), folder.name("2"), folder.name("3"));
    let (chain, ca) = (sample("oracle/ok-int/chain.pem"), sample("oracle/ok-int/cafile.pem"));
    clone(&["--pem", &chain, "--ca", &ca, "--out", &first]);

    let served = Served::start_just(&["--clone", &first]);
    let dc1 = served.dc(0);
    assert_eq!(dc1["dns_name"], "dc1.ad.example.test");
    assert_eq!(
        fs::canonicalize(dc1["ca_file"].as_str().unwrap()).unwrap(),
        fs::canonicalize(folder.path("1/ca.pem")).unwrap()
    );
    let ldaps = format!("127.0.0.10:{}", served.port(0, "ldaps"));
    let ldap = format!("127.0.0.10:{}", served.port(0, "ldap"));

    // By ourselves, over both ports.
    clone(&[
        "--from",
        &format!("ldaps://{ldaps}"),
        "--ca",
        &folder.name("1/ca.pem"),
        "--out",
        &second,
    ]);
    clone(&[
        "--from",
        &format!("ldap://{ldap}"),
        "--ca",
        &folder.name("1/ca.pem"),
        "--out",
        &third,
    ]);
    assert_eq!(folder.read("2/chain.pem"), folder.read("3/chain.pem"));
    assert_ne!(folder.read("1/chain.pem"), folder.read("2/chain.pem"));

    if !crate::programs::has("openssl", "openssl") {
        return;
    }
    // By OpenSSL, which also finds the served clone sound.
    let ca_file = folder.name("1/ca.pem");
    let shown = openssl(
        &[
            "s_client",
            "-connect",
            &ldaps,
            "-showcerts",
            "-CAfile",
            &ca_file,
            "-verify_hostname",
            "dc1.ad.example.test",
            "-verify_return_error",
        ],
        "",
    );
    assert!(shown.contains("Verification: OK"), "{shown}");
    let text = folder.file("shown.txt", &shown);
    let fourth = folder.name("4");
    clone(&["--showcerts", &text, "--ca", &ca_file, "--out", &fourth]);
    assert_eq!(folder.read("2/chain.pem"), folder.read("4/chain.pem"));
    assert_eq!(served.stop(), Some(0));

    // What a person reads of both is the same but for keys and signatures.
    let print = |folder_name: &str| {
        let chain = folder.read(&format!("{folder_name}/chain.pem"));
        openssl(
            &[
                "x509",
                "-noout",
                "-subject",
                "-issuer",
                "-serial",
                "-dates",
                "-ext",
                "subjectAltName,keyUsage,extendedKeyUsage",
            ],
            &chain,
        )
    };
    let original = openssl(
        &[
            "x509",
            "-noout",
            "-subject",
            "-issuer",
            "-serial",
            "-dates",
            "-ext",
            "subjectAltName,keyUsage,extendedKeyUsage",
        ],
        &fs::read_to_string(&chain).unwrap(),
    );
    assert_eq!(print("1"), original);
    assert_eq!(print("4"), original);
}

#[test]
fn a_clone_is_served_by_the_dc_that_it_is_given_to() {
    let folder = Folder::new();
    let out = folder.name("clone");
    clone(&["--pem", &sample("oracle/expired-leaf/chain.pem"), "--out", &out]);
    let second = format!("dc2={out}");
    let served = Served::start(&["--dcs", "2", "--clone", &second]);
    let address =
        |dc: usize, last: u8| format!("ldaps://127.0.0.{last}:{}", served.port(dc, "ldaps"));
    let (own, cloned) = (folder.name("own.pem"), folder.name("cloned.pem"));
    clone(&["--from", &address(0, 10), "--chain-out", &own]);
    clone(&["--from", &address(1, 11), "--chain-out", &cloned]);
    // Both were cloned once more on the way, which leaves the serial numbers.
    let serial = |file: &str| openssl(&["x509", "-noout", "-serial"], &folder.read(file));
    if crate::programs::has("openssl", "openssl") {
        let wanted = fs::read_to_string(sample("oracle/expired-leaf/chain.pem")).unwrap();
        assert_eq!(serial("cloned.pem"), openssl(&["x509", "-noout", "-serial"], &wanted));
        assert_ne!(serial("own.pem"), serial("cloned.pem"));
    }
    assert_eq!(served.stop(), Some(0));

    let output = Command::new(env!("CARGO_BIN_EXE_fake-dc"))
        .args(["serve", "--domain", "corp.example", "--clone", &format!("dc7={out}")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("dc7"));
}

/// What the program says to this input, whatever its exit code.
fn openssl(arguments: &[&str], input: &str) -> String {
    let mut process = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    String::from_utf8_lossy(&process.wait_with_output().unwrap().stdout).into_owned()
}
