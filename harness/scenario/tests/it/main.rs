//! Tests of the language through its public face.

mod good;
mod mistakes;
mod never_panics;
mod page;
mod schema;

use scenario::{FaultPlace, FaultWord, Vocabulary};

/// A few of the words that the other crates define.
fn vocabulary() -> Vocabulary {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Vocabulary {
        faults: vec![
            dc_fault("anchor.unknown-root"),
            dc_fault("chain.missing-intermediate"),
            dc_fault("name.other-host"),
            dc_fault("time.leaf-expired"),
            dc_fault("time.leaf-not-yet-valid"),
            FaultWord {
                places: vec![FaultPlace::Dc, FaultPlace::Route],
                value: Some("a duration such as `250ms`".to_owned()),
                ..dc_fault("net.latency")
            },
            FaultWord {
                places: vec![FaultPlace::Dc, FaultPlace::Route],
                listeners: words(&["cldap", "ldap", "ldaps"]),
                ..dc_fault("net.black-hole")
            },
            FaultWord {
                places: vec![FaultPlace::Host],
                value: Some("a duration such as `36h`".to_owned()),
                listeners: Vec::new(),
                ..dc_fault("time.host-clock-behind")
            },
        ],
        is_value: |_, value| value.ends_with('s') || value.ends_with('h'),
        calls: words(&["pool.join", "pool.join_force"]),
        quirks: words(&["ping_reports_first_dc", "set_ldaps_old_value_race"]),
        facts: words(&["dns.query", "ldap.request", "ldap.result", "tls.handshake"]),
    }
}

fn dc_fault(id: &str) -> FaultWord {
    FaultWord {
        id: id.to_owned(),
        places: vec![FaultPlace::Dc],
        value: None,
        listeners: vec!["ldap".to_owned(), "ldaps".to_owned()],
    }
}

/// A sound scenario with two hosts and three DCs; more steps can be appended.
const SOUND: &str = r#"version = 1
id = "one-good-dc-among-bad"
title = "One good DC among bad ones is enough"

[world]

[[world.domain]]
name = "corp.example"
[[world.domain.dc]]
name = "dc1"
faults = ["time.leaf-expired"]
[[world.domain.dc]]
name = "dc2"
[[world.domain.dc]]
name = "dc3"

[[world.host]]
name = "host1"
[[world.host]]
name = "host2"

[[step]]
name = "install the root"
pool.install_trusted_certificate = { ca = true, cert = { root = "corp.example" } }
"#;
