//! The judgement of appliances, beside that of Java itself.

use std::process::Stdio;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fake_dc_pki::{CaCertificate, DcIdentity, Pki, Purpose};
use ground::{Seed, Timestamp};
use rustls::pki_types::CertificateDer;
use tokio::{io::AsyncWriteExt as _, process::Command};
use trust_models::ordered::{Keystore, pkix};

use crate::{
    foreign,
    world::{Material, link, now},
};

type Certificates = Vec<CertificateDer<'static>>;

struct Case {
    shown: Certificates,
    trusted: Certificates,
    at: Timestamp,
    expected: &'static str,
}

const NO_PATH: &str = "pkix-no-path";

/// The chain `root ──▶ issuing ──▶ leaf`, shown in every order with something missing or wrong, and
/// judged by the right root, by one of the same name, by another, and at other times.
fn cases() -> Vec<Case> {
    let pki = Pki::new(&Seed::new(3), now(), "corp.example").unwrap();
    let of = |which| pki.certificate(which).unwrap();
    let (root, issuing) = (of(CaCertificate::Root), of(CaCertificate::Intermediate));
    let (namesake, other) = (of(CaCertificate::NamesakeRoot), of(CaCertificate::Unrelated));
    let server = DcIdentity::new("storage1", "corp.example", [127, 0, 0, 1].into());
    let leaf_of = |edit: &dyn Fn(&mut fake_dc_pki::ChainPlan)| {
        let mut plan = pki.plan(&server).unwrap();
        edit(&mut plan);
        plan.issue().unwrap().certificates[0].clone()
    };
    let leaf = leaf_of(&|_| {});
    let for_clients = leaf_of(&|plan| {
        plan.leaf().meant_for([Purpose::ClientAuth]);
    });
    let broken = leaf_of(&|plan| {
        plan.leaf().with_broken_signature();
    });
    let short = leaf_of(&|plan| {
        let day = now();
        plan.leaf().valid(day.plus_days(-2), day.plus_days(2));
    });
    let trusts = |certificate: &CertificateDer<'static>| vec![certificate.clone()];
    let mut cases = Vec::new();
    let mut add = |shown: &[&CertificateDer<'static>], trusted: Certificates, days, expected| {
        let shown = shown.iter().map(|&der| der.clone()).collect();
        cases.push(Case { shown, trusted, at: now().plus_days(days), expected });
    };
    add(&[&leaf, &root, &issuing], trusts(&root), 0, "trusted");
    add(&[&leaf, &issuing, &root], trusts(&root), 0, "trusted");
    add(&[&leaf, &issuing], trusts(&root), 0, "trusted");
    add(&[&leaf], trusts(&issuing), 0, "trusted");
    add(&[&leaf], trusts(&leaf), 0, "trusted");
    add(&[&leaf], trusts(&root), 0, NO_PATH);
    add(&[&leaf, &root], trusts(&root), 0, NO_PATH);
    add(&[&leaf, &root, &issuing], trusts(&other), 0, NO_PATH);
    add(&[&leaf, &issuing, &root], trusts(&other), 0, NO_PATH);
    add(&[&leaf, &root, &issuing], trusts(&namesake), 0, NO_PATH);
    add(&[&leaf, &issuing], trusts(&namesake), 0, "pkix-no-such-anchor");
    add(&[&leaf, &issuing], vec![namesake, root.clone()], 0, "trusted");
    add(&[&short, &root, &issuing], trusts(&root), 3, NO_PATH);
    add(&[&short, &issuing, &root], trusts(&root), 3, "pkix-validity");
    add(&[&short, &issuing, &root], trusts(&root), -3, "pkix-validity");
    // The root, too, has expired by then; whoever validates does not look at it.
    add(&[&leaf, &issuing, &root], trusts(&root), 20_000, "pkix-validity");
    add(&[&leaf, &root, &issuing], trusts(&root), 20_000, NO_PATH);
    add(&[&broken, &root, &issuing], trusts(&root), 0, NO_PATH);
    add(&[&broken, &issuing, &root], trusts(&root), 0, "pkix-signature");
    add(&[&for_clients, &issuing, &root], trusts(&root), 0, "pkix-purpose");
    add(&[&for_clients, &root, &issuing], trusts(&root), 0, "pkix-purpose");
    // The leaf twice is out of order, and a path is found.
    add(&[&leaf, &leaf, &issuing, &root], trusts(&root), 0, "trusted");
    cases
}

fn judged(case: &Case) -> Result<(), pkix::Refusal> {
    pkix::judge(&case.shown, &case.trusted, case.at)
}

#[test]
fn chains_are_judged_by_what_is_shown_and_trusted() {
    for (number, case) in cases().iter().enumerate() {
        let reason = judged(case).map_or_else(|refusal| refusal.reason(), |()| "trusted");
        assert_eq!(reason, case.expected, "case {number}");
    }
}

/// A root in PEM, set in all ways that people have of setting it.
fn texts() -> Vec<String> {
    let root = Material::new(3).root;
    let lines: Vec<&str> = root.lines().collect();
    let plus = root.replace('+', " ");
    assert_ne!(plus, root);
    vec![
        root.clone(),
        root.trim_end().to_owned(),
        root.replace('\n', "\r\n"),
        root.replace('\n', "\n\n"),
        root.replace('\n', "  \n"),
        root.replace('\n', "\n  ").replace("  -----END", "-----END"),
        root.replace('\n', "\n  "),
        root.replace("\n-----END", "-----END"),
        root.replace("\n-----END", "---END"),
        format!("  {root}"),
        format!("Bag Attributes\n    localKeyID: 54 69 6D\nsubject=CN = a - b\n\n{root}"),
        format!("{root}and what - follows\n"),
        format!("{root}----- none\n"),
        format!("text and {root}"),
        plus.clone(),
        format!("Bag Attributes\n{plus}"),
        root.replacen("MII", "M II", 1),
        root.replacen("MII", "M*II", 1),
        format!("{}\nName: value\n\n{}", lines[0], lines[1..].join("\n")),
        root.replace("END CERTIFICATE", "END KEY"),
        root.trim_end().trim_end_matches('-').to_owned(),
        root.split("-----END").next().unwrap_or_default().to_owned(),
        lines[1..lines.len() - 1].join("\n"),
        String::from("none"),
    ]
}

/// Whether the keystore finds a certificate in a text.
fn is_read(text: &str) -> &'static str {
    match Keystore::in_memory().unwrap().upload(&link(1, "root", text)) {
        Ok(_) => "read",
        Err(error) => {
            let reason = error.reason();
            assert!(["certificate-malformed", "not-url-encoded"].contains(&reason), "{error}");
            "unreadable"
        }
    }
}

#[tokio::test]
async fn java_says_the_same() {
    // A runtime alone cannot run source.
    if foreign::run("javac", &["-version"]).await.is_none() {
        return;
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ordered/Pkix.java");
    let mut java = Command::new("java")
        .args(["-XX:TieredStopAtLevel=1", source])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let list = |certificates: &Certificates| {
        let texts: Vec<_> = certificates.iter().map(|der| BASE64_STANDARD.encode(der)).collect();
        texts.join(",")
    };
    let cases = cases();
    let line =
        |case: &Case| format!("{} {} {}\n", case.at.unix(), list(&case.shown), list(&case.trusted));
    let lines: String = cases.iter().map(line).collect();
    let texts = texts();
    let lines =
        texts.iter().fold(lines, |lines, text| lines + &BASE64_STANDARD.encode(text) + "\n");
    let mut stdin = java.stdin.take().unwrap();
    let write = async move { stdin.write_all(lines.as_bytes()).await.unwrap() };
    let (output, ()) = tokio::join!(java.wait_with_output(), write);
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    let said: Vec<&str> = said.lines().collect();
    let judged = |case: &Case| {
        judged(case).map_or_else(|refusal| refusal.to_string(), |()| "trusted".into())
    };
    let read = texts.iter().map(|text| is_read(text).to_owned());
    let ours: Vec<String> = cases.iter().map(judged).chain(read).collect();
    assert_eq!(said, ours);
}
