//! Both stores change, or none does.

use ground::Secret;
use tokio::net::TcpSocket;
use trust_models::pinned::{Deployment, Order, PeerName, PinnedError};

use crate::{
    lab::{Lab, agent1, listener, nowhere},
    world::key_of,
};

#[tokio::test]
async fn a_deployed_host_takes_orders() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let agent_key = host.agent.party().identity().public_key().clone();
    let manager_key = manager.party().identity().public_key().clone();
    assert_eq!(manager.agents()[&agent1()], [agent_key].into());
    assert_eq!(host.agent.believed()[&"manager1".into()], [manager_key].into());
    assert!(manager.unsettled().is_empty() && host.agent.undecided().is_empty());
    manager.order(&agent1(), &Order::Ping).await.unwrap();

    // Both come back from their stores.
    drop((manager, host));
    let (manager, host) = (lab.manager("manager1"), lab.start_host("agent1", 2).await);
    manager.lead(&agent1(), Some(host.service.address()));
    manager.order(&agent1(), &Order::Ping).await.unwrap();
}

/// Without an operator's fingerprint any host is believed the first time, and it is said which.
#[tokio::test]
async fn without_a_fingerprint_it_is_told_what_was_believed() {
    let lab = Lab::new();
    let (manager, host) = (lab.manager("manager1"), lab.host("agent1").await);
    let shown = manager.deploy(&host.order(None)).await.unwrap();
    assert_eq!(shown, host.agent.host_fingerprint().unwrap());
}

#[tokio::test]
async fn refused_deployments_leave_both_stores_as_they_were() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let right = host.agent.host_fingerprint().unwrap();
    let wrong = key_of("impostor", 1).public_key().fingerprint();
    let before = lab.stores();
    let order = |change: &dyn Fn(&mut Deployment)| {
        let mut order = host.order(Some(right.clone()));
        change(&mut order);
        order
    };
    // Bound and not listening: nobody else gets the port meanwhile.
    let bound = TcpSocket::new_v4().unwrap();
    bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = bound.local_addr().unwrap();
    let cases: [(_, Deployment); 4] = [
        ("wrong-fingerprint", order(&|order| order.fingerprint = Some(wrong.clone()))),
        ("wrong-password", order(&|order| order.password = Secret::new("guess"))),
        ("unreachable", order(&|order| order.address = closed)),
        ("unreachable", order(&|order| order.address = nowhere())),
    ];
    for (reason, order) in cases {
        let refused = manager.deploy(&order).await.unwrap_err();
        assert_eq!(refused.reason(), reason);
        assert!(!refused.to_string().contains("guess"));
        assert!(lab.stores() == before, "{reason}");
    }
    let refused = manager.deploy(&order(&|order| order.fingerprint = Some(wrong.clone()))).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        format!(
            "the host shows the key {right}, but the operator expects {wrong}; nothing was stored"
        )
    );
    manager.order(&agent1(), &Order::Ping).await.unwrap();
}

#[tokio::test]
async fn a_removed_host_is_gone_and_another_manager_stays() {
    let lab = Lab::new();
    let (first, host) = lab.deployed().await;
    let second = lab.manager("manager2");
    host.deploy_by(&second).await.unwrap();
    for manager in [&first, &second] {
        manager.order(&agent1(), &Order::Ping).await.unwrap();
    }
    first.remove(&agent1()).unwrap();
    let gone = first.order(&agent1(), &Order::Ping).await.unwrap_err();
    assert_eq!(gone.reason(), "not-deployed");
    assert_eq!(first.remove(&agent1()).unwrap_err().reason(), "not-deployed");
    // The agent dials it in vain, and the second has taken over.
    let name = PeerName::from("manager1");
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    let (dialled, accepted) = tokio::join!(host.agent.party().dial(&name, address), async {
        first.party().accept(listener.accept().await.unwrap().0).await
    });
    assert_eq!(accepted.unwrap_err().reason(), "key-not-pinned");
    assert!(matches!(dialled, Err(PinnedError::RefusedByPeer { .. })));
    second.order(&agent1(), &Order::Ping).await.unwrap();
}

#[tokio::test]
async fn rotation_without_outage_and_in_the_wrong_order() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let mut open = manager.connect(&agent1()).await.unwrap();
    manager.rotate().await.unwrap();
    manager.rotate_agent(&agent1()).await.unwrap();
    manager.order(&agent1(), &Order::Ping).await.unwrap();
    open.order(&Order::Ping).await.unwrap();
    assert_eq!(host.agent.believed()[&"manager1".into()].len(), 1);
    assert_eq!(manager.agents()[&agent1()].len(), 1);

    // The new key is shown before anybody was told of it.
    manager.prepare_key().unwrap();
    manager.switch_key().unwrap();
    let lost = manager.order(&agent1(), &Order::Ping).await.unwrap_err();
    assert_eq!(lost.reason(), "refused-by-peer");
    open.order(&Order::Ping).await.unwrap();
    // Either back to the former key, or deployed anew.
    manager.switch_back().unwrap();
    manager.order(&agent1(), &Order::Ping).await.unwrap();
    manager.switch_key().unwrap();
    host.deploy_by(&manager).await.unwrap();
    manager.order(&agent1(), &Order::Ping).await.unwrap();
}

#[tokio::test]
async fn lent_keys_are_gone_after_every_kind_of_end() {
    let lab = Lab::new();
    let (manager, one) = lab.deployed().await;
    let two = lab.host("agent2").await;
    two.deploy_by(&manager).await.unwrap();
    let agent2 = PeerName::from("agent2");
    let alone = |host: &crate::lab::Host| host.agent.believed().len() == 1;

    manager.migrate("vm1", &agent1(), &agent2).await.unwrap();
    assert!(alone(&one) && alone(&two));

    // The other cannot be reached for the migration itself.
    manager.lend("vm2", &agent1(), &agent2).await.unwrap();
    assert!(!alone(&one) && !alone(&two));
    manager.lead(&agent2, Some(nowhere()));
    let failed = manager.begin_migration("vm2", &agent1(), &agent2).await.unwrap_err();
    assert_eq!(failed.reason(), "unreachable");
    manager.lead(&agent2, None);
    manager.end_migration("vm2", &agent1(), &agent2).await.unwrap();
    assert!(alone(&one) && alone(&two));

    // One that nobody began.
    let failed = manager.begin_migration("vm3", &agent1(), &agent2).await.unwrap_err();
    assert_eq!(failed.reason(), "unknown-migration");

    // An agent can do for the other what a migration needs, and nothing else.
    manager.lend("vm4", &agent1(), &agent2).await.unwrap();
    let direct = one.agent.party().dial(&agent2, two.service.address()).await.unwrap();
    let mut frames = trust_models::pinned::Frames::over(direct.stream);
    let answer = frames.ask::<trust_models::pinned::Answer>(&Order::Ping).await.unwrap();
    assert!(format!("{answer:?}").contains("not-a-manager"), "{answer:?}");

    // The manager dies, and the lease lapses.
    lab.time.advance(std::time::Duration::from_secs(601));
    assert!(alone(&one) && alone(&two));
    let refused = one.agent.party().dial(&agent2, two.service.address()).await.unwrap_err();
    assert_eq!(refused.reason(), "key-not-pinned");
}

/// Whose orders are carried out, and who is let in for a migration, is told by names.
#[tokio::test]
async fn no_agent_has_the_name_of_a_manager() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    host.deploy_by(&lab.manager("manager2")).await.unwrap();
    let (own, namesake) = (lab.host("manager1").await, lab.host("agent2").await);
    let stores = lab.stores();
    let refused = own.deploy_by(&manager).await.unwrap_err();
    assert_eq!(refused.reason(), "name-taken");
    assert!(refused.to_string().contains("`manager1`"), "{refused}");
    assert!(lab.stores() == stores);

    // What is called as another manager of the agent must not order as that one.
    let mut order = namesake.order(None);
    order.agent = "manager2".into();
    manager.deploy(&order).await.unwrap();
    let believed = host.agent.believed();
    let refused = manager.lend("vm1", &agent1(), &order.agent).await.unwrap_err();
    assert_eq!(refused.reason(), "name-taken");
    assert_eq!(host.agent.believed(), believed);
    let dialled = namesake.agent.party().dial(&agent1(), host.service.address()).await;
    assert!(dialled.is_err());

    // Nor does a manager come in by the name of an agent whose key is lent.
    let (agent3, agent3_host) = ("agent3".into(), lab.host("agent3").await);
    agent3_host.deploy_by(&manager).await.unwrap();
    manager.lend("vm2", &agent1(), &agent3).await.unwrap();
    let refused = host.deploy_by(&lab.manager("agent3")).await.unwrap_err();
    assert_eq!(refused.reason(), "name-taken");
    assert!(host.agent.undecided().is_empty());
}
