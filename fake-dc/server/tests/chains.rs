//! Real chains, served with their own keys: what is shown is what is in the file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::PathBuf};

use common::{noting, tls};
use fake_dc::{DcSpec, Domain};
use fake_dc_pki::{Chain, PemFile};

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
    let mut unservable = Vec::new();
    for sample in samples() {
        let name = sample.file_name().unwrap().to_string_lossy().into_owned();
        let given = chain(&sample);
        let dc1 = DcSpec::new("dc1").chain(given.clone());
        let domain = match Domain::builder("corp.example").dc(dc1).start().await {
            Ok(domain) => domain,
            Err(fake_dc::Error::Unservable { .. }) => {
                unservable.push(name);
                continue;
            }
            Err(error) => panic!("{name}: {error}"),
        };
        let (config, shown) = noting();
        tls(domain.dc("dc1").unwrap().ldaps(), "dc1.corp.example", config).await.unwrap();
        let given: Vec<&[u8]> = given.certificates.iter().map(AsRef::as_ref).collect();
        assert_eq!(shown.certificates(), given, "{name}");
    }
    // Keys that the TLS library cannot sign with; serving these is refused, not faked.
    assert_eq!(unservable, ["pss-leaf-key", "rsa1024-leaf"]);
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
        let builder = Domain::builder("corp.example").seed(ground::Seed::new(seed)).clock(clock);
        let domain = builder.start().await.unwrap();
        let chain = domain.dc("dc1").unwrap().chain();
        (domain.ca_pem().to_owned(), chain.to_pem())
    };
    assert_eq!(start(1).await, start(1).await);
    assert_ne!(start(1).await, start(2).await);
}
