//! Clones of chains that somebody else made: every form, every kind of key, everything that a
//! certificate of AD CS has in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod ad_cs;
mod broken;
mod forms;
mod kinds;
mod openssl;

use std::{fs, path::Path};

use fake_dc_pki::clone::CloneOptions;
use ground::Seed;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate};

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)).unwrap()
}

pub(crate) fn options() -> CloneOptions {
    CloneOptions::new(Seed::new(7))
}

pub(crate) fn der(text: &[u8]) -> Vec<Vec<u8>> {
    pem::parse_many(text).unwrap().iter().map(|block| block.contents().to_vec()).collect()
}

/// No key, no signature, and no identifier made from a key.
pub(crate) fn shares_nothing(originals: &[Vec<u8>], clones: &[CertificateDer<'_>]) {
    let all: Vec<u8> = clones.iter().flat_map(|clone| clone.iter().copied()).collect();
    for original in originals {
        let (_, certificate) = X509Certificate::from_der(original).unwrap();
        let key = certificate.public_key().subject_public_key.data.to_vec();
        let middle = key[key.len() / 3..key.len() * 2 / 3].to_vec();
        for part in [middle, certificate.signature_value.data.to_vec()] {
            assert!(!all.windows(part.len()).any(|window| window == part), "{part:02x?}");
        }
    }
}
