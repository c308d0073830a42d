//! Family `anchor`: a chain that does not end at what the hosts trust.
//!
//! "The bundle" is what a host has when it trusts the domain's root and nothing else.

use super::FaultInfo;
use crate::{certificate::CertificatePlan, key::Authority};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "anchor.unknown-root",
        summary: "the chain leads to a root that was never given to the hosts",
        cause: "the DC enrolled with a second CA (lab, or a new one) that nobody told the hosts of",
        chain: "unknown root [not in the bundle] → its intermediate → leaf\n\
                sent: leaf, its intermediate",
        apply: |plan| {
            *plan.anchor() = plan.unknown_root();
            *plan.intermediate() = CertificatePlan::intermediate(
                Authority::UnknownIntermediate,
                &format!("{} Lab Issuing CA", plan.domain()),
                plan.domain(),
                plan.anchor_id(),
                plan.founded(),
            );
        },
    },
    FaultInfo {
        id: "anchor.self-signed-leaf",
        summary: "the DC's certificate is signed by its own key",
        cause: "no CA was at hand and the administrator ran New-SelfSignedCertificate",
        chain: "leaf → leaf [signed by itself]\n\
                sent: leaf",
        apply: |plan| {
            plan.leaf().signed_by_itself();
            plan.anchor_at(plan.leaf_id());
            plan.send_only([plan.leaf_id()]);
        },
    },
    FaultInfo {
        id: "anchor.same-name-other-key",
        summary: "the chain leads to a root of the same subject with another key",
        cause: "the CA was set up again under its old name after a loss, with a new key",
        chain: "root of the same name [other key than in the bundle] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| *plan.anchor() = plan.namesake_root(),
    },
    FaultInfo {
        id: "anchor.same-key-renewed",
        summary: "the root was renewed with its key; the DC sends the same bytes as before",
        cause: "the root neared its end and was renewed the easy way; hosts still have the old one",
        chain: "root [new dates, same name and key as in the bundle] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.anchor().valid(now.plus_days(-1), now.plus_days(20 * 365));
        },
    },
    FaultInfo {
        id: "anchor.cross-signed-old-root-removed",
        summary: "the DC also sends the root as signed by an older root that hosts do not trust",
        cause: "a migration to a new root: the cross-certificate is still published, the old root \
                was removed from the bundles",
        chain: "old root [not in the bundle] → cross-certificate of the root → intermediate → leaf\n\
                root [in the bundle] → intermediate → leaf\n\
                sent: leaf, intermediate, cross-certificate",
        apply: |plan| {
            let old_root = plan.add(plan.old_root());
            let mut cross = plan.anchor().clone();
            cross.signed_by(old_root);
            let cross = plan.add(cross);
            plan.send_last(cross);
        },
    },
];
