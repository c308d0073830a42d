//! A host that belongs to a pool without a record of it (xapi-flows.md §12.1 step 13).

use std::{net::Ipv4Addr, sync::Arc};

use ground::{Actor, Ledger, Secret, Seed, Skew, Timestamp, VirtualClock};
use sim_host::{
    AuthConfig, Call, HostConfig, HostCreation, Network, Pool, PoolConfig, Profile, Quirks, Rig,
    SharedNetwork, facts::HostStranded,
};

const POOL_CONF: &str = "/etc/xensource/pool.conf";

#[tokio::test]
async fn a_record_mends_a_stranded_host() {
    let time = VirtualClock::starting_at(Timestamp::from_unix(1_800_000_000));
    let ledger = Ledger::new(time.clock());
    let trail = ledger.trail(Actor::Runner);
    let directory = tempfile::tempdir().unwrap();
    let rig = Rig::new();
    let create = |host: &str, address: Ipv4Addr| -> Arc<Pool> {
        let config = HostConfig {
            name: host.to_owned(),
            hostname: None,
            address: address.into(),
            root: directory.path().join(host),
            network: SharedNetwork::new(Network::default()),
            clock: time.clock(),
            skew: Skew::default(),
            xapi_conf: None,
            programs: None,
        };
        let config = PoolConfig {
            name: format!("pool of {host}"),
            profile: Profile::Landed,
            quirks: Quirks::of(Profile::Landed),
            seed: Seed::new(1),
            root_password: Secret::new("xenroot"),
            hosts: vec![config],
            trail: trail.clone(),
        };
        rig.create_pool(config).unwrap()
    };
    let pool = create("host1", Ipv4Addr::new(192, 0, 2, 1));
    let former = create("host9", Ipv4Addr::new(192, 0, 2, 9));
    let record = former.database_view().hosts.remove(0);
    let root = rig.host("host9").unwrap().root().clone();
    root.write(POOL_CONF, b"slave:192.0.2.1", 0o644).unwrap();

    rig.restart("host9", &trail).await.unwrap();
    assert!(Arc::ptr_eq(&rig.pool_of("host9").unwrap(), &former));
    let error = former.call(Call::PoolCertificateSync, &trail).await.unwrap_err();
    assert_eq!(
        (&*error.code, &*error.params),
        ("HOST_UNKNOWN_TO_MASTER", &[record.uuid.to_string()][..])
    );
    assert_eq!(former.emergency(), Some(error));
    let told = ledger
        .events_after(None)
        .into_iter()
        .find_map(|event| event.fact::<HostStranded>().cloned());
    let told = told.unwrap();
    assert_eq!((&*told.coordinator, &*told.pool), ("host1", "pool of host1"));
    assert!(told.remedy.contains(&record.uuid.to_string()), "{}", told.remedy);

    let creation = HostCreation {
        uuid: record.uuid.to_string(),
        name_label: record.name_label,
        name_description: record.name_description,
        hostname: record.hostname,
        address: record.address,
        external_auth_type: String::new(),
        external_auth_service_name: String::new(),
        external_auth_configuration: AuthConfig::default(),
        edition: record.edition,
    };
    pool.call(Call::HostCreate(creation), &trail).await.unwrap();
    rig.restart("host9", &trail).await.unwrap();
    assert!(Arc::ptr_eq(&rig.pool_of("host9").unwrap(), &pool));
    assert_eq!(pool.hosts().len(), 2);
    assert_eq!(rig.pools().len(), 1);
}
