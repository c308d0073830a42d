use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::*;
use crate::{
    Profile,
    estate::{ClusterHost, Identity, Network, PoolUpdate, StorageManager},
    xapi::join::side::PoolSide,
};

/// What makes a check fail, by its number. The parameters are the joiner and the pool.
type Break = (u8, fn(&mut Side, &mut Side));

/// In the order of §12.2, each check with everything that makes it fail.
const BREAKS: &[Break] = &[
    (1, |joiner, pool| {
        joiner.circumstances.insert(C::PoolSizeLimited);
        pool.hosts.extend([host("second"), host("third")]);
    }),
    (2, |joiner, _| joiner.estate.interfaces.clear()),
    (3, |joiner, _| joiner.pool.ha_enabled = true),
    (4, |joiner, _| joiner.estate.cluster_hosts.push(cluster_host("nowhere"))),
    (5, |_, pool| {
        pool.estate.interfaces.push(Interface { vlan: 7, ..interface("vlan") });
        pool.estate.cluster_hosts.push(cluster_host("vlan"));
    }),
    (5, |joiner, pool| {
        joiner.circumstances.insert(C::TwoClusterAddresses);
        pool.estate.cluster_hosts.push(cluster_host("pool"));
    }),
    (6, |_, pool| pool.pool.ha_enabled = true),
    (7, |joiner, pool| joiner.hosts[0].uuid.clone_from(&pool.hosts[0].uuid)),
    (8, |joiner, _| joiner.hosts.push(host("member"))),
    (9, |joiner, _| has(joiner, C::RunningVms)),
    (10, |joiner, _| has(joiner, C::VmOperations)),
    (11, |joiner, _| joiner.estate.pending_guidances.push("reboot_host".to_owned())),
    (11, |_, pool| pool.estate.pending_guidances.push("reboot_host".to_owned())),
    (12, |joiner, _| software(joiner, "platform_version")),
    (12, |_, pool| software(pool, "product_brand")),
    (13, |joiner, _| software(joiner, "git_id")),
    (13, |_, pool| pool.estate.cpu_vendor = "another".to_owned()),
    (14, |joiner, _| has(joiner, C::SharedSrs)),
    (15, |joiner, _| has(joiner, C::Bonds)),
    (16, |joiner, _| has(joiner, C::Tunnels)),
    (17, |joiner, _| has(joiner, C::NetworkSriovs)),
    (18, |joiner, _| has(joiner, C::NonManagementVlans)),
    (19, |joiner, _| joiner.estate.interfaces.iter_mut().for_each(|own| own.vlan = 7)),
    (20, |joiner, _| joiner.hosts[0].external_auth_type = "AD".to_owned()),
    (20, |_, pool| pool.hosts[0].external_auth_service_name = "corp.example".to_owned()),
    (21, |joiner, _| joiner.hosts[0].edition = EDITIONS[0].to_owned()),
    (21, |_, pool| pool.hosts[0].edition = "unheard-of".to_owned()),
    (22, |_, pool| software(pool, "network_backend")),
    (23, |joiner, _| joiner.estate.api_version.1 -= 1),
    (24, |joiner, _| software(joiner, "db_schema")),
    (24, |joiner, pool| {
        // Two that both say nothing do not match either.
        for side in [joiner, pool] {
            side.estate.software_version.remove("db_schema");
        }
    }),
    (25, |_, pool| {
        pool.estate
            .updates
            .push(PoolUpdate { identity: identity("update"), enforce_homogeneity: true });
    }),
    (26, |joiner, _| {
        for interface in &mut joiner.estate.interfaces {
            interface.primary_address_type = "IPv6".to_owned();
        }
    }),
    (27, |joiner, pool| {
        for (side, purpose) in [(joiner, "nbd"), (pool, "insecure_nbd")] {
            let purpose = vec![purpose.to_owned()];
            side.estate.networks.push(Network { identity: identity("network"), purpose });
        }
    }),
    (28, |_, pool| pool.pool.tls_verification_enabled = false),
    (29, |joiner, pool| {
        joiner.certificates.push(certificate("a.pem", "AA", &[]));
        pool.certificates.push(certificate("a.pem", "BB", &[]));
    }),
    (30, |joiner, pool| {
        joiner.certificates.push(certificate("", "CC", &["ldaps"]));
        pool.certificates.push(certificate("", "CC", &["ldaps", "licensing"]));
    }),
    (31, |joiner, _| joiner.pool.is_applying_updates = true),
    (32, |_, pool| pool.pool.is_applying_updates = true),
    (33, |joiner, _| joiner.estate.storage_managers.clear()),
    (33, |joiner, _| {
        joiner.estate.storage_managers[0].features.insert("VDI_SNAPSHOT".to_owned(), 1);
    }),
];

#[test]
fn equal_sides_pass() {
    assert_eq!(first_failure(&side("joiner"), &side("pool"), false), None);
}

/// Alone, and together with everything that later checks look at.
#[test]
fn each_check_fails_at_its_place() {
    for (index, (number, _)) in BREAKS.iter().enumerate() {
        for broken in [&BREAKS[index..=index], &BREAKS[index..]] {
            let (mut joiner, mut pool) = (side("joiner"), side("pool"));
            let later = broken.iter().filter(|(later, _)| later > number);
            broken[0].1(&mut joiner, &mut pool);
            // One way for each check: two may undo each other.
            let mut done = BTreeSet::new();
            for (later, breaks) in later {
                if done.insert(later) {
                    breaks(&mut joiner, &mut pool);
                }
            }
            assert_eq!(first_failure(&joiner, &pool, false), Some(*number), "row {index}");
        }
    }
    let numbers: BTreeSet<_> = BREAKS.iter().map(|(number, _)| *number).collect();
    assert!(numbers.into_iter().eq(1..=CHECKS));
}

#[test]
fn force_passes_over_software_and_processors_alone() {
    for (number, breaks) in BREAKS {
        let (mut joiner, mut pool) = (side("joiner"), side("pool"));
        breaks(&mut joiner, &mut pool);
        let expected = Some(*number).filter(|number| *number != 13);
        assert_eq!(first_failure(&joiner, &pool, true), expected);
    }
}

#[test]
fn a_pool_may_know_purposes_that_the_joiner_does_not() {
    let (mut joiner, mut pool) = (side("joiner"), side("pool"));
    joiner.certificates.push(certificate("", "CC", &["ldaps"]));
    pool.certificates.push(certificate("", "CC", &["ldaps", "new"]));
    assert_eq!(first_failure(&joiner, &pool, false), Some(30));
    pool.certificates[0].purpose = ["new".to_owned()].into();
    assert_eq!(first_failure(&joiner, &pool, false), None);
}

fn first_failure(joiner: &Side, pool: &Side, force: bool) -> Option<u8> {
    let quirks = Quirks::of(Profile::Landed);
    let candidate = Candidate { joiner, pool, force, quirks: &quirks };
    candidate.first_failure().map(|(number, _)| number)
}

fn side(name: &str) -> Side {
    let software = ["platform_version", "product_brand", "git_id", "xapi", "db_schema"];
    let software = software.map(|key| (key.to_owned(), "same".to_owned()));
    let mut software_version = BTreeMap::from(software);
    software_version.insert("network_backend".to_owned(), "openvswitch".to_owned());
    Side {
        pool: PoolSide {
            reference: Reference::new(name),
            ha_enabled: false,
            is_applying_updates: false,
            tls_verification_enabled: true,
        },
        hosts: vec![host(name)],
        certificates: Vec::new(),
        estate: Estate {
            api_version: (2, 23),
            software_version,
            interfaces: vec![interface(name)],
            storage_managers: vec![StorageManager {
                identity: identity("lvm"),
                kind: "lvm".to_owned(),
                features: [("VDI_SNAPSHOT".to_owned(), 2)].into(),
            }],
            ..Estate::default()
        },
        circumstances: BTreeSet::new(),
    }
}

fn host(name: &str) -> HostSide {
    HostSide {
        reference: Reference::new(name),
        uuid: name.to_owned(),
        name_label: name.to_owned(),
        edition: EDITIONS[2].to_owned(),
        external_auth_type: String::new(),
        external_auth_service_name: String::new(),
        external_auth_ldaps: false,
    }
}

fn identity(name: &str) -> Identity {
    Identity { reference: Reference::new(name), uuid: Uuid::nil() }
}

fn interface(host: &str) -> Interface {
    Interface {
        identity: identity(host),
        host: Reference::new(host),
        management: true,
        vlan: -1,
        primary_address_type: "IPv4".to_owned(),
    }
}

fn cluster_host(interface: &str) -> ClusterHost {
    ClusterHost {
        identity: identity("cluster host"),
        host: Reference::null(),
        interface: Reference::new(interface),
    }
}

fn certificate(name: &str, fingerprint: &str, purposes: &[&str]) -> CertificateSide {
    CertificateSide {
        reference: Reference::new(fingerprint),
        name: name.to_owned(),
        kind: "ca".to_owned(),
        fingerprint_sha256: fingerprint.to_owned(),
        purpose: purposes.iter().map(|purpose| (*purpose).to_owned()).collect(),
    }
}

fn has(side: &mut Side, circumstance: C) {
    side.circumstances.insert(circumstance);
}

fn software(side: &mut Side, key: &str) {
    side.estate.software_version.insert(key.to_owned(), "other".to_owned());
}
