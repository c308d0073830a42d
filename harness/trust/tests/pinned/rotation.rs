//! Keys come and go; several managers.

use trust_models::pinned::{Answer, Order, PinnedError};

use crate::{
    lab::{Lab, agent1},
    world::{connects, deployed, introduce, key_of, ledger, meet, party},
};

/// Add the new key, switch, drop the old: at no point is the agent out of reach.
#[tokio::test]
async fn rotation_without_outage() {
    for dialler_rotates in [true, false] {
        let (manager, agent) = deployed();
        let (rotating, name, other) = if dialler_rotates {
            (&manager, "manager1", &agent)
        } else {
            (&agent, "agent1", &manager)
        };
        let old = rotating.identity();
        let new = key_of(name, 2);
        let reachable = async || connects(&manager, &agent, "agent1").await;

        assert!(reachable().await);
        assert!(other.known_keys().add(name.into(), new.public_key().clone()));
        assert!(reachable().await);
        rotating.switch_to(new.clone());
        assert!(reachable().await);
        assert!(other.known_keys().drop_key(&name.into(), old.public_key()));
        assert!(reachable().await);

        // The old key is worth nothing now.
        rotating.switch_to(old);
        assert!(!reachable().await);
        rotating.switch_to(new);
        assert!(reachable().await);
    }
}

/// Who switches first is not known any more.
#[tokio::test]
async fn rotation_in_the_wrong_order_loses_the_agent() {
    let (manager, agent) = deployed();
    let old = manager.identity();
    let new = key_of("manager1", 2);
    manager.switch_to(new.clone());
    let (dialled, accepted) = meet(&manager, &agent, "agent1").await;
    assert!(matches!(dialled, Err(PinnedError::RefusedByPeer { .. })), "{dialled:?}");
    let Err(PinnedError::Refused(verdict)) = accepted else { panic!("{accepted:?}") };
    assert_eq!(verdict.found, Some(new.public_key().fingerprint()));
    let expected: Vec<_> = verdict.expected.values().flatten().collect();
    assert_eq!(expected, [&old.public_key().fingerprint()]);

    // Either the manager goes back as long as it has the old key, ...
    manager.switch_to(old);
    assert!(connects(&manager, &agent, "agent1").await);
    // ... or somebody brings the new key to the agent by another way.
    manager.switch_to(new.clone());
    agent.known_keys().add("manager1".into(), new.public_key().clone());
    assert!(connects(&manager, &agent, "agent1").await);
}

/// Dropping before adding loses the agent, too; the connection that is open stays.
#[tokio::test]
async fn dropping_too_early_loses_the_agent() {
    let (manager, agent) = deployed();
    let (open, _accepted) = meet(&manager, &agent, "agent1").await;
    let open = open.unwrap();
    agent.known_keys().drop_key(&"manager1".into(), manager.identity().public_key());
    assert!(!connects(&manager, &agent, "agent1").await);
    assert_eq!(open.verdict.trusted(), Some(&"agent1".into()));
}

#[tokio::test]
async fn two_managers() {
    let (first, agent) = deployed();
    let second = party(&ledger(), "manager2", key_of("manager2", 1));
    introduce(&second, "manager2", &agent, "agent1");
    for (manager, name) in [(&first, "manager1"), (&second, "manager2")] {
        let (dialled, accepted) = meet(manager, &agent, "agent1").await;
        assert!(dialled.is_ok());
        assert_eq!(accepted.unwrap().verdict.trusted(), Some(&name.into()));
    }
    // The second takes over.
    assert!(agent.known_keys().forget(&"manager1".into()));
    assert!(!connects(&first, &agent, "agent1").await);
    assert!(connects(&second, &agent, "agent1").await);
}

/// An agent keeps one key ready. Who has another made takes the former one's place, and is not shown by its order.
#[tokio::test]
async fn an_agent_shows_the_key_that_the_order_names() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let other = lab.manager("manager2");
    host.deploy_by(&other).await.unwrap();
    let Answer::Key { key } = manager.order(&agent1(), &Order::PrepareKey).await.unwrap() else {
        panic!("no key");
    };
    let Answer::Key { key: its } = other.order(&agent1(), &Order::PrepareKey).await.unwrap() else {
        panic!("no key");
    };
    let before = lab.stores();
    let refused = manager.order(&agent1(), &Order::SwitchKey { key }).await.unwrap_err();
    assert_eq!(refused.reason(), "no-key-prepared");
    assert!(lab.stores() == before);
    // Whoever is told of the key in time goes on.
    manager.believe(&agent1(), its.clone()).unwrap();
    other.believe(&agent1(), its.clone()).unwrap();
    other.order(&agent1(), &Order::SwitchKey { key: its }).await.unwrap();
    manager.order(&agent1(), &Order::Ping).await.unwrap();
    other.order(&agent1(), &Order::Ping).await.unwrap();
}
