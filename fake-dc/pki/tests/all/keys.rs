//! Keys and signatures, judged by OpenSSL.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::process::Command;

use crate::common::{dc1, now, pki, program_is_there};
use fake_dc_pki::{Chain, Hash, KeyKind, KeyOwner, SignatureAlgorithm, SigningKey};
use ground::Seed;

const KINDS: [KeyKind; 11] = [
    KeyKind::EcdsaP256,
    KeyKind::EcdsaP384,
    KeyKind::EcdsaP521,
    KeyKind::Ed25519,
    KeyKind::Rsa512,
    KeyKind::Rsa1024,
    KeyKind::Rsa2048,
    KeyKind::Rsa3072,
    KeyKind::Rsa4096,
    KeyKind::Rsa8192,
    KeyKind::RsaPss2048,
];

const HASHES: [Hash; 6] =
    [Hash::Md5, Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];

fn algorithms() -> Vec<SignatureAlgorithm> {
    let mut all = vec![
        SignatureAlgorithm::Ed25519,
        SignatureAlgorithm::RsaPss { hash: Hash::Sha256, mask_hash: Hash::Sha1, salt_size: 7 },
        SignatureAlgorithm::RsaPss { hash: Hash::Sha1, mask_hash: Hash::Sha512, salt_size: 0 },
    ];
    for hash in HASHES {
        all.push(SignatureAlgorithm::RsaPkcs1(hash));
        all.push(SignatureAlgorithm::Ecdsa(hash));
        all.push(SignatureAlgorithm::rsa_pss(hash));
    }
    all
}

/// A certificate signed by its own key in this way, if the key can.
fn self_signed(kind: KeyKind, algorithm: SignatureAlgorithm) -> Option<Chain> {
    let mut plan = pki().plan(&dc1()).unwrap();
    plan.leaf().of_kind(kind).signed_by_itself().signed_with(algorithm);
    let leaf = plan.leaf_id();
    plan.send_only([leaf]);
    plan.anchor_at(leaf);
    plan.key_of(leaf).unwrap().fits(algorithm).then(|| plan.issue().unwrap())
}

#[test]
fn openssl_verifies_every_signature_that_a_key_can_make() {
    if !program_is_there("openssl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for kind in KINDS {
        for (number, algorithm) in algorithms().into_iter().enumerate() {
            let Some(chain) = self_signed(kind, algorithm) else { continue };
            let name = format!("{kind:?}-{number}.pem");
            let path = directory.path().join(&name);
            std::fs::write(&path, chain.leaf_pem()).unwrap();
            let output = Command::new("openssl")
                .args(["verify", "-check_ss_sig", "-partial_chain", "-auth_level", "0"])
                .args(["-attime", &now().unix().to_string()])
                .arg("-CAfile")
                .args([&path, &path])
                .output()
                .unwrap();
            let said =
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(said.ends_with(": OK\n"), "{kind:?} {algorithm}: {said}");
            files.push(name);
        }
    }
    assert_eq!(files.len(), 102, "{files:?}");
}

#[test]
fn rsa_keys_of_any_size_are_keys() {
    if !program_is_there("openssl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for (bits, exponent) in [(384, 3), (768, 65_537), (1_025, 65_537), (1_280, 17), (2_048, 3)] {
        let owner = KeyOwner::Named("dc1".to_owned());
        let make = || SigningKey::rsa(&Seed::new(7), &owner, bits, exponent).unwrap();
        let key = make();
        assert_eq!(key.rsa_bits(), Some(bits));
        assert_eq!(key.public_key_der(), make().public_key_der(), "one seed, one key");
        let path = directory.path().join("key.pem");
        std::fs::write(&path, key.to_private_key().to_pem()).unwrap();
        let output = Command::new("openssl")
            .args(["rsa", "-check", "-noout", "-in"])
            .arg(path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains("RSA key ok"), "{bits} bits, exponent {exponent}: {said}");
    }
}

#[test]
fn every_kind_of_key_is_read_again() {
    for kind in KINDS {
        let mut plan = pki().plan(&dc1()).unwrap();
        plan.leaf().of_kind(kind);
        let key = plan.key_of(plan.leaf_id()).unwrap();
        let read = SigningKey::from_private_key(&key.to_private_key()).unwrap();
        assert_eq!(read.public_key_der(), key.public_key_der());
        assert_eq!(read.to_private_key(), key.to_private_key());
        let algorithm = key.usual_algorithm();
        assert_eq!(
            read.sign(algorithm, b"anything").unwrap(),
            key.sign(algorithm, b"anything").unwrap()
        );
    }
}
