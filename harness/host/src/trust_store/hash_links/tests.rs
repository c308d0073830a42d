//! Compared with the real `openssl rehash`.

#![expect(clippy::print_stderr, reason = "what is skipped is said")]

use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

use fake_dc_pki::{CertificatePlan, NameAttribute, Spelling};
use ground::{Seed, Timestamp};

use super::*;

const NOW: Timestamp = Timestamp::from_unix(1_787_277_600);

fn pem(seed: u64, change: impl FnOnce(&mut CertificatePlan)) -> String {
    let mut plan = CertificatePlan::server("somebody");
    plan.valid(NOW, NOW.plus_days(1)).named("somebody");
    change(&mut plan);
    plan.issue_alone(&Seed::new(seed)).unwrap().leaf_pem()
}

fn named<const N: usize>(seed: u64, attributes: [(NameAttribute, &str); N]) -> String {
    pem(seed, |plan| {
        plan.named_by(attributes);
    })
}

fn spelt(spelling: Spelling) -> String {
    pem(7, |plan| {
        plan.named(" Zoë \t of  the  Example \u{c} ").spelt_in(spelling);
    })
}

/// Files with names and contents of every kind.
fn files() -> Vec<(&'static str, String)> {
    let plain = pem(1, |_| {});
    let pki = fake_dc_pki::Pki::new(&Seed::new(1), NOW, "corp.example").unwrap();
    let dc = fake_dc_pki::DcIdentity::new("dc1", "corp.example", [127, 0, 0, 1].into());
    let lists = pki.chain(&dc, &[]).unwrap().crls;
    vec![
        ("a.pem", plain.clone()),
        ("b-same-name.pem", pem(2, |_| {})),
        ("c-same-name.crt", pem(3, |_| {})),
        ("d-the-same-again.pem", plain.clone()),
        ("e-no-suffix", pem(4, |_| {})),
        ("f-two.pem", format!("{plain}{}", pem(5, |_| {}))),
        ("g-nothing.pem", "nothing\n".to_owned()),
        ("h-text-around.pem", format!("text\n# comment\n{}\n\ntail", pem(6, |_| {}))),
        ("i-crlf.pem", named(6, [(NameAttribute::CommonName, "crlf")]).replace('\n', "\r\n")),
        ("j-utf8.pem", spelt(Spelling::Utf8)),
        ("k-bmp.pem", spelt(Spelling::Bmp)),
        ("l-teletex.pem", spelt(Spelling::Teletex)),
        (
            "m-many.pem",
            named(
                8,
                [
                    (NameAttribute::Country, "GB"),
                    (NameAttribute::DomainComponent, "Example"),
                    (NameAttribute::EmailAddress, "CA@Example.COM"),
                    (NameAttribute::CommonName, "Ünïcode  CA"),
                ],
            ),
        ),
        ("n-empty-name.pem", named(9, [])),
        ("o-long.pem", named(10, [(NameAttribute::Organization, "long ".repeat(60).as_str())])),
        ("p-root.pem", pki.root_pem().to_owned()),
        ("q-list.pem", lists[0].to_pem()),
        ("r-list.crl", lists[1].to_pem()),
    ]
}

fn links_of(root: &HostRoot) -> BTreeMap<String, PathBuf> {
    root.links("/certs").unwrap()
}

#[test]
fn links_are_those_of_openssl() {
    let directory = tempfile::tempdir().unwrap();
    let (ours, theirs) = (directory.path().join("ours"), directory.path().join("theirs"));
    let ours = HostRoot::open(ours).unwrap();
    let theirs = HostRoot::open(theirs).unwrap();
    let real = theirs.real_path("/certs").unwrap();
    let mut compared = 0;
    let mut compare = |what: &str| {
        rehash(&ours, "/certs").unwrap();
        let run = Command::new("openssl").arg("rehash").arg(&real).output();
        if run.is_err() {
            let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
            assert!(!required, "openssl is missing, and TRUSTRIG_REQUIRE_TOOLS is set");
            eprintln!("SKIPPED: openssl is missing (Debian: apt-get install openssl)");
            return;
        }
        assert_eq!(links_of(&ours), links_of(&theirs), "{what}");
        compared = links_of(&ours).len();
    };
    let both = |act: &dyn Fn(&HostRoot)| [&ours, &theirs].into_iter().for_each(act);
    for (name, content) in files() {
        both(&|root| root.write(&format!("/certs/{name}"), content.as_bytes(), 0o644).unwrap());
    }
    compare("all at once");
    both(&|root| assert!(root.remove("/certs/a.pem").unwrap()));
    compare("the first of several with one name is gone");
    both(&|root| root.write("/certs/00.pem", pem(11, |_| {}).as_bytes(), 0o644).unwrap());
    compare("one more, which comes first");
    compare("again");
    both(&|root| assert!(root.remove("/certs/c-same-name.crt").unwrap()));
    compare("one of the middle is gone");
    both(&|root| assert!(root.remove("/certs/b-same-name.pem").unwrap()));
    compare("and another");
    both(&|root| assert!(root.remove("/certs/d-the-same-again.pem").unwrap()));
    compare("and another");
    both(&|root| root.link("/certs", "00000000.0", "gone.pem").unwrap());
    compare("a link that leads nowhere");
    assert!(compared == 0 || compared > 10, "{compared}");
}

#[test]
fn a_name_of_several_attributes_in_one_part() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("certs/multi.pem");
    fs::create_dir(directory.path().join("certs")).unwrap();
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-multivalue-rdn", "-subj", "/OU=Unit+CN=Zed+O=Alpha/CN=x", "-keyout", "/dev/null"])
        .arg("-out")
        .arg(&file)
        .output();
    if !made.is_ok_and(|output| output.status.success()) {
        let required = std::env::var_os("TRUSTRIG_REQUIRE_TOOLS").is_some_and(|one| one == "1");
        assert!(!required, "openssl cannot make a certificate, and TRUSTRIG_REQUIRE_TOOLS is set");
        eprintln!("SKIPPED: openssl is missing (Debian: apt-get install openssl)");
        return;
    }
    let hash = Command::new("openssl").args(["x509", "-hash", "-noout", "-in"]).arg(&file).output();
    let hash = String::from_utf8(hash.unwrap().stdout).unwrap();
    let root = HostRoot::open(directory.path()).unwrap();
    rehash(&root, "/certs").unwrap();
    assert_eq!(links_of(&root).into_keys().collect::<Vec<_>>(), [format!("{}.0", hash.trim())]);
}

#[test]
fn what_is_damaged_gets_no_link() {
    let directory = tempfile::tempdir().unwrap();
    let root = HostRoot::open(directory.path()).unwrap();
    let sound = pem(1, |_| {});
    for text in ["-----BEGIN CERTIFICATE-----", "-----BEGIN X-----\n-----END X-----\n"] {
        root.write("/certs/a.pem", text.as_bytes(), 0o644).unwrap();
        rehash(&root, "/certs").unwrap();
    }
    root.write("/certs/b.pem", &[0xff, 0xfe], 0o644).unwrap();
    root.write("/certs/c.pem", sound.replace("MII", "MIJ").as_bytes(), 0o644).unwrap();
    root.create_directory("/certs/d.pem", 0o700).unwrap();
    rehash(&root, "/certs").unwrap();
    assert!(links_of(&root).is_empty());
    rehash(&root, "/none").unwrap();
}
