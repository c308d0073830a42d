//! Servers that ask for a certificate, and clients that have the wrong one or none.

use std::io::ErrorKind;

use fake_dc_pki::Chain;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use trust_models::directory::{
    CertData, Client, ClientPolicy, ConnectError, DataKind, OwnFault, ServeError, SetupError,
};

use crate::world::{HOST, Lab, ca, chain, now, plan, required, revoked, trust};

/// A client with `own`, and a server that requires a certificate and says when it is content.
async fn outcome(
    own: Option<&Chain>,
    change: impl Fn(Client) -> Client,
    crl: Option<&str>,
) -> Result<bool, ConnectError> {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    own.into_iter().for_each(|own| lab.equip(own));
    let server = lab.server(&chain(&ca, "host1")).saying_consent();
    server.set_policy(required(&ca, crl));
    let client = change(lab.client().awaiting_consent());
    let (connected, served) = lab.meet(&client, &server, HOST).await;
    assert_eq!(connected.is_ok(), served.is_ok(), "{connected:?} {served:?}");
    if let Err(ServeError::Refused(judgement)) = served {
        assert!(!judgement.passed());
    }
    connected.map(|connection| connection.has_shown_certificate())
}

#[tokio::test]
async fn a_sound_certificate_is_shown_when_the_server_asks_and_not_otherwise() {
    let ca = ca(1);
    let own = chain(&ca, "client1");
    assert!(outcome(Some(&own), |client| client, None).await.unwrap());

    let lab = Lab::new(&ca);
    lab.equip(&own);
    let server = lab.server(&chain(&ca, "host1"));
    assert!(!lab.connect(&lab.client(), &server).await.unwrap().has_shown_certificate());
    server.set_policy(ClientPolicy::Requested(trust(&ca, None)));
    assert!(lab.connect(&lab.client(), &server).await.unwrap().has_shown_certificate());
    // Requested is not required.
    let empty = Lab::new(&ca);
    assert!(!empty.connect(&empty.client(), &server).await.unwrap().has_shown_certificate());
}

/// The client sees what is wrong with its own certificate before it connects, as libvirt does.
#[tokio::test]
async fn each_fault_of_the_own_certificate_is_seen_before_connecting() {
    let (own, other) = (ca(1), ca(2));
    let mut expired = plan(&own, "client1");
    expired.leaf().valid(now().plus_days(-30), now().plus_days(-1));
    let (on_the_list, list) = revoked(&own, "client1");
    let cases = [
        (expired.issue().unwrap(), OwnFault::Expired),
        (on_the_list, OwnFault::Revoked),
        (chain(&other, "client1"), OwnFault::WrongCa),
    ];
    for (shown, expected) in cases {
        let lab = Lab::new(&own);
        lab.equip(&shown);
        lab.put(DataKind::CaRevocationList, &list);
        // Nobody is there: the client does not get so far.
        let error = lab.client().connect(HOST, ([127, 0, 0, 1], 1).into()).await;
        match error.map(|_| ()).unwrap_err() {
            ConnectError::Own { fault, judgement } => {
                assert_eq!(fault, expected);
                assert!(!judgement.passed());
            }
            other => panic!("{other}"),
        }
    }
}

/// A client that does not look at its own certificate learns it from the server's alert, or from
/// the CAs that the server asks for.
#[tokio::test]
async fn each_fault_of_the_own_certificate_is_told_by_the_server() {
    let (own, other) = (ca(1), ca(2));
    let mut expired = plan(&own, "client1");
    expired.leaf().valid(now().plus_days(-30), now().plus_days(-1));
    let (on_the_list, list) = revoked(&own, "client1");
    let cases = [
        (None, "client-certificate-missing", "there is none"),
        (Some(expired.issue().unwrap()), "client-certificate-expired", "CertificateExpired"),
        (Some(on_the_list), "client-certificate-revoked", "CertificateRevoked"),
        (Some(chain(&other, "client1")), "client-certificate-wrong-ca", "ca1.example Root CA"),
    ];
    for (shown, id, words) in cases {
        let error = outcome(shown.as_ref(), Client::without_own_check, Some(&list)).await;
        let error = error.map(|_| ()).unwrap_err();
        assert!(matches!(error, ConnectError::RefusedByServer { .. }), "{error}");
        assert_eq!(error.id(), id, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

/// In TLS 1.3 a client that waits for no word is done first, and learns it when it reads.
#[tokio::test]
async fn a_refusal_that_comes_late_is_explained() {
    let (own, other) = (ca(1), ca(2));
    let lab = Lab::new(&own);
    lab.equip(&chain(&own, "client1"));
    let server = lab.server(&chain(&own, "host1"));
    // A server of another CA, which does not ask for one of its own: its root is ours by name.
    server.set_policy(required(&other, None));
    let client = lab.client();
    let mut connection = lab.connect(&client, &server).await.unwrap();
    let error = connection.stream.read_u8().await.unwrap_err();
    let error = connection.explain(error);
    assert_eq!(error.id(), "client-certificate-wrong-ca", "{error}");
    assert!(error.to_string().contains("ca2.example Root CA"), "{error}");
}

/// A server that merely goes away may mean the certificate that it has asked for; nothing else does.
#[tokio::test]
async fn only_the_end_of_a_connection_is_taken_for_a_refusal() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let server = lab.server(&chain(&ca, "host1"));
    let not_asked = lab.connect(&lab.client(), &server).await.unwrap();
    server.set_policy(ClientPolicy::Requested(trust(&ca, None)));
    let asked = lab.connect(&lab.client(), &server).await.unwrap();
    for kind in [ErrorKind::UnexpectedEof, ErrorKind::ConnectionReset, ErrorKind::BrokenPipe] {
        assert_eq!(asked.explain(kind.into()).id(), "client-certificate-missing");
        assert_eq!(not_asked.explain(kind.into()).id(), "connection-lost");
    }
    for kind in [ErrorKind::TimedOut, ErrorKind::HostUnreachable, ErrorKind::OutOfMemory] {
        let error = asked.explain(kind.into());
        assert_eq!(error.id(), "connection-lost");
        assert!(error.to_string().contains(&std::io::Error::from(kind).to_string()), "{error}");
    }
}

/// As libvirt's daemon does where TLS itself has let the client in.
#[tokio::test]
async fn a_server_that_closes_in_place_of_its_consent_has_refused() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let own = chain(&ca, "client1");
    let speaks = |said: &'static [u8], policy: ClientPolicy| async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = lab.server(&chain(&ca, "host1"));
        server.set_policy(policy);
        let client = lab.client().awaiting_consent();
        let (connected, ()) = tokio::join!(client.connect(HOST, address), async {
            let mut served = server.accept(listener.accept().await.unwrap().0).await.unwrap();
            served.stream.write_all(said).await.unwrap();
            served.stream.shutdown().await.unwrap();
        });
        connected
    };
    lab.equip(&own);
    // Who has let the client in refuses its certificate no more.
    let mut let_in = speaks(&[1], required(&ca, None)).await.unwrap();
    let end = let_in.stream.read_u8().await.unwrap_err();
    assert_eq!(let_in.explain(end).id(), "connection-lost");
    let closed = speaks(&[], required(&ca, None)).await.unwrap_err();
    assert_eq!(closed.id(), "client-certificate-refused", "{closed}");
    let closed = speaks(&[], ClientPolicy::NotAsked).await.unwrap_err();
    assert_eq!(closed.id(), "connection-lost", "{closed}");
    let other = speaks(b"!", required(&ca, None)).await.unwrap_err();
    assert_eq!(other.id(), "connection-lost", "{other}");
    assert!(other.to_string().contains("the server says 33"), "{other}");
}

#[test]
fn keys_and_certificates_that_do_not_go_together_are_refused_before_connecting() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let own = chain(&ca, "client1");
    let stranger = ["a", "b", "c"]
        .map(|name| chain(&ca, name))
        .into_iter()
        .find(|chain| chain.key != own.key)
        .unwrap();
    let data = |parts: &[(DataKind, &str)]| {
        let mut data = CertData::new();
        for (kind, text) in parts {
            data.add(*kind, text).unwrap();
        }
        data
    };
    let (root, certificate) = (ca.root_pem(), own.to_pem());
    let (key, other_key) = (own.key.to_pem(), stranger.key.to_pem());
    let (ca, cert) = (DataKind::CaCertificate, DataKind::ClientCertificate);
    let cases = [
        (data(&[]), "no-ca-certificate"),
        (data(&[(ca, root), (cert, &certificate)]), "client-certificate-without-key"),
        (data(&[(ca, root), (DataKind::ClientKey, &key)]), "client-key-without-certificate"),
        (
            data(&[(ca, root), (cert, &certificate), (DataKind::ClientKey, &other_key)]),
            "client-key-mismatch",
        ),
    ];
    for (data, id) in cases {
        let trail = lab.ledger.trail(ground::Actor::Runner);
        let error: SetupError = Client::new(data, lab.clock(), trail).unwrap_err();
        assert_eq!(error.id(), id, "{error}");
    }
}
