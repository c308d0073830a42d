//! OpenLDAP's `ldapsearch` against a good DC and two bad ones, with the printed URL and CA file.
//!
//! Needs `ldapsearch` (Debian: `ldap-utils`). Without it the test says that it is skipped; with
//! `TRUSTRIG_REQUIRE_TOOLS=1` it fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::{
    fmt::Write as _,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/samba-ad/ldif");

/// `fake-dc serve`, as a user starts it.
struct Served {
    process: Child,
    dcs: Vec<Value>,
}

impl Served {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_fake-dc"))
            .args([
                "serve",
                "--ports",
                "system",
                "--domain",
                "lab.example",
                "--flavour",
                "samba-4.22",
                "--dcs",
                "3",
            ])
            .args(["--fault", "dc2=time.leaf-expired", "--fault", "dc3=name.other-host"])
            .args(["--ldif", CAPTURES])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let dcs = lines
            .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
            .take_while(|line| line["ready"] != true)
            .collect();
        Self { process, dcs }
    }

    /// The command, what it printed, and its end; ports taken out.
    fn ldapsearch(&self, dc: usize, url: &str, arguments: &[&str]) -> String {
        let dc = &self.dcs[dc];
        let run = Command::new("ldapsearch")
            .args(["-x", "-H", url])
            .args(arguments)
            .env("LDAPTLS_CACERT", dc["ca_file"].as_str().unwrap())
            .env_remove("LDAPRC")
            .output()
            .unwrap();
        let mut transcript = format!("$ ldapsearch -x -H {url} {}\n", arguments.join(" "));
        transcript.push_str(&String::from_utf8(run.stdout).unwrap());
        // With `-d 1` standard error is a trace; its TLS lines tell why the chain was rejected.
        let trace = arguments.contains(&"-d");
        let errors = String::from_utf8_lossy(&run.stderr).into_owned();
        let told = |line: &&str| line.starts_with("TLS: ") && !line.contains("can't connect");
        for line in errors.lines().filter(|line| !trace || told(line)) {
            writeln!(transcript, "stderr: {line}").unwrap();
        }
        writeln!(transcript, "exit: {}", run.status.code().unwrap()).unwrap();
        for (name, service) in [("LDAPS", "ldaps"), ("LDAP", "ldap"), ("GCS", "gcs"), ("GC", "gc")]
        {
            transcript = transcript.replace(&format!(":{}", dc[service]), &format!(":{name}"));
        }
        transcript
    }

    fn ldaps(&self, dc: usize, arguments: &[&str]) -> String {
        self.ldapsearch(dc, self.dcs[dc]["url"].as_str().unwrap(), arguments)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone then.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// True if the program is there; says so if it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("-VV").stderr(Stdio::null()).status().is_ok();
    let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(found || !required, "{program} is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
    if !found {
        eprintln!("SKIPPED: {program} is not installed (Debian: apt-get install ldap-utils)");
    }
    found
}

const KRBTGT: [&str; 5] =
    ["-LLL", "-b", "DC=lab,DC=example", "(sAMAccountName=krbtgt)", "objectSid"];
const ADMINISTRATOR: [&str; 4] = ["-D", "Administrator@lab.example", "-w", "Passw0rd!Lab1"];

#[test]
fn ldapsearch_takes_the_good_dc_and_rejects_the_bad_ones() {
    if !has("ldapsearch") {
        return;
    }
    let served = Served::start();
    let authenticated = [&ADMINISTRATOR[..], &KRBTGT].concat();

    insta::assert_snapshot!("good_dc", served.ldaps(0, &authenticated));
    // GnuTLS' words for why; the bind does not come about.
    let traced = [&["-d", "1"], &authenticated[..]].concat();
    insta::assert_snapshot!("expired_dc", served.ldaps(1, &traced));
    insta::assert_snapshot!("misnamed_dc", served.ldaps(2, &traced));

    let url = format!("ldap://{}:{}", "127.0.0.10", served.dcs[0]["ldap"]);
    let start_tls = [&["-ZZ"], &authenticated[..]].concat();
    insta::assert_snapshot!("starttls", served.ldapsearch(0, &url, &start_tls));

    let groups = ["-b", "DC=lab,DC=example", "(objectClass=group)", "1.1"];
    let pages = |size| served.ldaps(0, &[&ADMINISTRATOR[..], &["-E", size], &groups].concat());
    let (small, large) = (pages("pr=5/noprompt"), pages("pr=500/noprompt"));
    let names = |pages: &str| pages.matches("\ndn: ").count();
    assert_eq!((names(&small), names(&large)), (names(&large), names(&large)));
    let answers = small.matches("\ncontrol: 1.2.840.113556.1.4.319 ").count();
    assert_eq!(answers, names(&large).div_ceil(5), "{small}");

    // The forest, below the empty name.
    let forest = [&ADMINISTRATOR[..], &["-LLL", "-b", ""], &KRBTGT[3..]].concat();
    let url = format!("ldaps://127.0.0.10:{}", served.dcs[0]["gcs"]);
    insta::assert_snapshot!("global_catalog_tls", served.ldapsearch(0, &url, &forest));
    let url = format!("ldap://127.0.0.10:{}", served.dcs[0]["gc"]);
    let forest = [&["-ZZ"], &forest[..]].concat();
    insta::assert_snapshot!("global_catalog_starttls", served.ldapsearch(0, &url, &forest));

    let wrong = [&["-D", "alice@lab.example", "-w", "wrong"], &KRBTGT[..]].concat();
    insta::assert_snapshot!("wrong_password", served.ldaps(0, &wrong));

    let group = ["-LLL", "-b", "DC=lab,DC=example", "(cn=xsadmins)", "member", "sAMAccountName"];
    let group = [&ADMINISTRATOR[..], &group].concat();
    insta::assert_snapshot!("captured_group", served.ldaps(0, &group));
}

#[test]
fn a_ca_that_is_not_the_domains_makes_ldapsearch_reject_the_good_dc() {
    if !has("ldapsearch") {
        return;
    }
    let mut served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.pem");
    let seed = ground::Seed::new(99);
    let now = ground::Clock::system().now();
    let pki = fake_dc_pki::Pki::new(&seed, now, "lab.example").unwrap();
    std::fs::write(&other, pki.root_pem()).unwrap();
    served.dcs[0]["ca_file"] = other.display().to_string().into();
    insta::assert_snapshot!("unknown_ca", served.ldaps(0, &[&["-d", "1"], &KRBTGT[..]].concat()));
}
