//! The corpus of the fuzz targets (`fuzz/`), replayed and mutated from a seed. Real fuzzing is
//! `ci/fuzz.sh`.

mod input;
#[path = "../support/maker.rs"]
mod maker;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use trust_verdict::{Presented, TlsVersion};

use input::{ANCHOR, CRL, MODE, SENT, record};

/// Samples of the oracle the corpus starts from: one for each branch of the judgement.
const SEEDS: [&str; 16] = [
    "ok-int",
    "aki-keyid-mismatch",
    "bad-san-encoding",
    "bad-signature-leaf",
    "cross-root-new-trusted",
    "crl-leaf-revoked",
    "duplicate-ext-int",
    "duplicate-int",
    "expired-root-valid-int-in-cafile-int-sent",
    "fuzz-20007",
    "leaf-as-anchor",
    "leaf-v1",
    "md5-leaf",
    "must-staple-leaf",
    "name-wild-ok",
    "nc-permitted-mismatch",
];

#[test]
fn the_corpus_is_judged() {
    for path in corpus("judge") {
        input::judge(&fs::read(path).expect("a corpus file"));
    }
    for path in corpus("evidence") {
        input::evidence(&fs::read(path).expect("a corpus file"));
    }
}

#[test]
fn the_mutated_corpus_is_judged() {
    let mut state = 1_u64;
    let mut next = |limit: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % limit
    };
    let mut mutate = |bytes: &mut Vec<u8>| {
        for _ in 0..1 + next(4) {
            let place = next(bytes.len());
            match next(4) {
                0 => bytes[place] = u8::try_from(next(256)).expect("an octet"),
                1 => bytes[place] ^= 1 << next(8),
                2 => bytes.truncate(place + 1),
                _ => {
                    let again = bytes[place..(place + next(64)).min(bytes.len())].to_vec();
                    bytes.splice(place..place, again);
                }
            }
        }
    };
    let (mut judged, mut read) = (0, 0);
    for path in corpus("judge") {
        let seed = fs::read(path).expect("a corpus file");
        for _ in 0..60 {
            let mut bytes = seed.clone();
            mutate(&mut bytes);
            input::judge(&bytes);
            judged += 1;
        }
    }
    for path in corpus("evidence") {
        let seed = fs::read(path).expect("a corpus file");
        for _ in 0..200 {
            let mut bytes = seed.clone();
            mutate(&mut bytes);
            input::evidence(&bytes);
            read += 1;
        }
    }
    support::say(&format!("fuzz: {judged} mutated cases judged, {read} read as evidence"));
}

/// The committed seeds are what the samples say. `TRUSTRIG_WRITE_CORPUS=1` writes them.
#[test]
fn the_seeds_are_those_of_the_oracle() {
    for sample in SEEDS {
        check("judge", sample, &seed(sample));
    }
    let folder = fixture("ok-int");
    let chain = fs::read(folder.join("chain.pem")).expect("chain.pem");
    let certificates = pem_blocks(&chain);
    check("evidence", "pem", &chain);
    check("evidence", "der", &certificates.concat());
    let list = maker::der(0xa0, &certificates.concat());
    let signed = maker::sequence(&[
        maker::der(2, &[1]),
        maker::der(0x31, &[]),
        maker::sequence(&[maker::oid("1.2.840.113549.1.7.1")]),
        list,
        maker::der(0x31, &[]),
    ]);
    let pkcs7 = maker::sequence(&[maker::oid("1.2.840.113549.1.7.2"), maker::der(0xa0, &signed)]);
    check("evidence", "pkcs7", &pkcs7);
}

fn check(target: &str, name: &str, bytes: &[u8]) {
    let path = folder(target).join(format!("seed-{name}"));
    if std::env::var_os("TRUSTRIG_WRITE_CORPUS").is_some() {
        fs::create_dir_all(folder(target)).expect("a folder for the corpus");
        fs::write(&path, bytes).expect("a seed is written");
    }
    let committed = fs::read(&path).unwrap_or_default();
    assert!(committed == bytes, "{} is not what the sample says", path.display());
}

fn seed(sample: &str) -> Vec<u8> {
    let folder = fixture(sample);
    let read = |name: &str| fs::read(folder.join(name)).unwrap_or_default();
    let records = |kind: u8, text: &[u8]| -> Vec<u8> {
        pem_blocks(text).iter().flat_map(|der| record(kind, der)).collect()
    };
    [
        record(MODE, &[3]),
        records(ANCHOR, &read("cafile.pem")),
        records(CRL, &read("crl.pem")),
        records(SENT, &read("chain.pem")),
    ]
    .concat()
}

/// The DER of every PEM block, of CRLs too.
fn pem_blocks(text: &[u8]) -> Vec<Vec<u8>> {
    let text = String::from_utf8_lossy(text).replace("X509 CRL", "CERTIFICATE");
    Presented::from_bytes(text.as_bytes(), TlsVersion::Tls12)
        .map(|presented| presented.certificates)
        .unwrap_or_default()
}

fn fixture(sample: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/oracle").join(sample)
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(target)).expect("the corpus");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {target} has been lost");
    files
}
