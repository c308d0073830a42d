//! Family `revocation`: what the CAs say about the chain in their revocation lists.
//!
//! The certificate that a list is about says where the list is: in the directory of the DC
//! (see [`crate::CrlPlan`]). Samba looks at no list but the file of `tls crlfile`, and there
//! neither at signature nor dates.

use super::FaultInfo;
use crate::{
    crl::RevocationReason,
    plan::{CertificateId, ChainPlan},
};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "revocation.leaf-revoked",
        summary: "the issuing CA has revoked the DC's certificate",
        cause: "the key was thought to be stolen, and the new certificate is not installed yet",
        chain: "root → intermediate → leaf [revoked: key compromise]\n\
                CRL of intermediate: leaf\n\
                sent: leaf, intermediate",
        apply: |plan| revoke_leaf(plan, RevocationReason::KeyCompromise),
    },
    FaultInfo {
        id: "revocation.intermediate-revoked",
        summary: "the root has revoked the issuing CA's certificate",
        cause: "the issuing CA was retired before the DCs had certificates of its successor",
        chain: "root → intermediate [revoked: superseded] → leaf\n\
                CRL of root: intermediate\n\
                sent: leaf, intermediate",
        apply: |plan| revoke(plan, plan.intermediate_id(), RevocationReason::Superseded),
    },
    FaultInfo {
        id: "revocation.certificate-hold",
        summary: "the DC's certificate is on hold",
        cause: "it was suspended while an incident is examined",
        chain: "root → intermediate → leaf [revoked: certificate hold]\n\
                CRL of intermediate: leaf\n\
                sent: leaf, intermediate",
        apply: |plan| revoke_leaf(plan, RevocationReason::CertificateHold),
    },
    FaultInfo {
        id: "revocation.removed-from-crl",
        summary: "the list names the DC's certificate as one that is revoked no longer",
        cause: "a delta list, in which a hold is lifted so, was installed as if it were a full one",
        chain: "root → intermediate → leaf [listed: remove from CRL]\n\
                CRL of intermediate: leaf\n\
                sent: leaf, intermediate",
        apply: |plan| revoke_leaf(plan, RevocationReason::RemoveFromCrl),
    },
    FaultInfo {
        id: "revocation.crl-expired",
        summary: "the next list of the issuing CA is overdue",
        cause: "the CA is switched off, or cannot write to where it publishes",
        chain: "root → intermediate → leaf\n\
                CRL of intermediate: empty [the next was due yesterday]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let issuer = point(plan);
            let now = plan.now();
            plan.crl_of(issuer).valid(now.plus_days(-9), now.plus_days(-1));
        },
    },
    FaultInfo {
        id: "revocation.crl-not-yet-valid",
        summary: "the list of the issuing CA is of tomorrow",
        cause: "the clock of the CA is ahead",
        chain: "root → intermediate → leaf\n\
                CRL of intermediate: empty [made tomorrow]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let issuer = point(plan);
            let now = plan.now();
            plan.crl_of(issuer).valid(now.plus_days(1), now.plus_days(9));
        },
    },
    FaultInfo {
        id: "revocation.crl-wrong-issuer",
        summary: "where the issuing CA's list should be is that of another CA",
        cause: "the wrong file was copied to the distribution point",
        chain: "root → intermediate → leaf\n\
                CRL of intermediate: [issued by an unrelated root] leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            revoke_leaf(plan, RevocationReason::KeyCompromise);
            let issuer = plan.issuer_of(plan.leaf_id());
            let unrelated = plan.add(plan.unrelated_root());
            plan.crl_of(issuer).issued_by(unrelated);
        },
    },
    FaultInfo {
        id: "revocation.crl-bad-signature",
        summary: "the list names the DC's certificate, but its signature is wrong",
        cause: "the list was damaged, or was written by somebody who is not the CA",
        chain: "root → intermediate → leaf\n\
                CRL of intermediate: leaf [signature broken]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            revoke_leaf(plan, RevocationReason::KeyCompromise);
            let issuer = plan.issuer_of(plan.leaf_id());
            plan.crl_of(issuer).with_bad_signature();
        },
    },
    FaultInfo {
        id: "revocation.crl-missing-when-required",
        summary: "the DC's certificate says where the list is, and there is none",
        cause: "the CA never published, or its container in the directory was cleaned up",
        chain: "root → intermediate → leaf\n\
                CRL of intermediate: [none]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let issuer = point(plan);
            plan.without_crl_of(issuer);
        },
    },
    FaultInfo {
        id: "revocation.crl-garbage",
        summary: "where the list should be is a web page",
        cause: "a proxy's error page was saved as the list, and published",
        chain: "root → intermediate → leaf\n\
                CRL of intermediate: [text that is no list]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let issuer = point(plan);
            plan.crl_of(issuer).replaced_by(*b"<html><h1>503 Service Unavailable</h1></html>\n");
        },
    },
];

/// Has the leaf say where its issuer's list is. The issuer.
fn point(plan: &mut ChainPlan) -> CertificateId {
    let leaf = plan.leaf_id();
    plan.pointing_to_its_crl(leaf);
    plan.issuer_of(leaf)
}

fn revoke_leaf(plan: &mut ChainPlan, reason: RevocationReason) {
    revoke(plan, plan.leaf_id(), reason);
}

fn revoke(plan: &mut ChainPlan, certificate: CertificateId, reason: RevocationReason) {
    let issuer = plan.issuer_of(certificate);
    let yesterday = plan.now().plus_days(-1);
    plan.pointing_to_its_crl(certificate).crl_of(issuer).revoking(certificate, yesterday, reason);
}
