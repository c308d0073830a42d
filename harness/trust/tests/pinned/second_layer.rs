//! A proxy that ends TLS, wanted and unwanted.

use trust_models::pinned::{MESSAGE_LIMIT, Meddling, Order, PinnedError, Proxy, SecondLayer};

use crate::{
    lab::{Host, Lab, agent1, listener},
    world::key_of,
};

const LAYERS: [SecondLayer; 2] = [SecondLayer::Keys, SecondLayer::SymmetricKey];

async fn proxy(host: &Host, meddling: Meddling) -> Proxy {
    let target = host.service.address();
    Proxy::start(listener().await, &key_of("proxy1", 1), target, meddling).unwrap()
}

#[tokio::test]
async fn a_proxy_is_a_wrong_key_and_with_a_second_layer_a_part_of_the_way() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let proxy = proxy(&host, Meddling::None).await;
    let key = key_of("proxy1", 1).public_key().clone();
    manager.lead(&agent1(), Some(proxy.address()));
    let refused = manager.order(&agent1(), &Order::Ping).await.unwrap_err();
    assert_eq!(refused.reason(), "key-not-pinned");
    assert!(refused.to_string().contains(&key.fingerprint().to_string()), "{refused}");

    for layer in LAYERS {
        host.agent.set_second_layer(layer);
        manager.set_second_layer(layer);
        // A proxy that nobody has put there is still one.
        let refused = manager.order(&agent1(), &Order::Ping).await.unwrap_err();
        assert_eq!(refused.reason(), "key-not-pinned", "{layer:?}");
        manager.proxies().add("proxy1".into(), key.clone());
        let refused = manager.order(&agent1(), &Order::Ping).await.unwrap_err();
        assert!(matches!(refused.reason(), "cut" | "handshake-failed"), "{layer:?}: {refused}");
        host.agent.proxies().add("proxy1".into(), key.clone());
        manager.order(&agent1(), &Order::Ping).await.unwrap();
        // What is too long to be sent is in nobody's way.
        let mut link = manager.connect(&agent1()).await.unwrap();
        let endless = Order::TakeBack { migration: "x".repeat(MESSAGE_LIMIT) };
        assert_eq!(link.order(&endless).await.unwrap_err().reason(), "malformed");
        link.order(&Order::Ping).await.unwrap();
        // And without the proxy.
        manager.lead(&agent1(), None);
        manager.order(&agent1(), &Order::Ping).await.unwrap();
        manager.lead(&agent1(), Some(proxy.address()));
        manager.proxies().forget(&"proxy1".into());
        host.agent.proxies().forget(&"proxy1".into());
    }
    // The key of a proxy is worth nothing without a second layer.
    manager.set_second_layer(SecondLayer::Off);
    manager.proxies().add("proxy1".into(), key);
    let refused = manager.order(&agent1(), &Order::Ping).await.unwrap_err();
    assert_eq!(refused.reason(), "key-not-pinned");
}

/// The wanted proxy was taken over by somebody: whatever it alters ends the conversation, and it
/// cannot speak in the place of either.
#[tokio::test]
async fn a_proxy_that_was_taken_over_can_neither_alter_nor_pretend() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let key = key_of("proxy1", 1).public_key().clone();
    manager.proxies().add("proxy1".into(), key.clone());
    host.agent.proxies().add("proxy1".into(), key);
    for layer in LAYERS {
        host.agent.set_second_layer(layer);
        manager.set_second_layer(layer);
        for place in 0..7 {
            let proxy = proxy(&host, Meddling::Alter(place)).await;
            manager.lead(&agent1(), Some(proxy.address()));
            let outcome = async {
                let mut link = manager.connect(&agent1()).await?;
                // Enough that every place is reached.
                for _ in 0..40 {
                    link.order(&Order::Ping).await?;
                }
                Ok::<_, PinnedError>(())
            };
            let refused = outcome.await.expect_err("it was altered");
            // From the end of the handshake on, whatever is altered is seen to be.
            let reasons = match place {
                0 | 1 => &[
                    "handshake-failed",
                    "key-not-pinned",
                    "malformed",
                    "message-altered",
                    "possession-refuted",
                    "refused-by-peer",
                    "symmetric-key-not-proven",
                ][..],
                _ => &["message-altered"],
            };
            assert!(reasons.contains(&refused.reason()), "{layer:?} {place}: {refused}");
        }
        // Behind it may be another host, which has keys of its own, and a manager of the same name.
        let before = lab.stores();
        let posing = lab.host("agent9").await;
        let other_lab = Lab::new();
        posing.deploy_by(&other_lab.manager("manager1")).await.unwrap();
        posing.agent.set_second_layer(layer);
        posing.agent.proxies().add("proxy1".into(), key_of("proxy1", 1).public_key().clone());
        let proxy = Proxy::start(
            listener().await,
            &key_of("proxy1", 1),
            posing.service.address(),
            Meddling::None,
        );
        let proxy = proxy.unwrap();
        manager.lead(&agent1(), Some(proxy.address()));
        let refused = manager.order(&agent1(), &Order::Ping).await.unwrap_err();
        let expected = match layer {
            SecondLayer::SymmetricKey => "symmetric-key-not-proven",
            SecondLayer::Keys | SecondLayer::Off => "key-not-pinned",
        };
        assert_eq!(refused.reason(), expected);
        drop(posing);
        std::fs::remove_dir_all(lab.folder.path().join("agent9")).unwrap();
        assert!(lab.stores() == before);
    }
}
