//! A CA is renewed while its DCs serve, and they enrol anew one by one.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::time::Duration;

use fake_dc::{Domain, facts::CertificateLoaded};
use fake_dc_pki::{CaCertificate, RENEWALS_MAX, RenewalKey};
use ground::{Timestamp, VirtualClock};

const DAY: Duration = Duration::from_secs(86_400);

async fn domain(dcs: usize) -> (Domain, VirtualClock) {
    let time = VirtualClock::starting_at(Timestamp::from_unix(1_787_277_600));
    let builder = Domain::builder("corp.example").dcs(dcs).clock(time.clock());
    (builder.start().await.unwrap(), time)
}

fn anchor(domain: &Domain, dc: &str) -> String {
    domain.dc(dc).unwrap().chain().anchor_pem().unwrap()
}

#[tokio::test]
async fn dcs_move_to_the_new_ca_one_by_one() {
    let (domain, time) = domain(2).await;
    assert!(domain.former_pki().is_none());
    let old = domain.ca_pem().to_owned();
    time.advance(DAY * 100);
    domain.renew_ca(RenewalKey::New, 3_650).unwrap();
    let new = domain.ca_pem().to_owned();
    assert_ne!(old, new);
    assert_eq!(domain.former_pki().unwrap().root_pem(), old);

    // To look again is not enough while the DC has no other certificate.
    domain.renew_certificate("dc1").unwrap();
    assert_eq!(anchor(&domain, "dc1"), old);
    // Nor is another certificate, until the DC looks.
    domain.enrol_certificate(None, "dc1", 365, false).unwrap();
    assert_eq!(anchor(&domain, "dc1"), old);
    domain.renew_certificate("dc1").unwrap();
    assert_eq!(anchor(&domain, "dc1"), new);
    assert_eq!(anchor(&domain, "dc2"), old);

    // Faults come and go, and each DC is what it was.
    for dc in ["dc1", "dc2"] {
        let (before, its_anchor) = (domain.dc(dc).unwrap().chain(), anchor(&domain, dc));
        domain.set_faults(dc, ["chain.missing-intermediate"]).unwrap();
        assert_eq!(domain.dc(dc).unwrap().chain().certificates.len(), 1);
        assert_eq!(anchor(&domain, dc), its_anchor);
        domain.clear_faults(dc).unwrap();
        assert_eq!(anchor(&domain, dc), its_anchor);
        if dc == "dc1" {
            assert_eq!(domain.dc(dc).unwrap().chain(), before);
        }
    }

    // The other one enrols by itself when its certificate comes to an end.
    time.advance(DAY * 300);
    domain.renew_certificate("dc2").unwrap();
    assert_eq!(anchor(&domain, "dc2"), new);
    let events = domain.ledger().events();
    assert_eq!(events.iter().filter_map(|event| event.fact::<CertificateLoaded>()).count(), 3);
}

#[tokio::test]
async fn of_two_that_lie_side_by_side_the_one_that_ends_last_is_shown() {
    let (domain, time) = domain(1).await;
    let dc = domain.dc("dc1").unwrap();
    let first = dc.chain();
    domain.enrol_certificate(None, "dc1", 90, true).unwrap();
    domain.renew_certificate("dc1").unwrap();
    assert_eq!(dc.chain(), first, "335 days are more than 90");
    domain.enrol_certificate(None, "dc1", 400, true).unwrap();
    domain.renew_certificate("dc1").unwrap();
    assert_ne!(dc.chain().certificates[0], first.certificates[0]);
    let second = dc.chain();
    domain.enrol_certificate(None, "dc1", 90, false).unwrap();
    time.advance(DAY);
    domain.renew_certificate("dc1").unwrap();
    assert_ne!(dc.chain().certificates[0], second.certificates[0], "the former one is archived");
}

#[tokio::test]
async fn a_given_chain_gives_way_to_a_certificate_of_the_ca() {
    let (domain, _time) = domain(2).await;
    let stranger = (*domain.dc("dc2").unwrap().chain()).clone();
    domain.set_chain("dc1", fake_dc_pki::Chain { planned: None, ..stranger.clone() }).unwrap();
    domain.renew_certificate("dc1").unwrap();
    assert_eq!(domain.dc("dc1").unwrap().chain().certificates, stranger.certificates);
    domain.enrol_certificate(None, "dc1", 365, false).unwrap();
    domain.renew_certificate("dc1").unwrap();
    assert_ne!(domain.dc("dc1").unwrap().chain().certificates, stranger.certificates);
    domain.set_faults("dc1", ["time.leaf-expired"]).unwrap();
}

#[tokio::test]
async fn former_and_present_certificates_are_published_together() {
    let (domain, _time) = domain(1).await;
    let mut known = Vec::new();
    for round in 0..=RENEWALS_MAX {
        let ca = domain.pki();
        known.push(ca.certificate(CaCertificate::Root).unwrap().to_vec());
        let ldif = domain.directory().export(fake_dc_directory::Secrets::LeftOut);
        let name = ca.ca_name(CaCertificate::Root).unwrap();
        let head = format!("dn: CN={name},CN=Certification Authorities,");
        let entry = ldif.split("\n\n").find(|entry| entry.trim_start().starts_with(&head)).unwrap();
        assert_eq!(entry.matches("\ncACertificate:: ").count(), known.len());
        match domain.renew_ca(RenewalKey::New, 3_650) {
            Ok(()) => assert!(round < RENEWALS_MAX),
            Err(error) => assert_eq!(
                error.to_string(),
                "the CA has been renewed 6 times, and there are no more keys for it"
            ),
        }
    }
    let unknown = domain.enrol_certificate(None, "dc9", 1, false).unwrap_err();
    assert_eq!(unknown.to_string(), "no DC is called `dc9`; the domain has dc1");
}
