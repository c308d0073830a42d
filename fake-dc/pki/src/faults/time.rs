//! Family `time`: validity that does not hold now.

use super::FaultInfo;

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "time.leaf-expired",
        summary: "the DC's certificate ended 30 days ago",
        cause: "auto-enrolment failed (template withdrawn, CA offline) and nobody looked",
        chain: "root → intermediate → leaf [ended 30 days ago]\nsent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.leaf().valid(now.plus_days(-395), now.plus_days(-30));
        },
    },
    FaultInfo {
        id: "time.leaf-not-yet-valid",
        summary: "the DC's certificate starts in 30 days",
        cause: "it was issued by a CA whose clock is ahead, or installed before its time",
        chain: "root → intermediate → leaf [starts in 30 days]\nsent: leaf, intermediate",
        apply: |plan| {
            let now = plan.now();
            plan.leaf().valid(now.plus_days(30), now.plus_days(395));
        },
    },
];
