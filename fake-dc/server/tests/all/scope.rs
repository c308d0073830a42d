//! Faults with a value or limited to one listener: their text, and what a client sees of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use crate::common::{PATIENCE, Way, ldap, tls, tls_error, trusting};
use fake_dc::{Domain, Fault, facts::Listener};
use tokio::{net::TcpStream, time::timeout};

#[test]
fn every_fault_is_read_as_it_is_written() {
    for info in fake_dc::faults::catalogue() {
        let fault: Fault = info.id.parse().unwrap();
        assert_eq!(fault.to_string(), info.id);
        assert!(!info.listeners.is_empty(), "{}", info.id);
        for listener in Listener::ALL {
            let text = format!("{}@{}", info.id, listener.id());
            let scoped = text.parse::<Fault>();
            assert_eq!(scoped.is_ok(), info.listeners.contains(&listener), "{text}");
            assert!(scoped.is_err() || scoped.unwrap().to_string() == text, "{text}");
        }
        // Some take any text for a value, such as a name.
        let text = format!("{}:?", info.id);
        match text.parse::<Fault>() {
            Ok(fault) => assert!(info.value.is_some() && fault.to_string() == text, "{text}"),
            Err(error) => {
                let wrong = if info.value.is_some() { "is no value of" } else { "takes no value" };
                assert!(error.to_string().contains(wrong), "{error}");
            }
        }
    }
}

#[test]
fn mistakes_say_what_would_be_right() {
    let error = |text: &str| text.parse::<Fault>().unwrap_err().to_string();
    let errors = [
        "net.refuze",
        "net.refuse:5s",
        "net.refuse@smb",
        "net.refuse@",
        "discovery.nxdomain@ldaps",
        "time.leaf-expired@dns",
        "time.leaf-expired:3d",
    ]
    .map(error);
    insta::assert_snapshot!(errors.join("\n"), @r"
    `net.refuze` is no fault; did you mean `net.refuse`
    `net.refuse` takes no value, and `5s` was given
    `smb` is no listener; the listeners are cldap, dns, gc, gcs, kdc, kpasswd, ldap, ldaps, rpc
    `` is no listener; the listeners are cldap, dns, gc, gcs, kdc, kpasswd, ldap, ldaps, rpc
    `discovery.nxdomain` does nothing at `ldaps`; it acts at dns
    `time.leaf-expired` does nothing at `dns`; it acts at gc, gcs, ldap, ldaps
    `time.leaf-expired` takes no value, and `3d` was given
    ");
}

#[tokio::test]
async fn a_chain_fault_of_one_listener_leaves_the_other_alone() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    assert!(Arc::ptr_eq(&dc.chain_at(Listener::Ldap), &dc.chain_at(Listener::Ldaps)));

    domain.set_faults("dc1", ["time.leaf-expired@ldap"]).unwrap();
    tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap();
    let refused = ldap(dc, Way::StartTls, trusting(&domain)).await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");

    domain.set_faults("dc1", ["time.leaf-expired@ldaps"]).unwrap();
    ldap(dc, Way::StartTls, trusting(&domain)).await.unwrap();
    let refused = tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap_err();
    assert!(matches!(tls_error(&refused), rustls::Error::InvalidCertificate(_)), "{refused}");

    let told: Vec<String> = domain
        .ledger()
        .events()
        .iter()
        .filter(|event| event.kind().starts_with("fault."))
        .map(|event| format!("{} {}", event.kind(), event.fields()["fault"].as_str().unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            "fault.set time.leaf-expired@ldap",
            "fault.cleared time.leaf-expired@ldap",
            "fault.set time.leaf-expired@ldaps",
        ]
    );
}

#[tokio::test]
async fn the_global_catalog_shows_what_ldaps_shows_unless_told_otherwise() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let catalog = [Way::GcStartTls, Way::Gcs];

    domain.set_faults("dc1", ["time.leaf-expired"]).unwrap();
    for way in [Way::StartTls, Way::Ldaps, Way::GcStartTls, Way::Gcs] {
        let refused = ldap(dc, way, trusting(&domain)).await.unwrap_err();
        assert!(refused.to_string().contains("certificate"), "{refused}");
    }
    domain.set_faults("dc1", ["time.leaf-expired@ldaps", "time.leaf-expired@ldap"]).unwrap();
    for way in catalog {
        ldap(dc, way, trusting(&domain)).await.unwrap();
    }
    domain.set_faults("dc1", ["time.leaf-expired@gcs", "handshake.starttls-refused@gc"]).unwrap();
    ldap(dc, Way::Ldaps, trusting(&domain)).await.unwrap();
    ldap(dc, Way::StartTls, trusting(&domain)).await.unwrap();
    for way in catalog {
        ldap(dc, way, trusting(&domain)).await.unwrap_err();
    }
}

#[tokio::test]
async fn faults_of_network_handshake_and_ldap_keep_to_their_listener() {
    let domain = Domain::builder("corp.example")
        .fault("dc1", "net.refuse@ldap")
        .fault("dc1", "handshake.reset-on-hello@ldaps")
        .start()
        .await
        .unwrap();
    let dc = domain.dc("dc1").unwrap();
    let refused = TcpStream::connect(dc.ldap()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let reset = tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap_err();
    assert_eq!(reset.kind(), std::io::ErrorKind::ConnectionReset);
    timeout(PATIENCE, TcpStream::connect(dc.kdc())).await.unwrap().unwrap();

    domain.set_faults("dc1", ["handshake.reset-on-hello@ldap", "ldap.busy@ldaps"]).unwrap();
    tls(dc.ldaps(), dc.dns_name(), trusting(&domain)).await.unwrap();
    ldap(dc, Way::StartTls, trusting(&domain)).await.unwrap_err();
    let code = async |way| {
        let mut ldap = ldap(dc, way, trusting(&domain)).await.unwrap();
        ldap.simple_bind(crate::common::ADMINISTRATOR, crate::common::PASSWORD).await.unwrap().rc
    };
    assert_eq!((code(Way::Plain).await, code(Way::Ldaps).await), (0, 51));
}
