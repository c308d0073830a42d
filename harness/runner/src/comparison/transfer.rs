//! xapi between pools: a pool believes the coordinator of another whose certificate it has been handed.

use super::{Change, Model};

pub(super) const MODEL: Model = Model {
    id: "transfer",
    title: "xapi's transfer of trusted certificates between pools: `pool.sync_trusted_certificates_from`",
    belief: "the other coordinator shows the subject and the key of the certificate that the operator has read there and handed over, as stunnel compares them: no issuer, no date",
    before: BEFORE,
    connect: r#"pool.sync_trusted_certificates_from = { remote_host = "host9", remote_certificate = { read_by = "the operator reads the certificate of the other coordinator" } }"#,
    change,
    notes: &[
        "The hosts of one pool believe each other in the same way, by the certificates of the pool that they were given.",
        "The operator hands over what he has read before the change. Who reads it again hands over the new one, whoever shows it.",
        "Dates are looked at where a certificate that was transferred is installed, and not on the way.",
        "The other coordinator has a certificate of a CA, so that there is one that can expire or be compromised; the one that \
         xapi makes by itself is self-signed.",
        "Where TLS verification is off on the calling host, xapi checks nothing here (quirk `sync_unverified_when_tls_off`): every call goes on.",
    ],
};

const BEFORE: &str = r#"
[[world.domain]]
name = "corp.example"
dc = [{ name = "dc1" }]

[[world.host]]
name = "host1"

[[world.host]]
name = "host9"
pool = "pool9"

[[step]]
name = "the other pool trusts a CA"
on = "host9"
pool.install_trusted_certificate = { ca = true, cert = { root = "corp.example" }, purpose = ["ldaps"] }

[[step]]
name = "its coordinator has a certificate of a CA"
pki.renew = { host = "host9", ca = "ca1" }

[[step]]
name = "the operator reads the certificate of the other coordinator"
on = "host9"
host.get_server_certificate = { host = "host9" }
"#;

fn change(change: Change) -> &'static str {
    match change {
        Change::LeafExpires => {
            r#"
[[step]]
pki.renew = { host = "host9", ca = "ca1", keep_key = true, faults = ["time.leaf-expired"] }
"#
        }
        Change::CaExpires => {
            r#"
[[step]]
pki.renew = { host = "host9", ca = "ca1", keep_key = true, faults = ["time.root-expired"] }
"#
        }
        // Whoever has the CA's key gets a certificate as well as the coordinator does.
        Change::KeyRotated | Change::CaCompromised => {
            r#"
[[step]]
pki.renew = { host = "host9", ca = "ca1" }
"#
        }
        Change::NameChanged => {
            r#"
[[step]]
pki.renew = { host = "host9", ca = "ca1", keep_key = true, faults = ["name.other-host"] }
"#
        }
        // No list is asked.
        Change::HostRemoved => {
            r#"
[[step]]
pki.revoke = { host = "host9" }
"#
        }
        Change::ProxyInserted => {
            r#"
[[step]]
pki.insert_proxy = { host = "host9", ca = "ca2" }
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
pki.renew = { host = "host9", ca = "ca1", keep_key = true, faults = ["chain.missing-intermediate"] }
"#
        }
        Change::PeerReplaced => {
            r#"
[[step]]
pki.renew = { host = "host9", ca = "ca1", faults = ["anchor.self-signed-leaf"] }
"#
        }
    }
}
