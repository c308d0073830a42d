//! Pinned keys: a manager believes the agent whose public key it took at deployment.

use super::{Change, Model};

pub(super) const MODEL: Model = Model {
    id: "pinned",
    title: "oVirt's pinned keys: the peer's public key, and no PKI",
    belief: "the agent owns the key that the manager took at deployment; nothing else of its certificate is looked at",
    before: BEFORE,
    connect: r#"pinned.connect = { manager = "manager1", agent = "agent1" }"#,
    change,
    notes: &[],
};

const BEFORE: &str = r#"
[[world.manager]]
name = "manager1"

[[world.agent]]
name = "agent1"
deployed_by = ["manager1"]

[[step]]
name = "a CA's certificate for the agent's key"
pinned.present = { agent = "agent1", certificate = "from-ca" }
"#;

fn change(change: Change) -> &'static str {
    match change {
        Change::LeafExpires => {
            r#"
[[step]]
pinned.present = { agent = "agent1", certificate = "expired" }
"#
        }
        Change::CaExpires => {
            r#"
[[step]]
clock.advance = "3649d"
"#
        }
        // The manager is the one that calls.
        Change::ClockWrong => {
            r#"
[[step]]
pinned.set_clock = { manager = "manager1", behind = "730d" }
"#
        }
        Change::KeyRotated => {
            r#"
[[step]]
pinned.rotate_agent = { manager = "manager1", agent = "agent1" }
"#
        }
        Change::NameChanged => {
            r#"
[[step]]
pinned.present = { agent = "agent1", certificate = "misnamed" }
"#
        }
        Change::HostRemoved => {
            r#"
[[step]]
pinned.remove = { manager = "manager1", agent = "agent1" }
"#
        }
        // Whoever has the CA's key has a certificate of it for the agent's name.
        Change::CaCompromised => {
            r#"
[[step]]
pinned.present = { agent = "agent1", certificate = "from-ca", key = "other" }
"#
        }
        Change::ProxyInserted => {
            r#"
[[step]]
pinned.insert_proxy = { agent = "agent1" }
"#
        }
        // Of the chain nothing is sent but the agent's key.
        Change::IntermediateMissing => {
            r#"
[[step]]
pinned.present = { agent = "agent1", certificate = "self-signed" }
"#
        }
        Change::PeerReplaced => {
            r#"
[[step]]
pinned.present = { agent = "agent1", certificate = "self-signed", key = "other" }
"#
        }
    }
}
