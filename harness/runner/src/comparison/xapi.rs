//! xapi: a host believes a domain controller whose chain ends at a certificate installed for LDAPS.

use super::{Change, Model};

pub(super) const MODEL: Model = Model {
    id: "xapi",
    title: "xapi's LDAPS with external authentication: CA bundles by purpose",
    belief: "the chain ends at a certificate that was installed for the purpose `ldaps`, and the leaf is for the DC's name",
    before: BEFORE,
    connect: "pool.external_auth_set_ldaps = { ldaps = true, force = true }",
    change,
    notes: &[],
};

const BEFORE: &str = r#"
[[world.domain]]
name = "corp.example"
dc = [{ name = "dc1", faults = ["time.root-expires-during-run"] }]

[[world.host]]
name = "host1"

[[step]]
name = "the root of the DC's chain is installed"
pool.install_trusted_certificate = { ca = true, cert = { ca_of = "dc1" }, purpose = ["ldaps"] }

[[step]]
name = "the host joins over LDAPS"
pool.enable_external_auth = { service_name = "corp.example", auth_type = "AD", config = { user = "Administrator", pass = "Passw0rd!Lab1", ldaps = "true" } }
"#;

fn change(change: Change) -> &'static str {
    match change {
        Change::LeafExpires => {
            r#"
[[step]]
dc.set_faults = { dc = "dc1", faults = ["time.leaf-expired"] }
"#
        }
        Change::CaExpires => {
            r#"
[[step]]
clock.advance = "25h"
"#
        }
        Change::KeyRotated => {
            r#"
[[step]]
dc.set_faults = { dc = "dc1", faults = ["algorithm.rsa-3072"] }
"#
        }
        Change::NameChanged => {
            r#"
[[step]]
dc.set_faults = { dc = "dc1", faults = ["name.renamed-dc"] }
"#
        }
        // The CA revokes the certificate, and the pool has the list: Samba is given none.
        Change::HostRemoved => {
            r#"
[[step]]
dc.set_faults = { dc = "dc1", faults = ["revocation.leaf-revoked"] }
"#
        }
        // Whoever has the CA's key enrols as well as the DC does.
        Change::CaCompromised => {
            r#"
[[step]]
dc.set_faults = { dc = "dc1", faults = ["algorithm.rsa-3072"] }
"#
        }
        Change::ProxyInserted => {
            r#"
[[step]]
pki.insert_proxy = { dc = "dc1", ca = "ca2" }
"#
        }
        Change::ClockWrong => {
            r#"
[[step]]
host.set_faults = { host = "host1", faults = ["time.host-clock-behind:730d"] }
"#
        }
        Change::IntermediateMissing => {
            r#"
[[step]]
dc.set_faults = { dc = "dc1", faults = ["chain.missing-intermediate"] }
"#
        }
        Change::PeerReplaced => {
            r#"
[[step]]
dc.set_faults = { dc = "dc1", faults = ["anchor.self-signed-leaf"] }
"#
        }
    }
}
