//! Family `chain`: what the server sends is not the chain it has.

use super::FaultInfo;

pub(super) const FAULTS: &[FaultInfo] = &[FaultInfo {
    id: "chain.missing-intermediate",
    summary: "the server sends its own certificate without the intermediate",
    cause: "the intermediate was never imported into the DC's store of intermediate CAs",
    chain: "root → intermediate [not sent] → leaf\nsent: leaf",
    apply: |plan| {
        let intermediate = plan.intermediate_id();
        plan.sent.retain(|&id| id != intermediate);
    },
}];
