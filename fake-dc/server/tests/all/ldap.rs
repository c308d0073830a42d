//! LDAP, StartTLS and LDAPS as the independent client ldap3 finds them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::{ADMINISTRATOR, PASSWORD, Way, ldap, trusting, xapi};
use fake_dc::Domain;
use ldap3::{
    Scope, SearchEntry,
    adapters::{Adapter, EntriesOnly, PagedResults},
};

#[tokio::test]
async fn a_client_binds_and_searches_on_every_way() {
    let domain = Domain::builder("corp.example").dcs(2).start().await.unwrap();
    let dc = domain.dc("dc2").unwrap();
    for way in Way::ALL {
        let mut ldap = ldap(dc, way, trusting(&domain)).await.unwrap();
        ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().success().unwrap();
        let (entries, _) = ldap
            .search(
                "DC=corp,DC=example",
                Scope::Subtree,
                "(|(sAMAccountName=krbtgt)(name=krbtgt))",
                ["objectSid", "sAMAccountName"],
            )
            .await
            .unwrap()
            .success()
            .unwrap();
        let found: Vec<SearchEntry> = entries.into_iter().map(SearchEntry::construct).collect();
        assert_eq!(found.len(), 1, "{way:?}");
        assert_eq!(found[0].attrs["sAMAccountName"], ["krbtgt"]);
        assert!(found[0].bin_attrs.contains_key("objectSid"));
        ldap.unbind().await.unwrap();
    }
    domain.stop().await;
}

#[tokio::test]
async fn pages_hold_what_the_whole_holds_on_every_way() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    for way in Way::ALL {
        let mut ldap = ldap(dc, way, trusting(&domain)).await.unwrap();
        ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().success().unwrap();
        let (base, filter) = ("DC=corp,DC=example", "(objectClass=*)");
        let whole = ldap.search(base, Scope::Subtree, filter, ["1.1"]).await.unwrap();
        let name = |entry| SearchEntry::construct(entry).dn;
        let (entries, _) = whole.success().unwrap();
        let whole: Vec<String> =
            entries.into_iter().filter(|entry| !entry.is_ref()).map(name).collect();

        let adapters: Vec<Box<dyn Adapter<'_, _, _>>> =
            vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(7))];
        let pages = ldap.streaming_search_with(adapters, base, Scope::Subtree, filter, vec!["1.1"]);
        let (mut pages, mut paged) = (pages.await.unwrap(), Vec::new());
        while let Some(entry) = pages.next().await.unwrap() {
            paged.push(name(entry));
        }
        assert!(pages.finish().await.success().is_ok());
        assert!(whole.len() > 20);
        assert_eq!(paged, whole, "{way:?}");
    }
}

#[tokio::test]
async fn below_the_empty_name_a_global_catalog_has_the_forest_and_the_other_ports_nothing() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    for way in Way::ALL {
        let mut ldap = ldap(dc, way, trusting(&domain)).await.unwrap();
        ldap.simple_bind(ADMINISTRATOR, PASSWORD).await.unwrap().success().unwrap();
        let filter = "(sAMAccountName=krbtgt)";
        let search = ldap.search("", Scope::Subtree, filter, ["cn"]).await.unwrap();
        let is_catalog = matches!(way, Way::Gc | Way::GcStartTls | Way::Gcs);
        assert_eq!((search.1.rc, search.0.len()), if is_catalog { (0, 1) } else { (32, 0) });
    }
}

#[tokio::test]
async fn wrong_passwords_and_unknown_users_are_told_apart_as_windows_does() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let mut ldap = ldap(dc, Way::Ldaps, trusting(&domain)).await.unwrap();
    let wrong = ldap.simple_bind(ADMINISTRATOR, "wrong").await.unwrap();
    assert_eq!(wrong.rc, 49);
    assert!(wrong.text.contains("data 52e"), "{}", wrong.text);
    let unknown = ldap.simple_bind("nobody@corp.example", PASSWORD).await.unwrap();
    assert_eq!(unknown.rc, 49);
    assert!(unknown.text.contains("data 525"), "{}", unknown.text);
}

#[tokio::test]
async fn the_tls_policy_of_xapi_is_served() {
    let domain = Domain::builder("corp.example").start().await.unwrap();
    let dc = domain.dc("dc1").unwrap();
    let stream = crate::common::tls(dc.ldaps(), dc.dns_name(), xapi(&domain)).await.unwrap();
    let (_, tls) = stream.get_ref();
    assert_eq!(tls.protocol_version(), Some(rustls::ProtocolVersion::TLSv1_2));
    let group = tls.negotiated_key_exchange_group().unwrap().name();
    assert_eq!(group, rustls::NamedGroup::secp384r1);
    assert_eq!(tls.peer_certificates().unwrap().len(), 2, "the leaf and the intermediate");
    let event = crate::common::event(&domain, "dc1", "tls.handshake").await;
    assert_eq!(event.fields()["cipher_suite"], "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
    assert_eq!(event.fields()["group"], "secp384r1");
    assert_eq!(event.fields()["server_name"], "dc1.corp.example");
}

#[tokio::test]
async fn each_dc_answers_as_itself() {
    let domain = Domain::builder("corp.example").dcs(3).start().await.unwrap();
    for dc in domain.dcs() {
        let mut ldap = ldap(dc, Way::Ldaps, trusting(&domain)).await.unwrap();
        let (entries, _) = ldap
            .search("", Scope::Base, "(objectClass=*)", ["dnsHostName"])
            .await
            .unwrap()
            .success()
            .unwrap();
        let root = SearchEntry::construct(entries.into_iter().next().unwrap());
        assert_eq!(root.attrs["dnsHostName"], [dc.dns_name()]);
    }
}
