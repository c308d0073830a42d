//! Nothing of a domain outlives it. The only test of its file: it counts the process' descriptors.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Way, ldap, trusting};
use fake_dc::Domain;
use ground::Seed;
use rand::RngExt as _;

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_dcs_with_random_faults_leave_no_descriptor_behind() {
    let before = descriptors();
    let catalogue = fake_dc::faults::catalogue();
    let mut dice = Seed::new(11).stream("faults");
    for round in 0..3 {
        let mut builder = Domain::builder("corp.example").dcs(200);
        for number in 2..=200 {
            let fault = catalogue[dice.random_range(0..catalogue.len())].id;
            builder = builder.fault(format!("dc{number}"), fault);
        }
        let domain = builder.start().await.unwrap();
        let open = descriptors();
        assert!(open >= before + 200 * 5, "{open} descriptors");
        let _client = ldap(domain.dc("dc1").unwrap(), Way::Ldaps, trusting(&domain)).await.unwrap();
        let _idle = tokio::net::TcpStream::connect(domain.dc("dc1").unwrap().ldap()).await.unwrap();
        for number in 2..=200 {
            domain.clear_faults(&format!("dc{number}")).unwrap();
        }
        let ldaps = domain.dc("dc200").unwrap().ldaps();
        domain.stop().await;
        assert!(tokio::net::TcpStream::connect(ldaps).await.is_err(), "round {round}");
    }
    // The two clients of each round are gone with their scope; ldap3 ends in a task of its own.
    tokio::time::timeout(common::PATIENCE, async {
        while descriptors() > before {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{} descriptors, {before} before", descriptors()));
}
