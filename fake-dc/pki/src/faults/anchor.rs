//! Family `anchor`: a chain that does not end at what the hosts trust.

use super::FaultInfo;
use crate::{certificate::CertificatePlan, key::Authority};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "anchor.self-signed-leaf",
        summary: "the DC's certificate is signed by its own key",
        cause: "no CA was at hand and the administrator ran New-SelfSignedCertificate",
        chain: "leaf → leaf [signed by itself]\nsent: leaf",
        apply: |plan| {
            plan.leaf().signed_by_itself();
            plan.anchor_at(plan.leaf_id());
            plan.sent = vec![plan.leaf_id()];
        },
    },
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
];
