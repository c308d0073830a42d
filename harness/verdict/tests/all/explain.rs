//! The explanation of a good number of faults, as a person would read it.

use trust_verdict::{TlsVersion, VerifyPeer};

use crate::support::{now, sample};

/// Samples whose explanation is kept, and the peer they are asked about.
const EXPLAINED: [(&str, &str); 30] = [
    ("ok-int", "dc1.ad.example.test"),
    ("ok-int", "dc2.ad.example.test"),
    ("ok-int", "192.0.2.10"),
    ("aki-keyid-mismatch", "dc1.ad.example.test"),
    ("bad-san-encoding", "dc1.ad.example.test"),
    ("bad-signature-leaf", "dc1.ad.example.test"),
    ("cafile-empty", "dc1.ad.example.test"),
    ("cafile-good-then-bad", "dc1.ad.example.test"),
    ("crl-empty-file", "dc1.ad.example.test"),
    ("deep-17", "dc1.ad.example.test"),
    ("ecdsa-p256-leaf", "dc1.ad.example.test"),
    ("expired-leaf", "dc1.ad.example.test"),
    ("expired-leaf-unknown-ca", "dc1.ad.example.test"),
    ("expired-root", "dc1.ad.example.test"),
    ("extra-malformed-cert", "dc1.ad.example.test"),
    ("int-ku-no-certsign", "dc1.ad.example.test"),
    ("int-no-bc", "dc1.ad.example.test"),
    ("int-unknown-critical", "dc1.ad.example.test"),
    ("leaf-ku-keyenc-only", "dc1.ad.example.test"),
    ("leaf-unknown-critical", "dc1.ad.example.test"),
    ("md5-leaf", "dc1.ad.example.test"),
    ("missing-int", "dc1.ad.example.test"),
    ("must-staple-leaf", "dc1.ad.example.test"),
    ("name-san-domain-only", "dc1.ad.example.test"),
    ("nc-permitted-mismatch", "dc1.ad.example.test"),
    ("notyet-leaf", "dc1.ad.example.test"),
    ("pathlen0-root-int", "dc1.ad.example.test"),
    ("rsa512-root", "dc1.ad.example.test"),
    ("selfsigned-leaf-untrusted", "dc1.ad.example.test"),
    ("wrong-ca", "dc1.ad.example.test"),
];

#[test]
fn explanations_are_as_accepted() {
    for (name, peer) in EXPLAINED {
        let sample = sample(name);
        let verdict = sample.judge(VerifyPeer::CaAndName, "xapi", peer, TlsVersion::Tls12, now());
        let text = verdict.explain().replace(&sample.dir(), "{dir}");
        insta::assert_snapshot!(format!("{name}-{peer}"), text);
    }
}

#[test]
fn every_refusal_names_a_culprit_and_a_remedy() {
    for folder in crate::support::oracle() {
        let sample = crate::support::Sample::load(&folder);
        for mode in VerifyPeer::ALL {
            for peer in ["dc1.ad.example.test", "dc2.ad.example.test", "192.0.2.10", "a b"] {
                let verdict = sample.judge(mode, "xapi", peer, TlsVersion::Tls12, now());
                if verdict.is_accept() {
                    assert_eq!(verdict.reasons, []);
                    continue;
                }
                let what = format!("{} {mode} {peer}", sample.name);
                assert!(!verdict.reasons.is_empty(), "{what}: no reason");
                assert!(!verdict.advice.is_empty(), "{what}: no advice");
                let told =
                    verdict.reasons.iter().fold(0, |bits, reason| bits | reason.status.bits());
                assert_eq!(told, verdict.status.bits(), "{what}: a bit without a reason");
            }
        }
    }
}
