//! The agent dials the manager over ordinary HTTPS, without a certificate of its own.

use std::{sync::Arc, time::Duration};

use fake_dc_pki::{CaCertificate, DcIdentity, Pki};
use ground::Seed;
use trust_models::pinned::{
    Deployment, Home, Identity, Link, Manager, Order, PATH, PeerName, PinnedError, Proxy,
    Reception, Reported, SecondLayer, WAITING_MAX,
    facts::SymmetricKeyProof,
    impostor::{self, Tried},
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

/// An onlooker that ends TLS with a valid certificate: what it keeps of a conversation is worth nothing
/// in the next one, and no key can be tried on it. To guess costs a conversation each.
#[tokio::test]
async fn replays_guesses_and_offline_trials_are_in_vain() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let pki = authority(1);
    let mut reception = receiving(&manager, &pki).await;
    let home = home(&reception, &pki);
    let onlooker = Proxy::eavesdrop(listener().await, &certified(&pki), home.address).unwrap();
    let through = Home { address: onlooker.address(), ..home.clone() };
    let (_reported, mut link) = meet(&host, &mut reception, &through).await.unwrap();
    link.order(&Order::Ping).await.unwrap();

    let heard = onlooker.heard();
    let text = String::from_utf8_lossy(&heard.dialler);
    assert!(text.starts_with(&format!("GET {PATH}")), "{text}");
    assert!(text.contains("agent1") && !text.contains("ping"));
    impostor::replay(home.address, &heard).await.unwrap();
    assert_eq!(refusals(&lab), 1);

    let name = agent1();
    let trail = lab.ledger.trail(ground::Actor::Runner);
    for number in 0..10 {
        let seed = Seed::new(number);
        let clock = lab.time.clock();
        let refused = impostor::guess(&home, &name, &seed, &clock, &trail).await.unwrap_err();
        assert_eq!(refused.reason(), "symmetric-key-not-proven");
    }
    // A guess that is right is let in: it is the key alone that refuses the others.
    let (seed, clock) = (Seed::new(10), lab.time.clock());
    impostor::guess_right(&home, &host.agent, &seed, &clock, &trail).await.unwrap();
    assert_eq!(reception.next().await.unwrap().agent(), &name);
    let manager_name = "manager1".into();
    let tried = impostor::try_on(&heard, &host.agent, &manager_name, 100, &Seed::new(1)).unwrap();
    // The right one is among them, and the trial finds it if the agent tells what it drew.
    assert_eq!(tried, Tried { by_onlooker: 0, with_draws: 1 });
    // And the agent still comes in.
    meet(&host, &mut reception, &home).await.unwrap();
}

/// What a host calls itself is of no matter.
#[tokio::test]
async fn a_host_proves_its_key_by_the_name_that_its_manager_gave_it() {
    let lab = Lab::new();
    let (manager, host) = (lab.manager("manager1"), lab.host("agent2").await);
    let web = PeerName::from("web");
    manager.deploy(&Deployment { agent: web.clone(), ..host.order(None) }).await.unwrap();
    let pki = authority(1);
    let mut reception = receiving(&manager, &pki).await;
    let home = home(&reception, &pki);
    let (_reported, mut link) = meet(&host, &mut reception, &home).await.unwrap();
    assert_eq!(link.agent(), &web);
    link.order(&Order::Ping).await.unwrap();
    manager.set_second_layer(SecondLayer::SymmetricKey);
    host.agent.set_second_layer(SecondLayer::SymmetricKey);
    manager.order(&web, &Order::Ping).await.unwrap();
}

/// Nobody asks for those who have reported: the last is sent away, and the manager goes on.
#[tokio::test]
async fn agents_that_nobody_asks_for_are_sent_away_in_the_end() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let pki = authority(1);
    let mut reception = receiving(&manager, &pki).await;
    let home = home(&reception, &pki);
    let mut reported = Vec::new();
    for _ in 0..=WAITING_MAX {
        reported.push(host.agent.report(&home).await.unwrap());
        reception.settled().await;
    }
    for _ in 0..WAITING_MAX {
        reception.next().await.unwrap().order(&Order::Ping).await.unwrap();
    }
    meet(&host, &mut reception, &home).await.unwrap();
}

fn refusals(lab: &Lab) -> usize {
    let events = lab.ledger.events().into_iter();
    let refusals = events.filter(|event| {
        event.kind() == SymmetricKeyProof::KIND
            && event.fields()["refused"] == "symmetric-key-not-proven"
    });
    refusals.count()
}
