//! Several callers at once (xapi-flows.md §17).

use std::sync::Arc;

use sim_host::{AuthConfig, Call, Profile};

use crate::support::{DOMAIN, PASSWORD, Plan, authority, install};

/// Calls that hold the pool extauth lock do not overlap; certificate calls do not wait for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn external_auth_calls_take_turns() {
    let rig = Plan::new(Profile::Landed, 3).build();
    rig.install(&authority(DOMAIN), &["ldaps"]).await.unwrap();
    let before = rig.ledger.last();
    let config: AuthConfig = [("user", "Administrator"), ("pass", PASSWORD)].into_iter().collect();
    let set = |ldaps| Call::PoolExternalAuthSetLdaps { pool: None, ldaps, force: Some(true) };
    let enable = Call::PoolEnableExternalAuth {
        pool: None,
        config,
        service_name: DOMAIN.into(),
        auth_type: "AD".into(),
    };
    let mut calls = vec![enable, install(true, &authority("other.example"), &[])];
    calls.extend([true, false].into_iter().cycle().take(8).map(set));
    let pool = Arc::new(rig.pool);
    let tasks: Vec<_> = calls
        .into_iter()
        .map(|call| {
            let (pool, trail) = (Arc::clone(&pool), rig.trail.clone());
            tokio::spawn(async move { pool.call(call, &trail).await.is_ok() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let records = pool.database_view();
    let ldaps = records.hosts[0].ldaps();
    assert!(records.hosts.iter().all(|host| host.ldaps() == ldaps));
    assert_eq!(pool.certificates().len(), 2);

    // Host by host in order of arrival: no two calls of the pool are mixed.
    let mut order = Vec::new();
    for event in rig.ledger.events_after(before) {
        let fields = event.fields();
        let call = fields.get("call").and_then(|call| call.as_str()).unwrap_or_default();
        if event.kind() == "xapi.call" && call == "host.external_auth_set_ldaps" {
            order.push(fields["host"].as_str().unwrap_or_default().to_owned());
        }
    }
    for turns in order.split(|host| host == "host1").skip(1) {
        assert!(turns.is_empty() || turns == ["host2", "host3"], "{order:?}");
    }
}
