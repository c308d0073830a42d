//! libvirt: a client believes a server whose chain ends at the CA of its PKI directory, by the name it called.

use super::{Change, Model};

pub(super) const MODEL: Model = Model {
    id: "directory",
    title: "libvirt's PKI directory and validator, strict: no application is asked",
    belief: "the chain ends at the CA of the client's directory, the directory's list does not revoke it, and the leaf is for the name that was called",
    before: BEFORE,
    connect: r#"pki.connect = { directory = "lab", server = "host1.lab.example" }"#,
    change,
    notes: &[],
};

const BEFORE: &str = r#"
[[world.pki_directory]]
name = "lab"
ca = "ca1"

[[world.pki_server]]
name = "host1.lab.example"
ca = "ca1"
"#;

fn change(change: Change) -> &'static str {
    match change {
        Change::LeafExpires => {
            r#"
[[step]]
clock.advance = "366d"
"#
        }
        // The CA that issues ends before its own root does.
        Change::CaExpires => {
            r#"
[[step]]
pki.renew = { server = "host1.lab.example", days = 3000 }

[[step]]
clock.advance = "1900d"
"#
        }
        // Whoever has the CA's key gets a certificate as well as the server does.
        Change::KeyRotated | Change::CaCompromised => {
            r#"
[[step]]
pki.renew = { server = "host1.lab.example" }
"#
        }
        Change::NameChanged => {
            r#"
[[step]]
pki.renew = { server = "host1.lab.example", faults = ["name.other-host"] }
"#
        }
        Change::HostRemoved => {
            r#"
[[step]]
pki.revoke = { server = "host1.lab.example" }

[[step]]
pki.fetch_list = { directory = "lab" }
"#
        }
        Change::ProxyInserted => {
            r#"
[[step]]
pki.insert_proxy = { server = "host1.lab.example", ca = "ca2" }
"#
        }
        Change::ClockWrong => {
            r#"
[[step]]
pki.set_clock = { directory = "lab", behind = "730d" }
"#
        }
        Change::IntermediateMissing => {
            r#"
[[step]]
pki.renew = { server = "host1.lab.example", faults = ["chain.missing-intermediate"] }
"#
        }
        Change::PeerReplaced => {
            r#"
[[step]]
pki.renew = { server = "host1.lab.example", faults = ["anchor.self-signed-leaf"] }
"#
        }
    }
}
