//! Operations of the pool, and calls that wait for them (xapi-flows.md §17).

use std::{sync::Arc, time::Duration};

use sim_host::{ApiError, Call, PoolOperation, Profile, Quirk};
use tokio::task::JoinHandle;

use crate::support::{DOMAIN, Plan, Rig, authority, error, install};

const RESTART: &str = "systemctl restart winbind";

/// A pool in which an install restarts winbind on its host, which can be held up.
async fn slow_pool(profile: Profile) -> Arc<Rig> {
    let rig = Plan::new(profile, 1).quirk(Quirk::SmbConfNotRefreshed, false).build();
    rig.enable(&[]).await.unwrap();
    rig.host(1).hold_program(RESTART);
    Arc::new(rig)
}

fn start(rig: &Arc<Rig>, call: Call) -> JoinHandle<Result<(), ApiError>> {
    let rig = Arc::clone(rig);
    tokio::spawn(async move { rig.call(call).await })
}

#[tokio::test]
async fn a_call_waits_for_the_end_of_another() {
    for profile in Profile::ALL {
        let rig = slow_pool(profile).await;
        let pool = &rig.pool;
        let first = start(&rig, install(true, &authority(DOMAIN), &[]));
        pool.waiting_room().holds(1).await;
        let view = pool.database_view().pool;
        let names: Vec<_> = view.current_operations.values().copied().collect();
        assert_eq!(names, [PoolOperation::CopyPrimaryHostCerts]);
        assert!(view.allowed_operations.is_empty());

        let second = start(&rig, install(true, &authority("other.example"), &[]));
        pool.waiting_room().holds(2).await;
        rig.time.advance(Duration::from_secs(7_199));
        assert_eq!(pool.database_view().pool.current_operations.len(), 1);
        assert!(!second.is_finished());
        rig.host(1).release_program(RESTART);
        assert_eq!(first.await.unwrap(), Ok(()));
        assert_eq!(second.await.unwrap(), Ok(()));
        let view = pool.database_view().pool;
        assert!(view.current_operations.is_empty());
        assert!(view.allowed_operations.contains(&PoolOperation::CopyPrimaryHostCerts));
        assert!(!view.allowed_operations.contains(&PoolOperation::HaDisable));
    }
}

#[tokio::test]
async fn a_call_gives_up_after_two_hours() {
    let rig = slow_pool(Profile::Landed).await;
    let pool = &rig.pool;
    let first = start(&rig, install(true, &authority(DOMAIN), &[]));
    pool.waiting_room().holds(1).await;
    let second = start(&rig, install(true, &authority("other.example"), &[]));
    pool.waiting_room().holds(2).await;
    rig.time.advance(Duration::from_secs(7_200));
    let (task, _) = pool.database_view().pool.current_operations.pop_first().unwrap();
    let pool_ref = pool.reference().to_string();
    let expected = ["pool", &pool_ref, "copy_primary_host_certs", task.as_str()];
    assert_eq!(second.await.unwrap(), error("OTHER_OPERATION_IN_PROGRESS", expected));
    pool.waiting_room().holds(1).await;
    rig.host(1).release_program(RESTART);
    assert_eq!(first.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn what_somebody_else_does_is_looked_at_again_every_few_seconds() {
    let rig = Rig::landed(1);
    let began = rig.time.clock().now();
    let lasting = Duration::from_secs(600);
    rig.pool.begin_operation(PoolOperation::HaEnable, Some(lasting), &rig.trail);
    rig.install(&authority(DOMAIN), &[]).await.unwrap();
    let waited = rig.time.clock().now().unix() - began.unix();
    assert!((600..=620).contains(&waited), "{waited}");

    // A blocking operation hides the names of waiting ones.
    rig.pool.begin_operation(PoolOperation::Eject, None, &rig.trail);
    rig.pool.begin_operation(PoolOperation::HaEnable, None, &rig.trail);
    let began = rig.time.clock().now();
    let pool_ref = rig.pool.reference().to_string();
    let other = authority("other.example");
    let blocked = error("OTHER_OPERATION_IN_PROGRESS", ["pool", &pool_ref]);
    assert_eq!(rig.install(&other, &[]).await, blocked);
    let waited = rig.time.clock().now().unix() - began.unix();
    assert!((7_200..=7_220).contains(&waited), "{waited}");
    rig.pool.end_operation(PoolOperation::HaEnable, &rig.trail);
    let failed = rig.install(&other, &[]).await.unwrap_err();
    assert_eq!(failed.params[2], "eject");

    // In memory only.
    rig.restart(1).await;
    assert_eq!(rig.install(&other, &[]).await, Ok(()));
}

#[tokio::test]
async fn two_runs_wait_for_the_same_time() {
    let mut ends = Vec::new();
    for _ in 0..2 {
        let rig = Rig::landed(1);
        let lasting = Some(Duration::from_secs(1_000));
        rig.pool.begin_operation(PoolOperation::HaEnable, lasting, &rig.trail);
        rig.install(&authority(DOMAIN), &[]).await.unwrap();
        ends.push(rig.time.clock().now());
    }
    assert_eq!(ends[0], ends[1]);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_operation() {
    let rig = slow_pool(Profile::Landed).await;
    let pool = &rig.pool;
    let first = start(&rig, install(true, &authority(DOMAIN), &[]));
    pool.waiting_room().holds(1).await;
    let second = start(&rig, install(true, &authority("other.example"), &[]));
    pool.waiting_room().holds(2).await;
    second.abort();
    assert!(second.await.unwrap_err().is_cancelled());
    pool.waiting_room().holds(1).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert!(pool.database_view().pool.current_operations.is_empty());
}

/// Calls that are no operations of the pool do not wait for each other, and do no harm either.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn legacy_calls_at_once() {
    let rig = Arc::new(Plan::new(Profile::DesignV1, 3).build());
    let name = |number: usize| format!("{number}.pem");
    let calls = |make: &dyn Fn(usize) -> Call| {
        (0..8).map(|number| start(&rig, make(number))).collect::<Vec<_>>()
    };
    let pem = authority(DOMAIN);
    let install =
        |number| Call::PoolInstallCaCertificate { name: name(number), certificate: pem.clone() };
    for call in calls(&install) {
        assert_eq!(call.await.unwrap(), Ok(()));
    }
    assert_eq!(rig.pool.certificates().len(), 8);
    let remove = |number| match number % 2 {
        0 => Call::PoolUninstallCaCertificate { name: name(number), force: false },
        _ => Call::PoolCrlInstall { name: name(number), crl: "list".to_owned() },
    };
    for call in calls(&remove) {
        assert_eq!(call.await.unwrap(), Ok(()));
    }
    rig.call(Call::PoolCertificateSync).await.unwrap();
    for number in 1..=3 {
        let odd = [1, 3, 5, 7].map(name);
        assert_eq!(rig.certificate_files(number, "/etc/stunnel/certs"), odd);
        assert_eq!(rig.certificate_files(number, "/etc/stunnel/crls"), odd);
        let bundle = rig.text(number, "/etc/stunnel/xapi-stunnel-ca-bundle.pem").unwrap();
        assert_eq!(bundle, format!("{pem}\n").repeat(4));
    }
}
