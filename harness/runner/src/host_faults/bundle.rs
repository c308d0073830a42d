//! Family `anchor` on the host: the files that say whom it trusts are not what they should be.
//!
//! Each fault treats the bundle that LDAPS uses (xapi-flows.md §2.4): the one for `ldaps`, or the
//! general one if there is none.

use sim_host::GENERAL_BUNDLE;

use super::{Hand, HostFaultError, HostFaultInfo};

/// The system's own bundle on XenServer, which `tls trust system cas = yes` adds.
const SYSTEM_BUNDLE: &str = "/etc/pki/tls/certs/ca-bundle.crt";
/// The store of certificates for the licence server.
const LICENSING: &str = "/etc/trusted-certs/ca-licensing";
const LICENSING_BUNDLE: &str = "/etc/trusted-certs/ca-bundle-licensing.pem";

pub(super) const FAULTS: &[HostFaultInfo] = &[
    HostFaultInfo {
        id: "anchor.right-root-in-wrong-purpose",
        summary: "the right root was installed for licensing, not for LDAPS",
        cause: "the certificate was uploaded in the dialog of the licence server",
        drawing: "ca-bundle-ldaps.pem      [absent]\n\
                  ca-bundle-licensing.pem  root\n\
                  sent: leaf, intermediate",
        default_value: None,
        together_with: &[],
        apply: |hand, _| move_to_licensing(hand),
    },
    HostFaultInfo {
        id: "anchor.empty-bundle",
        summary: "the bundle exists and is empty",
        cause: "the disk was full while the bundle was written, or somebody emptied it to be rid of it",
        drawing: "ca-bundle-ldaps.pem  [0 bytes]\n\
                  sent: leaf, intermediate",
        default_value: None,
        together_with: &[],
        apply: |hand, _| {
            let bundle = hand.bundle()?;
            hand.write(bundle, b"")
        },
    },
    HostFaultInfo {
        id: "anchor.bundle-missing",
        summary: "smb.conf names a bundle that is not there",
        cause: "somebody tidied up below /etc, or a restore from backup left the folder out",
        drawing: "ca-bundle-ldaps.pem  [absent]\n\
                  sent: leaf, intermediate",
        default_value: None,
        together_with: &[],
        apply: |hand, _| {
            let bundle = hand.bundle()?;
            hand.remove(bundle)
        },
    },
    HostFaultInfo {
        id: "anchor.bundle-holds-leaf",
        summary: "the bundle holds the DC's own certificate instead of its CA",
        cause: "the certificate was saved from a browser or from openssl s_client, which show the leaf first",
        drawing: "ca-bundle-ldaps.pem  leaf [not the root]\n\
                  sent: leaf, intermediate",
        default_value: None,
        together_with: &[],
        apply: |hand, _| {
            let leaves = hand.leaves();
            replace(hand, leaves)
        },
    },
    HostFaultInfo {
        id: "anchor.bundle-holds-intermediate-only",
        summary: "the bundle holds the issuing CA but not the root",
        cause: "the issuing CA was exported because its name stands in the DC's certificate",
        drawing: "ca-bundle-ldaps.pem  intermediate [the root is missing]\n\
                  sent: leaf, intermediate",
        default_value: None,
        together_with: &[],
        apply: |hand, _| {
            let intermediate = hand.intermediate()?;
            replace(hand, intermediate)
        },
    },
    HostFaultInfo {
        id: "anchor.bundle-broken-pem",
        summary: "the only certificate of the bundle cannot be decoded",
        cause: "the text passed through an e-mail or an editor that changed a character",
        drawing: "ca-bundle-ldaps.pem  root [one character is not base64]\n\
                  sent: leaf, intermediate",
        default_value: None,
        together_with: &[],
        apply: |hand, _| {
            let broken = broken(&hand.bundle_content()?);
            replace(hand, broken)
        },
    },
    HostFaultInfo {
        id: "anchor.bundle-mixed-good-and-broken",
        summary: "a certificate that cannot be decoded stands behind the right one",
        cause: "a second certificate was appended by hand and damaged on the way",
        drawing: "ca-bundle-ldaps.pem  root, another certificate [one character is not base64]\n\
                  sent: leaf, intermediate",
        default_value: None,
        together_with: &[],
        apply: |hand, _| {
            let content = hand.bundle_content()?;
            let mixed = [content.clone(), broken(&content).into_bytes()].concat();
            replace(hand, String::from_utf8_lossy(&mixed).into_owned())
        },
    },
    HostFaultInfo {
        id: "anchor.trusted-by-system-store-only",
        summary: "the system's store has the root, the bundles of xapi do not",
        cause: "the root was added with update-ca-trust, as on any other machine",
        drawing: "ca-bundle-ldaps.pem              [absent]\n\
                  /etc/pki/tls/certs/ca-bundle.crt root\n\
                  sent: leaf, intermediate",
        default_value: None,
        together_with: &[],
        apply: |hand, _| {
            let (bundle, content) = (hand.bundle()?, hand.bundle_content()?);
            let system = hand.root.read_if_present(SYSTEM_BUNDLE)?.unwrap_or_default();
            hand.write(SYSTEM_BUNDLE, &[system, content].concat())?;
            hand.remove(bundle)
        },
    },
    HostFaultInfo {
        id: "anchor.self-signed-leaf-in-bundle",
        summary: "the bundle holds the self-signed certificate that the DC shows",
        cause: "there is no CA, and the administrator installed the DC's certificate as if it were one",
        drawing: "ca-bundle-ldaps.pem  leaf\n\
                  leaf → leaf [signed by itself]\n\
                  sent: leaf",
        default_value: None,
        together_with: &["anchor.self-signed-leaf"],
        apply: |hand, _| {
            let leaves = hand.self_signed_leaves()?;
            replace(hand, leaves)
        },
    },
];

fn replace(hand: &mut Hand<'_>, content: String) -> Result<(), HostFaultError> {
    let bundle = hand.bundle()?;
    hand.write(bundle, content.as_bytes())
}

/// The bundle, and the certificates it was made of, as if the upload had named the other purpose.
fn move_to_licensing(hand: &mut Hand<'_>) -> Result<(), HostFaultError> {
    let (bundle, content) = (hand.bundle()?, hand.bundle_content()?);
    let purpose = if bundle == GENERAL_BUNDLE { "general" } else { "ldaps" };
    let folder = format!("/etc/trusted-certs/ca-{purpose}");
    let mut names = hand.root.list(&folder)?;
    // The links to them are of no account.
    names.retain(|name| name.ends_with(".pem"));
    for name in names {
        let path = format!("{folder}/{name}");
        let certificate = hand.root.read(&path)?;
        hand.write(&format!("{LICENSING}/{name}"), &certificate)?;
        hand.remove(&path)?;
    }
    hand.write(LICENSING_BUNDLE, &content)?;
    hand.remove(bundle)
}

/// The text with a character in its first certificate that no base64 has.
fn broken(bundle: &[u8]) -> String {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
    let text = String::from_utf8_lossy(bundle);
    match text.split_once(BEGIN) {
        Some((before, data)) => {
            let rest: String = data.chars().skip(1).collect();
            format!("{before}{BEGIN}*{rest}")
        }
        None => text.into_owned(),
    }
}
