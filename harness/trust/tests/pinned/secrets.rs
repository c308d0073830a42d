//! No private key, symmetric key, token or password is seen outside of the stores.

use std::fmt::Write as _;

use ground::Secret;
use trust_models::pinned::{Order, Proxy, SecondLayer, secrets_in};

use crate::{
    lab::{Lab, PASSWORD, agent1, listener},
    world::{from_ca, key_of},
};

#[tokio::test]
async fn nothing_secret_is_seen_in_events_errors_and_debug() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let mut seen = String::new();
    let mut note = |text: &dyn std::fmt::Debug| writeln!(seen, "{text:?}").unwrap();

    manager.rotate().await.unwrap();
    manager.rotate_agent(&agent1()).await.unwrap();
    let certificate = trust_models::pinned::KeptIdentity::of(&from_ca("console", "console"));
    note(&certificate);
    manager.enrol(&agent1(), "console", certificate).await.unwrap();
    let mut order = host.order(None);
    order.password = Secret::new("a-wrong-password");
    note(&order);
    note(&manager.deploy(&order).await);
    let identity = key_of("proxy1", 1);
    let proxy = Proxy::eavesdrop(listener().await, &identity, host.service.address());
    let proxy = proxy.unwrap();
    manager.lead(&agent1(), Some(proxy.address()));
    note(&manager.order(&agent1(), &Order::Ping).await);
    manager.lead(&agent1(), None);
    for layer in [SecondLayer::Keys, SecondLayer::SymmetricKey] {
        manager.set_second_layer(layer);
        host.agent.set_second_layer(layer);
        note(&manager.connect(&agent1()).await.unwrap());
    }
    note(&manager);
    note(&host.agent);
    note(&proxy.heard());
    for event in lab.ledger.causal_order() {
        note(&event);
        note(&event.fields());
    }

    let mut secrets: Vec<_> =
        lab.stores().iter().flat_map(|(_, bytes)| secrets_in(bytes)).collect();
    // The agent's keys with their tokens, the component's, and the manager's.
    assert!(secrets.len() >= 7, "{}", secrets.len());
    secrets.extend([PASSWORD, "a-wrong-password"].map(Secret::new));
    for secret in &secrets {
        assert!(secret.expose().len() > 8 && !seen.contains(secret.expose()));
        // Nor what it says.
        let bytes = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, secret.expose());
        if let Ok(bytes) = bytes {
            assert!(!seen.contains(&format!("{bytes:?}")));
        }
    }
}
