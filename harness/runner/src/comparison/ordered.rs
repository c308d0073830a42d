//! CloudStack: a storage appliance believes another whose chain ends at the root that an operator has uploaded.

use super::{Change, Model};

pub(super) const MODEL: Model = Model {
    id: "ordered",
    title: "CloudStack's ordered upload of root, intermediates, server certificate and key",
    belief: "the chain that is shown ends at the uploaded root, as Java judges it: the name is not looked at",
    before: BEFORE,
    connect: "cloud.copy_template = { template = \"debian\", from = \"storage1\", to = \"storage2\" }",
    change,
    notes: &[
        "For the proxy stands the certificate that it would show: an appliance that copies knows its peer by address alone.",
    ],
};

const BEFORE: &str = r#"
[world.cloud]
chain = [
    { name = "corp", domain = "corp.example" },
    { name = "short", domain = "corp.example", faults = ["time.expires-during-run"] },
    { name = "short-ca", domain = "corp.example", faults = ["time.root-expires-during-run"] },
    { name = "misnamed", domain = "corp.example", faults = ["name.other-domain"] },
    { name = "revoked", domain = "corp.example", faults = ["revocation.leaf-revoked"] },
]
storage = [{ name = "storage1", templates = ["debian"] }, { name = "storage2" }]

[[step]]
cloud.upload = { chain = "corp", certificate = "root" }

[[step]]
cloud.upload = { chain = "corp", certificate = "intermediate" }

[[step]]
cloud.upload = { chain = "corp", certificate = "server" }
"#;

macro_rules! uploaded {
    ($chain:literal) => {
        concat!(
            "[[step]]\ncloud.upload = { chain = \"",
            $chain,
            "\", certificate = \"root\" }\n\n[[step]]\ncloud.upload = { chain = \"",
            $chain,
            "\", certificate = \"intermediate\" }\n\n[[step]]\ncloud.upload = { chain = \"",
            $chain,
            "\", certificate = \"server\" }\n\n",
        )
    };
}

fn change(change: Change) -> &'static str {
    match change {
        Change::LeafExpires => concat!(uploaded!("short"), "[[step]]\nclock.advance = \"41d\""),
        Change::CaExpires => concat!(uploaded!("short-ca"), "[[step]]\nclock.advance = \"25h\""),
        // Whoever has the CA's key gets a certificate as well as the appliance does.
        Change::KeyRotated | Change::CaCompromised => {
            r#"
[[step]]
cloud.upload = { chain = "corp", certificate = "renewed-server" }
"#
        }
        Change::NameChanged => uploaded!("misnamed"),
        // No appliance is given a revocation list.
        Change::HostRemoved => uploaded!("revoked"),
        Change::ProxyInserted => {
            r#"
[[step]]
cloud.alter = { appliance = "storage1", deed = "proxied" }
"#
        }
        Change::ClockWrong => {
            r#"
[[step]]
cloud.alter = { appliance = "storage2", deed = "clock-set-back" }
"#
        }
        Change::IntermediateMissing => {
            r#"
[[step]]
cloud.alter = { appliance = "storage1", deed = "chain-commented-out" }
"#
        }
        Change::PeerReplaced => {
            r#"
[[step]]
cloud.alter = { appliance = "storage1", deed = "replaced" }
"#
        }
    }
}
