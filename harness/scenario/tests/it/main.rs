//! Tests of the language through its public face.

mod good;
mod mistakes;
mod never_panics;
mod page;
mod schema;

use scenario::Vocabulary;

/// A few of the words that the other crates define.
fn vocabulary() -> Vocabulary {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Vocabulary {
        faults: words(&[
            "anchor.unknown-root",
            "chain.missing-intermediate",
            "name.other-host",
            "time.leaf-expired",
            "time.leaf-not-yet-valid",
        ]),
        quirks: words(&["ping_reports_first_dc", "set_ldaps_old_value_race"]),
        facts: words(&["dns.query", "ldap.request", "ldap.result", "tls.handshake"]),
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
