//! Real chains, served with their own keys: what is shown is what is in the file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, path::PathBuf};

use crate::common::{noting, tls, tls_error};
use fake_dc::{DcSpec, Domain};
use fake_dc_pki::{
    Chain, PemFile,
    clone::{CloneOptions, Original},
};
use ground::Seed;
use rustls::PeerMisbehaved;

fn samples() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/oracle");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut samples: Vec<PathBuf> =
        entries.filter(|path| path.join("chain.pem").exists()).collect();
    samples.sort();
    samples
}

fn chain(sample: &std::path::Path) -> Chain {
    let read = |name: &str| fs::read(sample.join(name)).unwrap();
    let (certificates, key) = (read("chain.pem"), read("server.key"));
    Chain::from_pem(&PemFile::new("chain.pem", &certificates), &PemFile::new("server.key", &key))
        .unwrap()
}

#[tokio::test]
async fn every_sample_chain_is_shown_as_it_is() {
    for sample in samples() {
        let name = sample.file_name().unwrap().to_string_lossy().into_owned();
        is_shown(&name, &chain(&sample)).await;
    }
}

/// So `fake-dc serve --clone` shows to the octet what `fake-dc clone` made.
#[tokio::test]
async fn every_clone_of_a_sample_is_shown_as_it_is() {
    for sample in samples() {
        let name = sample.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read(sample.join("chain.pem")).unwrap();
        let original = Original::from_pem(&PemFile::new("chain.pem", &text)).unwrap();
        let options = CloneOptions::new(Seed::new(7)).scrubbing_names();
        is_shown(&name, original.clone_with(&options).unwrap().chain()).await;
    }
}

async fn is_shown(name: &str, given: &Chain) {
    let dc1 = DcSpec::new("dc1").chain(given.clone());
    let domain = Domain::builder("corp.example").dc(dc1).start().await.unwrap();
    let (config, shown) = noting();
    let shaken = tls(domain.dc("dc1").unwrap().ldaps(), "dc1.corp.example", config).await;
    if name == "pss-leaf-key" {
        // rustls knows no signatures of such keys; `served_chains.rs` asks clients that do.
        let error = shaken.unwrap_err();
        assert_eq!(tls_error(&error), &PeerMisbehaved::SignedKxWithWrongAlgorithm.into());
        return;
    }
    shaken.unwrap();
    let given: Vec<&[u8]> = given.certificates.iter().map(AsRef::as_ref).collect();
    assert_eq!(shown.certificates(), given, "{name}");
}

/// Ed448 (RFC 8410): AD CS has no such keys, and neither rustls nor we can sign with them.
#[tokio::test]
async fn a_key_that_nothing_here_can_sign_with_is_refused() {
    let key = "-----BEGIN PRIVATE KEY-----\n\
        MEcCAQAwBQYDK2VxBDsEOaurq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6ur\n\
        q6urq6urq6urqw==\n\
        -----END PRIVATE KEY-----\n";
    let certificates = fs::read(samples()[0].join("chain.pem")).unwrap();
    let (certificates, key) = (PemFile::new("chain.pem", &certificates), PemFile::new("key", key));
    let chain = Chain::from_pem(&certificates, &key).unwrap();
    let dc1 = DcSpec::new("dc1").chain(chain);
    let refused = Domain::builder("corp.example").dc(dc1).start().await.unwrap_err();
    assert!(refused.to_string().starts_with("the chain of dc1 cannot be served: "), "{refused}");
    let remedy = "give a key of type RSA, P-256, P-384, P-521 or Ed25519";
    assert_eq!(refused.remedy().as_deref(), Some(remedy));
}

#[tokio::test]
async fn a_chain_is_replaced_while_the_dc_runs() {
    let sample = samples().into_iter().find(|path| path.ends_with("ad-dc-template")).unwrap();
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let own = dc.chain();
    domain.set_chain("dc1", chain(&sample)).unwrap();
    let (config, shown) = noting();
    tls(dc.ldaps(), "dc1.corp.example", config).await.unwrap();
    assert_ne!(shown.certificates()[0], own.certificates[0].as_ref());
    assert_eq!(shown.certificates()[0], chain(&sample).certificates[0].as_ref());
    let refused = domain.set_faults("dc1", ["time.leaf-expired"]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "dc1 serves a given chain, which `time.leaf-expired` cannot change"
    );
}

#[tokio::test]
async fn one_seed_gives_one_chain() {
    let time = ground::Timestamp::from_unix(1_787_277_600);
    let start = async |seed| {
        let clock = ground::VirtualClock::starting_at(time).clock();
        let builder = Domain::builder("corp.example").seed(Seed::new(seed)).clock(clock);
        let domain = builder.start().await.unwrap();
        let chain = domain.dc("dc1").unwrap().chain();
        (domain.ca_pem().to_owned(), chain.to_pem())
    };
    assert_eq!(start(1).await, start(1).await);
    assert_ne!(start(1).await, start(2).await);
}
