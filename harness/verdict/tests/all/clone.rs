//! A clone of a chain gets the verdict of the original, and shares no key and no name with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use aws_lc_rs::digest;
use fake_dc_pki::{
    ChainFault, DcIdentity, PemFile, Pki, SigningKey, catalogue,
    clone::{CloneOptions, ClonedChain, Original, ScrubMap},
};
use ground::Seed;
use proptest::prelude::*;
use rustls_pki_types::CertificateDer;
use serde::Deserialize;
use trust_verdict::{
    Client, ClientConfig, PeerName, Presented, TlsVersion, TrustFiles, Verdict, VerifyPeer,
    XAPI_PRIORITY,
};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use crate::support::{Sample, now, oracle};

#[test]
fn every_sample_keeps_its_verdicts() {
    let mut rows = 0;
    for folder in oracle() {
        let sample = Sample::load(&folder);
        let (clone, _) = cloned(&sample, &CloneOptions::new(Seed::new(7)));
        rows += compare(&sample, &clone, None);
    }
    crate::support::say(&format!("clones: {rows} rows keep their verdicts"));
    assert!(rows > 2_000, "the oracle has been lost: {rows} rows");
}

#[test]
fn every_sample_keeps_its_verdicts_without_its_names() {
    let mut rows = 0;
    for folder in oracle() {
        let sample = Sample::load(&folder);
        let (clone, made) = cloned(&sample, &CloneOptions::new(Seed::new(7)).scrubbing_names());
        rows += compare(&sample, &clone, made.map());
    }
    crate::support::say(&format!("scrubbed clones: {rows} rows keep their verdicts"));
    assert!(rows > 2_000, "the oracle has been lost: {rows} rows");
}

#[test]
fn no_key_material_is_shared() {
    let mut parts = 0;
    for folder in oracle() {
        let sample = Sample::load(&folder);
        for options in both_ways() {
            let (clone, _) = cloned(&sample, &options);
            let bytes = all_der(&clone).concat();
            for der in all_der(&sample) {
                for part in key_material(&der) {
                    parts += 1;
                    assert!(!contains(&bytes, &part), "{}: {part:02x?} is shared", sample.name);
                }
            }
        }
    }
    assert!(parts > 1_000, "only {parts} parts were looked for");
}

/// A server can prove that the leaf is its own.
#[test]
fn the_key_is_that_of_the_leaf() {
    for folder in oracle() {
        let sample = Sample::load(&folder);
        let (_, made) = cloned(&sample, &CloneOptions::new(Seed::new(7)));
        assert!(made.key_fits(), "{}", sample.name);
        let leaf = &made.chain().certificates[0];
        let key = SigningKey::from_private_key(&made.chain().key).expect("a key");
        assert!(key_material(leaf).contains(&key.identifier()), "{}", sample.name);
    }
}

#[test]
fn no_name_is_left() {
    let mut names = 0;
    for folder in oracle() {
        let sample = Sample::load(&folder);
        let (clone, _) = cloned(&sample, &CloneOptions::new(Seed::new(7)).scrubbing_names());
        let bytes = all_der(&clone).concat().to_ascii_lowercase();
        for name in all_der(&sample).iter().flat_map(|der| names_of(der)).collect::<BTreeSet<_>>() {
            names += 1;
            for spelling in spellings(&name) {
                assert!(!contains(&bytes, &spelling), "{}: `{name}` is left", sample.name);
            }
        }
    }
    assert!(names > 500, "only {names} names were looked for");
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_another_seed_another_key() {
    for name in ["cross-root-new-trusted", "ecdsa-p256-leaf", "pss-leaf-key", "fuzz-20001"] {
        let sample = crate::support::sample(name);
        for options in both_ways() {
            let (one, first) = cloned(&sample, &options);
            let (two, second) = cloned(&sample, &options);
            assert_eq!(one.files(), two.files());
            assert_eq!(first.chain(), second.chain());
        }
        let (_, one) = cloned(&sample, &CloneOptions::new(Seed::new(1)));
        let (_, two) = cloned(&sample, &CloneOptions::new(Seed::new(2)));
        assert_ne!(one.chain().certificates, two.chain().certificates);
    }
}

/// A clone of a clone without names, with the names put back, says what a plain clone says.
#[test]
fn the_map_turns_names_back() {
    for folder in oracle() {
        let sample = Sample::load(&folder);
        let options = CloneOptions::new(Seed::new(7));
        let (scrubbed, made) = cloned(&sample, &options.clone().scrubbing_names());
        let map = made.map().expect("names were exchanged");
        let map = ScrubMap::from_json(&map.to_json()).expect("a map");
        let (restored, _) = cloned(&scrubbed, &options.clone().restoring_names(&map));
        let said = |sample: &Sample| -> Vec<_> {
            all_der(sample).iter().filter_map(|der| what_it_says(der)).collect()
        };
        assert_eq!(said(&restored), said(&sample), "{}", sample.name);
    }
}

/// One fault, two, or three, of the catalogue of certificate faults.
fn faults() -> impl Strategy<Value = Vec<ChainFault>> {
    let all: Vec<ChainFault> =
        catalogue().map(|fault| fault.id.parse().expect("a fault of the catalogue")).collect();
    prop::sample::subsequence(all.clone(), 1..=3.min(all.len()))
}

#[test]
fn every_fault_of_the_catalogue_survives_cloning() {
    for fault in catalogue() {
        let fault: ChainFault = fault.id.parse().expect("a fault of the catalogue");
        survives(&[fault], 3);
    }
}

/// The key of the leaf is one that the clone's CAs would have, under the name of another algorithm.
#[test]
fn a_key_of_an_unknown_algorithm_is_not_shared() {
    for seed in 155..165 {
        survives(&["algorithm.unknown-key".parse().expect("a fault of the catalogue")], seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn faults_together_survive_cloning(faults in faults(), seed in 0_u64..1_000) {
        survives(&faults, seed);
    }
}

/// The others are these without a part.
const MODES: [VerifyPeer; 3] =
    [VerifyPeer::NoCheck, VerifyPeer::CaAndNameIfAvailable, VerifyPeer::AsStrictAsPossible];

fn survives(faults: &[ChainFault], seed: u64) {
    let pki = Pki::new(&Seed::new(seed), now(), "corp.example").expect("a domain");
    let dc1 = DcIdentity::new("dc1", "corp.example", [127, 0, 1, 11].into());
    let chain = pki.chain(&dc1, faults).expect("a chain");
    let anchor = chain.anchor_pem().expect("an anchor");
    let crl = chain.crl_pem();
    let original = Original::from_handshake("a DC", &chain.certificates)
        .trusted_by(&PemFile::new("ca.pem", &anchor))
        .trusted_by(&PemFile::new("root.pem", pki.root_pem()))
        .revoked_by(&PemFile::new("crl.pem", &crl));
    let before = [anchor.as_bytes(), pki.root_pem().as_bytes(), crl.as_bytes()];
    for options in
        [CloneOptions::new(Seed::new(seed)), CloneOptions::new(Seed::new(seed)).scrubbing_names()]
    {
        let clone = original.clone_with(&options).expect("a clone");
        // Both have their keys from one pool, and none twice.
        let bytes = ders(clone.chain().certificates.iter()).concat();
        for part in chain.certificates.iter().flat_map(|der| key_material(der)) {
            assert!(!contains(&bytes, &part), "{faults:?}: {part:02x?} is shared");
        }
        let mut map = clone.map().cloned();
        let after = [&clone.trusted()[0][..], &clone.trusted()[1], &clone.revoked()[0]];
        for trusted in [0, 1] {
            for mode in MODES {
                for tls in [TlsVersion::Tls12, TlsVersion::Tls13] {
                    for peer in ["dc1.corp.example", "dc2.corp.example"] {
                        let new_peer = map.as_mut().map_or(peer.to_owned(), |map| map.name(peer));
                        let judge = |certificates: &[Vec<u8>], files: &[&[u8]; 3], peer: &str| {
                            let crl = if files[2].is_empty() { None } else { Some(files[2]) };
                            judged(certificates, files[trusted], crl, mode, tls, peer)
                        };
                        let wanted = judge(&ders(chain.certificates.iter()), &before, peer);
                        let found =
                            judge(&ders(clone.chain().certificates.iter()), &after, &new_peer);
                        assert_eq!(said(&wanted), said(&found), "{faults:?} {mode} {peer}");
                    }
                }
            }
        }
    }
}

fn ders<'a>(certificates: impl Iterator<Item = &'a CertificateDer<'static>>) -> Vec<Vec<u8>> {
    certificates.map(|certificate| certificate.as_ref().to_vec()).collect()
}

fn judged(
    certificates: &[Vec<u8>],
    cafile: &[u8],
    crl: Option<&[u8]>,
    mode: VerifyPeer,
    tls: TlsVersion,
    peer: &str,
) -> Verdict {
    let file = |name: &str, bytes: &[u8]| trust_verdict::PemFile::new(name, bytes.to_vec());
    let config = ClientConfig {
        mode,
        trust: TrustFiles {
            cafile: Some(file("ca.pem", cafile)),
            crlfile: crl.map(|bytes| file("crl.pem", bytes)),
            ..TrustFiles::default()
        },
        priority: XAPI_PRIORITY.to_owned(),
    };
    let peer = PeerName::new(peer);
    match Client::new(config) {
        Ok(client) => {
            client.judge(&peer, &Presented { certificates: certificates.to_vec(), tls }, now())
        }
        Err(error) => error.verdict(&peer, now()),
    }
}

/// The rows of the sample.
#[derive(Debug, Deserialize)]
struct Expected {
    outcomes: BTreeMap<String, Outcome>,
    /// priority → mode → peer → key of `outcomes`.
    verdicts: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    verdict: String,
    #[serde(default)]
    status: Option<String>,
    wire: Wire,
}

#[derive(Debug, Deserialize)]
struct Wire {
    #[serde(default)]
    version: Option<String>,
}

/// The version the row was measured with; a failed handshake does not record it.
fn version(sample: &str, priority: &str, outcome: &Outcome) -> TlsVersion {
    match outcome.wire.version.as_deref() {
        Some("TLSv1.2") => TlsVersion::Tls12,
        Some("TLSv1.3") => TlsVersion::Tls13,
        _ if priority == "xapi" || sample == "bad-san-encoding" => TlsVersion::Tls12,
        _ => TlsVersion::Tls13,
    }
}

/// Judges both in every row, and returns how many these were.
fn compare(sample: &Sample, clone: &Sample, map: Option<&ScrubMap>) -> usize {
    let text = fs::read_to_string(sample.folder().join("expected.json")).expect("expected.json");
    let expected: Expected = serde_json::from_str(&text).expect("the format of the oracle");
    let mut map = map.cloned();
    let mut rows = 0;
    for (priority, modes) in &expected.verdicts {
        for (mode, peers) in modes {
            let mode: VerifyPeer = mode.parse().expect("a mode");
            for (peer, letter) in peers {
                let new_peer = map.as_mut().map_or(peer.clone(), |map| map.name(peer));
                for tls in [TlsVersion::Tls12, TlsVersion::Tls13] {
                    let before = sample.judge(mode, priority, peer, tls, now());
                    let after = clone.judge(mode, priority, &new_peer, tls, now());
                    let row = format!("{} {priority} {mode} {peer} {new_peer}", sample.name);
                    assert_eq!(said(&before), said(&after), "{row}");
                    let measured = &expected.outcomes[letter];
                    if tls == version(&sample.name, priority, measured) {
                        assert_eq!(after.class.name(), measured.verdict, "{row}");
                        let status = (!after.status.is_empty()).then(|| after.status.to_string());
                        assert_eq!(status, measured.status, "{row}");
                    }
                }
                rows += 1;
            }
        }
    }
    rows
}

/// What of a verdict does not name anything.
fn said(verdict: &Verdict) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        verdict.class,
        verdict.status.to_string(),
        verdict.flags.clone(),
        verdict.is_without_hostname(),
        verdict.gnutls.map(|error| error.name()),
        verdict.ntstatus.name(),
    )
}

fn both_ways() -> [CloneOptions; 2] {
    let options = CloneOptions::new(Seed::new(7));
    [options.clone(), options.scrubbing_names()]
}

/// A sample with everything in it cloned, as another sample.
fn cloned(sample: &Sample, options: &CloneOptions) -> (Sample, ClonedChain) {
    let chain = PemFile::new("chain.pem", sample.chain());
    let mut original = Original::from_pem(&chain).expect("a chain");
    for content in sample.trust_files() {
        original = original.trusted_by(&PemFile::new("ca", content));
    }
    let crl = sample.crl_file();
    if let Some(content) = crl {
        original = original.revoked_by(&PemFile::new("crl", content));
    }
    let clone = original.clone_with(options).expect("a clone");
    let made = sample.with(
        clone.chain().to_pem().into_bytes(),
        clone.trusted(),
        clone.revoked().first().cloned(),
    );
    (made, clone)
}

/// Every structure of a sample.
fn all_der(sample: &Sample) -> Vec<Vec<u8>> {
    sample.files().iter().flat_map(|file| blocks(file)).collect()
}

/// What the PEM blocks of a file hold, as far as it can be decoded.
fn blocks(file: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(file);
    let mut found = Vec::new();
    for block in text.split("-----BEGIN ").skip(1) {
        let body = block.split("-----").nth(1).unwrap_or_default();
        let pem = format!("-----BEGIN X-----\n{}\n-----END X-----\n", body.trim());
        found.extend(pem::parse(pem).map(|block| block.contents().to_vec()));
    }
    found
}

/// Public key, signature, and the identifiers that are made from the key.
fn key_material(der: &[u8]) -> Vec<Vec<u8>> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let key = certificate.tbs_certificate.subject_pki.subject_public_key.data.to_vec();
    let whole = certificate.tbs_certificate.subject_pki.raw;
    let hash =
        |bytes: &[u8]| digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec();
    let mut material = vec![hash(&key), hash(whole), certificate.signature_value.data.to_vec()];
    // The modulus alone, too: the middle of an RSA key is nothing else.
    let middle = key.len() / 4..key.len() * 3 / 4;
    material.push(key[middle].to_vec());
    material.push(key);
    material.retain(|part| part.len() >= 16);
    material
}

/// The words of names that could tell whose they are.
fn names_of(der: &[u8]) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let mut texts = Vec::new();
    for name in [certificate.subject(), certificate.issuer()] {
        for attribute in name.iter_attributes() {
            if attribute.attr_type().to_id_string() != "2.5.4.6" {
                texts.push(String::from_utf8_lossy(attribute.as_slice()).into_owned());
            }
        }
    }
    for extension in certificate.extensions() {
        if let ParsedExtension::SubjectAlternativeName(names) = extension.parsed_extension() {
            for name in &names.general_names {
                match name {
                    GeneralName::DNSName(text)
                    | GeneralName::RFC822Name(text)
                    | GeneralName::URI(text) => texts.push((*text).to_owned()),
                    _ => {}
                }
            }
        }
    }
    const TRADE: [&str; 7] =
        ["authority", "certificate", "intermediate", "issuing", "root", "server", "policy"];
    let words = texts.iter().flat_map(|text| text.split(|letter: char| !letter.is_alphabetic()));
    let own: Vec<String> = words
        .map(str::to_lowercase)
        // Shorter ones occur in keys by chance.
        .filter(|word| word.chars().count() >= 4 && !TRADE.contains(&word.as_str()))
        .collect();
    let whole = texts.iter().filter(|text| text.contains('.')).map(|text| text.to_lowercase());
    whole.chain(own).collect()
}

/// A name in every encoding that a certificate may have it in.
fn spellings(name: &str) -> [Vec<u8>; 4] {
    let units = || name.encode_utf16();
    [
        name.as_bytes().to_vec(),
        name.chars().map(|letter| letter as u8).collect(),
        units().flat_map(u16::to_be_bytes).collect(),
        units().flat_map(u16::to_le_bytes).collect(),
    ]
}

/// Names, dates, serial and the extensions that depend on no key.
fn what_it_says(der: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut said = vec![
        certificate.subject().as_raw().to_vec(),
        certificate.issuer().as_raw().to_vec(),
        certificate.raw_serial().to_vec(),
        certificate.validity().not_before.timestamp().to_be_bytes().to_vec(),
        certificate.validity().not_after.timestamp().to_be_bytes().to_vec(),
    ];
    for extension in certificate.extensions() {
        if !["2.5.29.14", "2.5.29.35"].contains(&extension.oid.to_id_string().as_str()) {
            said.push(extension.value.to_vec());
        }
    }
    Some(said)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
