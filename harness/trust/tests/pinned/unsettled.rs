//! A deployment that broke off is settled before the next one of the same agent begins, wherever it broke off, and
//! whether the next one breaks off, too.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::TcpStream,
    time::Instant,
};
use trust_models::pinned::{Deployment, Manager, Order, SecondLayer};

use crate::lab::{Host, Lab, agent1, listener};

/// Where the wire breaks: at the record of this number from the manager (its `Finished` is the first, then come
/// `Prepare`, `Register`, `Commit`), before the host has it, or before the manager has the answer. Or the host
/// hears nothing from then on, not even an end.
#[derive(Clone, Copy, Debug)]
struct Break {
    record: usize,
    arrives: bool,
    silently: bool,
}

const PREPARE: usize = 2;
const REGISTER: usize = 3;
const COMMIT: usize = 4;

fn before(record: usize) -> Break {
    Break { record, arrives: false, silently: false }
}

fn after(record: usize) -> Break {
    Break { record, arrives: true, silently: false }
}

/// A way to `target` for one conversation that breaks.
async fn wire(target: SocketAddr, at: Break) -> SocketAddr {
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut manager, mut to_manager) = listener.accept().await.unwrap().0.into_split();
        drop(listener);
        let (mut host, mut to_host) = TcpStream::connect(target).await.unwrap().into_split();
        let back = tokio::spawn(async move {
            copy(&mut host, &mut to_manager).await.unwrap();
        });
        let mut said = 0;
        loop {
            let mut record = vec![0; 5];
            manager.read_exact(&mut record).await.unwrap();
            let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
            record.resize(5 + length, 0);
            manager.read_exact(&mut record[5..]).await.unwrap();
            // In TLS 1.3 all but the first flight and a word of the past is application data.
            said += usize::from(record[0] == 23);
            if said < at.record {
                to_host.write_all(&record).await.unwrap();
                continue;
            }
            back.abort();
            assert!(back.await.unwrap_err().is_cancelled());
            if at.arrives {
                to_host.write_all(&record).await.unwrap();
            }
            break;
        }
        if at.silently {
            std::future::pending().await
        }
    });
    address
}

/// Deploys over a wire that breaks.
async fn deploy_in_vain(manager: &Manager, host: &Host, at: Break) {
    let order =
        Deployment { address: wire(host.deployment.address(), at).await, ..host.order(None) };
    manager.deploy(&order).await.unwrap_err();
    assert_eq!(manager.unsettled(), [agent1()].into(), "{at:?}");
}

/// Nothing is left to settle, and what both keep is of one deployment.
async fn agree(manager: &Manager, host: &Host, what: &str) {
    assert!(manager.unsettled().is_empty(), "{what}");
    host.deployment.settled().await;
    assert!(host.agent.undecided().is_empty(), "{what}");
    for layer in [SecondLayer::SymmetricKey, SecondLayer::Off] {
        host.agent.set_second_layer(layer);
        manager.set_second_layer(layer);
        let answer = manager.order(&agent1(), &Order::Ping).await;
        answer.unwrap_or_else(|error| panic!("{what}, {layer:?}: {error}"));
    }
}

const BREAKS: [fn() -> Break; 4] =
    [|| after(PREPARE), || after(REGISTER), || before(COMMIT), || after(COMMIT)];

#[tokio::test]
async fn a_deployment_settles_the_one_that_broke_off_before_it() {
    for at in BREAKS {
        let lab = Lab::new();
        let (manager, host) = lab.deployed().await;
        deploy_in_vain(&manager, &host, at()).await;
        host.deploy_by(&manager).await.unwrap();
        agree(&manager, &host, &format!("{:?}", at())).await;
    }
}

/// The second begins with what settles the first, one record more.
#[tokio::test]
async fn two_deployments_in_a_row_break_off() {
    for first in BREAKS {
        for second in BREAKS {
            let (first, second) = (first(), second());
            let second = Break { record: second.record + 1, ..second };
            let lab = Lab::new();
            let (manager, host) = lab.deployed().await;
            deploy_in_vain(&manager, &host, first).await;
            deploy_in_vain(&manager, &host, second).await;
            manager.find_again(&agent1(), host.deployment.address()).unwrap();
            manager.settle().await.unwrap();
            agree(&manager, &host, &format!("{first:?}, then {second:?}")).await;
        }
    }
}

/// Where the host of the first cannot be asked, another is not deployed in its place before the first is given up.
#[tokio::test]
async fn what_cannot_be_settled_is_not_overwritten() {
    let lab = Lab::new();
    let (manager, lost) = (lab.manager("manager1"), lab.host("agent1").await);
    deploy_in_vain(&manager, &lost, before(COMMIT)).await;
    drop(lost);
    std::fs::remove_dir_all(lab.folder.path().join("agent1")).unwrap();
    let host = lab.start_host("agent1", 2).await;
    let stores = lab.stores();
    let refused = host.deploy_by(&manager).await.unwrap_err();
    assert_eq!(refused.reason(), "deployment-unsettled");
    assert!(refused.to_string().contains("remove `agent1`"), "{refused}");
    assert!(lab.stores() == stores);
    manager.remove(&agent1()).unwrap();
    assert!(manager.unsettled().is_empty());
    host.deploy_by(&manager).await.unwrap();
    agree(&manager, &host, "given up").await;
}

#[tokio::test]
async fn two_deployments_at_once_are_one_after_the_other() {
    let lab = Lab::new();
    let (manager, host) = lab.deployed().await;
    let (one, other) = tokio::join!(host.deploy_by(&manager), host.deploy_by(&manager));
    one.unwrap();
    other.unwrap();
    agree(&manager, &host, "both").await;
}

/// What a manager leaves open is not kept open for ever. Time stands still from when the manager has given up: the
/// host is waiting for the decision then, and for nothing else.
#[tokio::test]
async fn a_host_that_hears_nothing_more_ends_the_conversation() {
    let lab = Lab::new();
    let (manager, host) = (lab.manager("manager1"), lab.host("agent1").await);
    let wire = wire(host.deployment.address(), Break { silently: true, ..before(COMMIT) }).await;
    let order = Deployment { address: wire, ..host.order(None) };
    let refused = manager.deploy(&order).await.unwrap_err();
    assert_eq!(refused.reason(), "cut");
    tokio::time::pause();
    let given_up = Instant::now();
    host.deployment.settled().await;
    let waited = given_up.elapsed();
    assert!(waited > Duration::from_secs(20), "{waited:?}");
}
