//! Family `name`: a certificate that speaks of something else than the DC's DNS name.

use super::FaultInfo;

pub(super) const FAULTS: &[FaultInfo] = &[FaultInfo {
    id: "name.other-host",
    summary: "the certificate is for another host of the domain",
    cause: "the certificate of another server was imported, or a DC was cloned with its store",
    chain: "root → intermediate → leaf [CN and SAN: other.<domain>]\nsent: leaf, intermediate",
    apply: |plan| {
        let other = format!("other.{}", plan.domain());
        plan.leaf().named(&other).also_named([other]);
    },
}];
