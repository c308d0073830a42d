//! The corpus of the fuzz targets (`fuzz/`), replayed and mutated from a seed. Real fuzzing is
//! `ci/fuzz.sh`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod input;
#[path = "../../../kerberos/tests/common/mod.rs"]
mod lab;
mod seeds;

use std::{
    fs,
    path::{Path, PathBuf},
};

use ground::Seed;
use input::TARGETS;
use rand::RngExt as _;

/// Changes of every seed of a target.
const MUTATIONS: usize = 40;

#[test]
fn every_target_understands_its_seeds() {
    if std::env::var_os("TRUSTRIG_WRITE_CORPUS").is_some() {
        seeds::write();
    }
    for (target, take) in TARGETS {
        let seeds = corpus(target);
        assert!(!seeds.is_empty(), "the corpus of {target} has been lost");
        for path in seeds {
            let is_seed = path.file_name().unwrap().to_string_lossy().starts_with("seed-");
            let understood = take(&fs::read(&path).unwrap());
            assert!(understood || !is_seed, "{} is not understood any more", path.display());
        }
    }
}

#[test]
fn the_mutated_corpus_breaks_nothing() {
    let mut dice = Seed::new(1).stream("mutations");
    for (target, take) in TARGETS {
        for path in corpus(target) {
            let seed = fs::read(path).unwrap();
            for _ in 0..MUTATIONS {
                let mut bytes = seed.clone();
                for _ in 0..dice.random_range(1..4) {
                    let place = dice.random_range(0..bytes.len().max(1));
                    let end = (place + dice.random_range(0..64)).min(bytes.len());
                    match dice.random_range(0..4) {
                        _ if bytes.is_empty() => bytes.push(dice.random()),
                        0 => bytes[place] = dice.random(),
                        1 => bytes[place] ^= 1 << dice.random_range(0..8),
                        2 => bytes.truncate(place + 1),
                        _ => {
                            let again = bytes[place..end].to_vec();
                            bytes.splice(place..place, again);
                        }
                    }
                }
                take(&bytes);
            }
        }
    }
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

fn corpus(target: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder(target)).into_iter().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
