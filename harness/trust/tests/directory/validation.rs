//! Without a callback: what passes, what does not, and for which reason.

use std::{sync::Arc, time::Duration};

use fake_dc_pki::AltName;
use ground::Actor;
use trust_models::directory::{ConnectError, DataKind};

use crate::world::{HOST, Lab, ca, chain, crl_of, now, plan, revoked};

#[tokio::test]
async fn a_sound_server_passes_with_and_without_a_revocation_list() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let server = lab.server(&chain(&ca, "host1"));
    assert!(lab.connect(&lab.client(), &server).await.unwrap().judgement.passed());
    lab.put(DataKind::CaRevocationList, &crl_of(&chain(&ca, "host1")));
    let connection = lab.connect(&lab.client(), &server).await.unwrap();
    assert_eq!(connection.judgement.notices, []);
    assert_eq!(lab.trusted(), "");
}

/// It waits for the server to go before it says so, and within its limit the server stays. Nothing is real here but
/// TLS: time stands still while anybody moves.
#[tokio::test(start_paused = true)]
async fn a_refusal_is_told_also_when_time_has_run_out() {
    let (own, other) = (ca(1), ca(2));
    let lab = Lab::new(&own);
    let foreign = chain(&other, "host1");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(foreign.certificates.clone(), foreign.key.to_der())
        .unwrap();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let server = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(far).into_fallible();
    let client = lab.client().within(Duration::from_millis(500));
    let trail = lab.ledger.trail(Actor::Runner);
    let (connected, served) = tokio::join!(client.secure(HOST, near, &trail), server);
    let _stays = served.map(|_| ()).unwrap_err();
    assert_eq!(connected.map(|_| ()).unwrap_err().id(), "server-signer");
}

/// ```text
/// root ──▶ intermediate ──▶ leaf      each time the leaf is bad, in one way
/// ```
#[tokio::test]
async fn each_fault_of_a_server_has_its_reason() {
    let (own, other) = (ca(1), ca(2));
    let lab = Lab::new(&own);
    let mut expired = plan(&own, "host1");
    expired.leaf().valid(now().plus_days(-30), now().plus_days(-1));
    let mut early = plan(&own, "host1");
    early.leaf().valid(now().plus_days(1), now().plus_days(30));
    let mut alone = plan(&own, "host1");
    alone.leaf().signed_by_itself();
    alone.send_only([alone.leaf_id()]);
    let mut incomplete = plan(&own, "host1");
    incomplete.send_only([incomplete.leaf_id()]);
    let (on_the_list, list) = revoked(&own, "host1");
    lab.put(DataKind::CaRevocationList, &list);
    let cases = [
        ("server-validity", "2026-01-03T06:38:29Z", expired.issue().unwrap()),
        ("server-validity", "2026-01-05T06:38:29Z", early.issue().unwrap()),
        ("server-signer", "CN=host1.lab.example", alone.issue().unwrap()),
        ("server-signer", "ca1.example Issuing CA", incomplete.issue().unwrap()),
        ("server-signer", "ca2.example Root CA", chain(&other, "host1")),
        ("server-name", "host2.lab.example", chain(&own, "host2")),
        ("server-revocation", "serial number", on_the_list),
    ];
    for (id, words, shown) in cases {
        let (outcome, served) = lab.meet(&lab.client(), &lab.server(&shown), HOST).await;
        let error = outcome.map(|_| ()).unwrap_err();
        assert!(matches!(error, ConnectError::Untrusted(_)), "{error}");
        assert_eq!(error.id(), id, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(served.is_err(), "the server has taken {id} for a connection");
    }
}

#[tokio::test]
async fn lists_that_do_not_tell_are_reported_and_refused_on_demand_only() {
    let (own, other) = (ca(1), ca(2));
    let mut late = plan(&own, "host1");
    let issuer = late.intermediate_id();
    late.crl_of(issuer).valid(now().plus_days(-9), now().plus_days(-2));
    let mut forged = plan(&own, "host1");
    forged.crl_of(issuer).with_bad_signature();
    let cases = [
        (crl_of(&late.issue().unwrap()), "crl-expired", "the next was due at 2026-01-02T06:38:29Z"),
        (crl_of(&chain(&other, "host1")), "crl-of-another-issuer", "ca2.example Issuing CA"),
        (crl_of(&forged.issue().unwrap()), "crl-signature", "not signed with its key"),
    ];
    for (list, id, words) in cases {
        let lab = Lab::new(&own);
        lab.put(DataKind::CaRevocationList, &list);
        let server = lab.server(&chain(&own, "host1"));
        let connection = lab.connect(&lab.client(), &server).await.unwrap();
        let [notice] = &connection.judgement.notices[..] else {
            panic!("{}", connection.judgement)
        };
        assert_eq!(notice.id(), id);
        assert!(notice.to_string().contains(words), "{notice}");
        assert_eq!(lab.refusal(&lab.client().demanding_current_lists(), &server).await, id);
    }
    let lab = Lab::new(&own);
    let server = lab.server(&chain(&own, "host1"));
    let demanding = lab.client().demanding_current_lists();
    assert_eq!(lab.refusal(&demanding, &server).await, "crl-missing");
}

#[tokio::test]
async fn who_is_on_an_expired_list_is_revoked_nevertheless() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let (shown, list) = revoked(&ca, "host1");
    lab.put(DataKind::CaRevocationList, &list);
    lab.hands.advance(Duration::from_secs(30 * 86_400));
    assert_eq!(lab.refusal(&lab.client(), &lab.server(&shown)).await, "server-revocation");
}

#[tokio::test]
async fn an_address_is_compared_with_the_addresses_of_the_certificate() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let mut named = plan(&ca, "host1");
    named.leaf().also_named([AltName::Ip([127, 0, 0, 1].into())]);
    let named = lab.server(&named.issue().unwrap());
    assert!(lab.meet(&lab.client(), &named, "127.0.0.1").await.0.is_ok());
    for host in ["127.0.0.2", "::1"] {
        let error = lab.meet(&lab.client(), &named, host).await.0.map(|_| ()).unwrap_err();
        assert_eq!(error.id(), "server-name", "{error}");
    }
    let unnamed = lab.server(&chain(&ca, "host1"));
    let error = lab.meet(&lab.client(), &unnamed, "127.0.0.1").await.0.map(|_| ()).unwrap_err();
    assert_eq!(error.id(), "server-name", "{error}");
}

#[tokio::test]
async fn dates_are_those_of_the_clock_that_was_passed_in() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let (client, server) = (lab.client(), lab.server(&chain(&ca, "host1")));
    assert!(lab.connect(&client, &server).await.is_ok());
    lab.hands.advance(Duration::from_secs(400 * 86_400));
    assert_eq!(lab.refusal(&client, &server).await, "server-validity");
}

#[tokio::test]
async fn who_is_not_there_and_what_is_no_name_is_told() {
    let ca = ca(1);
    let client = Lab::new(&ca).client();
    let nobody = client.connect(HOST, ([127, 0, 0, 1], 1).into()).await.map(|_| ()).unwrap_err();
    assert_eq!(nobody.id(), "unreachable");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for host in ["", "a b", "a\nHost: b"] {
        let address = listener.local_addr().unwrap();
        let error = client.connect(host, address).await.map(|_| ()).unwrap_err();
        assert_eq!(error.id(), "host-name", "{error}");
    }
}
