//! The agent dials the manager over ordinary HTTPS, without a certificate of its own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use fake_dc_pki::{CaCertificate, DcIdentity, Pki};
use ground::Seed;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use trust_models::pinned::{
    Home, Identity, Link, Manager, Order, PATH, PinnedError, Reception, Reported,
};

use crate::{
    lab::{Host, Lab, agent1, listener},
    world::{identity, now},
};

/// A third party's CA.
fn authority(seed: u64) -> Pki {
    Pki::new(&Seed::new(seed), now(), "third.example").unwrap()
}

/// What it certifies.
fn certified(pki: &Pki) -> Identity {
    let holder = DcIdentity::new("manager1", "third.example", [127, 0, 0, 1].into());
    identity(&pki.chain(&holder, &[]).unwrap())
}

fn home(reception: &Reception, pki: &Pki) -> Home {
    Home {
        manager: "manager1".into(),
        address: reception.address(),
        name: "manager1.third.example".into(),
        roots: vec![pki.certificate(CaCertificate::Root).unwrap()],
    }
}

async fn receiving(manager: &Arc<Manager>, pki: &Pki) -> Reception {
    manager.receive(listener().await, &certified(pki)).unwrap()
}

async fn meet(
    host: &Host,
    reception: &mut Reception,
    home: &Home,
) -> Result<(Reported, Link), PinnedError> {
    let reported = host.agent.report(home).await?;
    Ok((reported, reception.next().await.unwrap()))
}

#[tokio::test]
async fn an_agent_reports_and_takes_orders() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let pki = authority(1);
    let mut reception = receiving(&manager, &pki).await;
    let home = home(&reception, &pki);
    let (_reported, mut link) = meet(&host, &mut reception, &home).await.unwrap();
    assert_eq!(link.agent(), &agent1());
    link.order(&Order::Ping).await.unwrap();

    // The manager gets its certificate from somebody else: what is open stays, and an agent that
    // has the new root comes back.
    let other = authority(2);
    let mut second = receiving(&manager, &other).await;
    let refused = host.agent.report(&Home { address: second.address(), ..home.clone() }).await;
    assert_eq!(refused.unwrap_err().reason(), "server-not-trusted");
    let home = self::home(&second, &other);
    let _again = meet(&host, &mut second, &home).await.unwrap();
    link.order(&Order::Ping).await.unwrap();
}

#[tokio::test]
async fn the_managers_certificate_is_validated_as_any() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let pki = authority(1);
    let reception = receiving(&manager, &pki).await;
    let home = home(&reception, &pki);
    let misnamed = Home { name: "manager2.third.example".into(), ..home.clone() };
    let refused = host.agent.report(&misnamed).await.unwrap_err();
    assert_eq!(refused.reason(), "server-not-trusted");
    assert!(refused.to_string().contains("manager2.third.example"), "{refused}");
    lab.time.advance(Duration::from_secs(20 * 365 * 86_400));
    let refused = host.agent.report(&home).await.unwrap_err();
    assert_eq!(refused.reason(), "server-not-trusted");
}

/// Of another deployment, of a manager that has forgotten the agent, of another manager.
#[tokio::test]
async fn a_wrong_symmetric_key_is_refused() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let pki = authority(1);
    let mut reception = receiving(&manager, &pki).await;
    let home = home(&reception, &pki);

    // Another host says that it is agent1.
    let elsewhere = Lab::of_seed(2);
    let (_, impostor) = elsewhere.deployed().await;
    let before = lab.stores();
    let refused = impostor.agent.report(&home).await.unwrap_err();
    assert_eq!(refused.reason(), "symmetric-key-not-proven");
    assert!(lab.stores() == before);

    // Another manager with a valid certificate says that it is manager1.
    let (posing, _host) = elsewhere.deployed().await;
    let posing_reception = receiving(&posing, &pki).await;
    let lured = Home { address: posing_reception.address(), ..home.clone() };
    let refused = host.agent.report(&lured).await.unwrap_err();
    assert_eq!(refused.reason(), "symmetric-key-not-proven");

    meet(&host, &mut reception, &home).await.unwrap();
    manager.remove(&agent1()).unwrap();
    let refused = host.agent.report(&home).await.unwrap_err();
    assert_eq!(refused.reason(), "symmetric-key-not-proven");
}

/// What an onlooker below TLS keeps of a conversation is worth nothing in the next one.
#[tokio::test]
async fn a_replayed_exchange_is_refused() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let pki = authority(1);
    let mut reception = receiving(&manager, &pki).await;
    let (onlooker, heard) = onlooker(&pki, home(&reception, &pki)).await;
    let through = Home { address: onlooker, ..home(&reception, &pki) };
    let (_reported, mut link) = meet(&host, &mut reception, &through).await.unwrap();
    link.order(&Order::Ping).await.unwrap();

    let heard = heard.lock().unwrap().clone();
    let text = String::from_utf8_lossy(&heard);
    assert!(text.starts_with(&format!("GET {PATH}")), "{text}");
    assert!(text.contains("agent1") && !text.contains("ping"));
    let mut tls = client(&home(&reception, &pki)).await;
    tls.write_all(&heard).await.unwrap();
    let mut said = Vec::new();
    let _ = tls.read_to_end(&mut said).await;
    // The manager has found the proof wrong, has ended the conversation and knows no new agent.
    assert!(String::from_utf8_lossy(&said).starts_with("HTTP/1.1 101"));
    let refusals = lab.ledger.events().into_iter().filter(|event| {
        event.kind() == "pinned.symmetric-key-proof"
            && event.fields()["refused"] == "symmetric-key-not-proven"
    });
    assert_eq!(refusals.count(), 1);
}

/// Ends TLS with a valid certificate and passes on; what the agent said is kept.
async fn onlooker(pki: &Pki, home: Home) -> (std::net::SocketAddr, Arc<Mutex<Vec<u8>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let chain = {
        let holder = DcIdentity::new("manager1", "third.example", [127, 0, 0, 1].into());
        pki.chain(&holder, &[]).unwrap()
    };
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(
        rustls::crypto::aws_lc_rs::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(chain.certificates.clone(), chain.key.to_der())
    .unwrap();
    let kept = Arc::clone(&heard);
    tokio::spawn(async move {
        let tcp = listener.accept().await.unwrap().0;
        let tls = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(tcp).await.unwrap();
        let (mut from_agent, mut to_agent) = tokio::io::split(tls);
        let (mut from_manager, mut to_manager) = tokio::io::split(client(&home).await);
        let back = tokio::io::copy(&mut from_manager, &mut to_agent);
        let there = async {
            let mut bytes = vec![0; 4096];
            loop {
                let count = from_agent.read(&mut bytes).await.unwrap_or(0);
                if count == 0 {
                    return;
                }
                kept.lock().unwrap().extend_from_slice(&bytes[..count]);
                to_manager.write_all(&bytes[..count]).await.unwrap();
                to_manager.flush().await.unwrap();
            }
        };
        let _ = tokio::join!(back, there);
    });
    (address, heard)
}

/// An ordinary TLS client at the time of the lab.
async fn client(home: &Home) -> tokio_rustls::client::TlsStream<TcpStream> {
    #[derive(Debug)]
    struct Now;
    impl rustls::time_provider::TimeProvider for Now {
        fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
            let seconds = u64::try_from(now().unix()).ok()?;
            Some(rustls::pki_types::UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
        }
    }
    let mut roots = rustls::RootCertStore::empty();
    roots.add(home.roots[0].clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_details(provider, Arc::new(Now))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(home.address).await.unwrap();
    let name = home.name.clone().try_into().unwrap();
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap()
}
