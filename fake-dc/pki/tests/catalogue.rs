//! Every fault of the catalogue: what it changes, and what an independent program says of it.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test stops where it fails")]

mod common;

use std::{collections::BTreeMap, fmt::Write as _, io::ErrorKind, path::Path, process::Command};

use common::{chain, describe, now, parse, pki};
use fake_dc_pki::{Chain, ChainFault, FaultInfo, catalogue, fault};
use similar::{ChangeTag, TextDiff};

/// What `openssl verify` answers for the DC's name, with the root that the hosts trust.
const VERDICTS: &[(&str, &str)] = &[
    ("time.leaf-expired", "error 10 at 0 depth lookup: certificate has expired"),
    ("time.intermediate-expired", "error 10 at 1 depth lookup: certificate has expired"),
    // The bundle holds the sound root; see `expired_anchors_are_seen_where_they_are_installed`.
    ("time.root-expired", OK),
    ("time.leaf-not-yet-valid", "error 9 at 0 depth lookup: certificate is not yet valid"),
    ("time.intermediate-not-yet-valid", "error 9 at 1 depth lookup: certificate is not yet valid"),
    ("time.root-not-yet-valid", OK),
    ("time.expires-during-run", OK),
    ("time.one-second-before", "error 9 at 0 depth lookup: certificate is not yet valid"),
    ("time.one-second-after", "error 10 at 0 depth lookup: certificate has expired"),
    ("time.inverted-validity", "error 9 at 0 depth lookup: certificate is not yet valid"),
    ("anchor.unknown-root", "error 20 at 1 depth lookup: unable to get local issuer certificate"),
    ("anchor.self-signed-leaf", "error 18 at 0 depth lookup: self-signed certificate"),
    (
        "anchor.same-name-other-key",
        "error 20 at 1 depth lookup: unable to get local issuer certificate",
    ),
    ("anchor.same-key-renewed", OK),
    ("anchor.cross-signed-old-root-removed", OK),
    ("chain.missing-intermediate", NO_ISSUER),
    ("chain.leaf-only-aia", NO_ISSUER),
    ("chain.root-included", OK),
    ("chain.reversed", OK),
    ("chain.duplicate", OK),
    ("chain.extra-unrelated", OK),
    ("chain.wrong-intermediate-same-subject", NO_ISSUER),
    ("chain.expired-twin-first", OK),
    ("chain.expired-twin-last", OK),
    ("chain.too-long", OK),
    ("name.other-host", MISMATCH),
    ("name.domain-only", MISMATCH),
    ("name.short-name-only", MISMATCH),
    ("name.renamed-dc", MISMATCH),
    ("name.ip-only", MISMATCH),
    ("name.ip-as-dns-name", MISMATCH),
    ("name.cn-only", OK),
    ("name.two-cns", OK),
    ("name.empty-subject-with-san", OK),
    ("name.wildcard", OK),
    ("name.wildcard-across-labels", MISMATCH),
    ("name.partial-wildcard", OK),
    ("name.trailing-dot", MISMATCH),
    ("name.letter-case", OK),
    ("name.nul-in-name", MISMATCH),
    ("profile.no-server-auth", "error 26 at 0 depth lookup: unsuitable certificate purpose"),
    ("profile.no-eku", OK),
    ("profile.any-eku", "error 26 at 0 depth lookup: unsuitable certificate purpose"),
    ("profile.key-usage-without-signature", OK),
    ("profile.leaf-is-ca", OK),
    ("profile.intermediate-not-ca", "error 79 at 1 depth lookup: invalid CA certificate"),
    (
        "profile.intermediate-without-basic-constraints",
        "error 79 at 1 depth lookup: invalid CA certificate",
    ),
    ("profile.path-length-exceeded", "error 25 at 2 depth lookup: path length constraint exceeded"),
    ("profile.name-constraints-exclude", "error 48 at 0 depth lookup: excluded subtree violation"),
    (
        "profile.name-constraints-permit-other",
        "error 47 at 0 depth lookup: permitted subtree violation",
    ),
    (
        "profile.unknown-critical-extension",
        "error 34 at 0 depth lookup: unhandled critical extension",
    ),
    // OpenSSL looks at policies only with -policy_check.
    ("profile.critical-policy-constraints", OK),
    ("profile.key-id-mismatch", NO_ISSUER),
    ("profile.must-staple", OK),
    ("algorithm.ecdsa-p256", OK),
    ("algorithm.ecdsa-p384", OK),
    // Without -crl_check; see `revocation.rs`.
    ("revocation.leaf-revoked", OK),
    ("revocation.intermediate-revoked", OK),
    ("revocation.certificate-hold", OK),
    ("revocation.removed-from-crl", OK),
    ("revocation.crl-expired", OK),
    ("revocation.crl-not-yet-valid", OK),
    ("revocation.crl-wrong-issuer", OK),
    ("revocation.crl-bad-signature", OK),
    ("revocation.crl-missing-when-required", OK),
    ("revocation.crl-garbage", OK),
    ("store.several-eligible", "error 18 at 0 depth lookup: self-signed certificate"),
    ("store.ntds-store-wins", NO_ISSUER),
    ("store.newest-not-longest", OK),
    ("store.renewed-not-reloaded", "error 10 at 0 depth lookup: certificate has expired"),
    ("store.auto-enrolled-empty-subject", OK),
    ("store.empty", NOTHING),
    ("store.no-private-key", NOTHING),
    ("store.template-without-server-auth", NOTHING),
    ("store.other-name", NOTHING),
    ("store.untrusted-issuer", NOTHING),
    ("store.expired-at-start", NOTHING),
];

/// The DC has no identity for TLS, so that there is nothing to verify.
const NOTHING: &str = "nothing is sent";
const OK: &str = "OK";
const MISMATCH: &str = "error 62 at 0 depth lookup: hostname mismatch";
const NO_ISSUER: &str = "error 20 at 0 depth lookup: unable to get local issuer certificate";

#[test]
fn each_fault_is_explained_and_tested_once() {
    let verdicts: BTreeMap<_, _> = VERDICTS.iter().copied().collect();
    assert_eq!(verdicts.len(), VERDICTS.len());
    assert_eq!(catalogue().count(), VERDICTS.len());
    for FaultInfo { id, summary, cause, chain, .. } in catalogue() {
        assert!(verdicts.contains_key(id), "{id} has no test");
        assert_eq!(fault(id).map(ChainFault::id), Some(*id));
        assert!(summary.len() > 10 && cause.len() > 10, "{id} is not explained");
        let (drawing, sent) =
            chain.rsplit_once("\nsent: ").expect("each drawing says what is sent");
        assert!(
            drawing.contains('[') || sent.contains('['),
            "the drawing of {id} does not mark the flaw"
        );
        assert!(chain.lines().all(|line| line.chars().count() <= 100), "{id} is drawn too wide");
    }
}

/// The defect is there and nothing else is: the snapshot holds every line that a fault changes.
#[test]
fn a_fault_changes_what_it_says_and_nothing_else() {
    let sound = describe(&chain(&[]));
    let mut changes = format!("sound chain\n\n{sound}\n");
    for fault in catalogue() {
        let wrong = describe(&chain(&[fault.id]));
        assert_ne!(sound, wrong, "{} changes nothing", fault.id);
        writeln!(changes, "\n{}\n", fault.id).unwrap();
        for change in TextDiff::from_lines(&sound, &wrong).iter_all_changes() {
            match change.tag() {
                ChangeTag::Delete => write!(changes, "- {change}").unwrap(),
                ChangeTag::Equal => {}
                ChangeTag::Insert => write!(changes, "+ {change}").unwrap(),
            }
        }
    }
    insta::assert_snapshot!(changes);
}

#[test]
fn openssl_agrees_about_every_fault() {
    let Some(()) = openssl_is_there() else { return };
    let directory = tempfile::tempdir().unwrap();
    for (id, verdict) in VERDICTS {
        let said = openssl_verify(directory.path(), &chain(&[id]), pki().root_pem());
        assert_eq!(said, *verdict, "{id}");
    }
    assert_eq!(openssl_verify(directory.path(), &chain(&[]), pki().root_pem()), OK);
}

#[test]
fn expired_anchors_are_seen_where_they_are_installed() {
    let Some(()) = openssl_is_there() else { return };
    let directory = tempfile::tempdir().unwrap();
    let with_its_anchor = |id| {
        let chain = chain(&[id]);
        openssl_verify(directory.path(), &chain, &chain.anchor_pem().unwrap())
    };
    assert_eq!(
        with_its_anchor("time.root-expired"),
        "error 10 at 2 depth lookup: certificate has expired"
    );
    assert_eq!(
        with_its_anchor("time.root-not-yet-valid"),
        "error 9 at 2 depth lookup: certificate is not yet valid"
    );
    for id in ["anchor.unknown-root", "anchor.self-signed-leaf", "anchor.same-name-other-key"] {
        assert_eq!(with_its_anchor(id), OK, "{id}");
    }
}

/// Serials differ whenever certificates of one issuer differ.
#[test]
fn no_two_certificates_share_a_serial() {
    let mut seen = BTreeMap::new();
    for fault in catalogue() {
        for der in chain(&[fault.id]).certificates {
            let serial = parse(&der).raw_serial().to_vec();
            assert_eq!(serial.len(), 16);
            let first = seen.entry(serial).or_insert_with(|| der.clone());
            assert_eq!(*first, der, "{}", fault.id);
        }
    }
}

fn openssl_verify(directory: &Path, chain: &Chain, anchor: &str) -> String {
    if chain.certificates.is_empty() {
        return NOTHING.to_owned();
    }
    let file = |name: &str, content: &str| {
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let output = Command::new("openssl")
        .arg("verify")
        .args(["-attime", &now().unix().to_string()])
        .args(["-purpose", "sslserver", "-verify_hostname", "dc1.corp.example"])
        .arg("-CAfile")
        .arg(file("anchor.pem", anchor))
        .arg("-untrusted")
        .arg(file("sent.pem", &chain.to_pem()))
        .arg(file("leaf.pem", &chain.leaf_pem()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let verdict = said.lines().find_map(|line| match line {
        line if line.ends_with("leaf.pem: OK") => Some(OK.to_owned()),
        line => line.starts_with("error ").then(|| line.to_owned()),
    });
    verdict.unwrap_or(said)
}

#[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
fn openssl_is_there() -> Option<()> {
    match Command::new("openssl").arg("version").output() {
        Ok(_) => Some(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("SKIPPED: there is no `openssl` program here");
            None
        }
        Err(error) => panic!("openssl cannot be run: {error}"),
    }
}
