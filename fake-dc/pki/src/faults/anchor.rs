//! Family `anchor`: a chain that does not end at what the hosts trust.
//!
//! "The bundle" is what a host has when it trusts the domain's root and nothing else.

use super::FaultInfo;
use crate::{
    certificate::CertificatePlan,
    extension::{BasicConstraints, Extension, KeyUsage},
    key::Authority,
    oid,
    plan::ChainPlan,
};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "anchor.unknown-root",
        summary: "the chain leads to a root that was never given to the hosts",
        cause: "the DC enrolled with a second CA (lab, or a new one) that nobody told the hosts of",
        chain: "unknown root [not in the bundle] → its intermediate → leaf\n\
                sent: leaf, its intermediate",
        apply: lead_to_unknown_root,
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
    FaultInfo {
        id: "anchor.unknown-root-sent",
        summary: "the chain leads to an unknown root, which the server sends along",
        cause: "the second CA's full chain was imported: no client may trust a root because \
                it is sent",
        chain: "unknown root [not in the bundle] → its intermediate → leaf\n\
                sent: leaf, its intermediate, unknown root",
        apply: |plan| {
            lead_to_unknown_root(plan);
            let root = plan.anchor_id();
            plan.send_last(root);
        },
    },
    FaultInfo {
        id: "anchor.self-signed-ca-leaf",
        summary: "the DC's certificate is signed by its own key and says that it is a CA",
        cause: "`openssl req -x509` was run with its defaults, or the DC was made its own CA",
        chain: "leaf → leaf [signed by itself, CA:TRUE]\n\
                sent: leaf",
        apply: |plan| {
            plan.leaf().signed_by_itself().constrained(BasicConstraints::Ca(None));
            plan.anchor_at(plan.leaf_id());
            plan.send_only([plan.leaf_id()]);
        },
    },
    FaultInfo {
        id: "anchor.root-version-1",
        summary: "the root is a certificate of version 1, without extensions",
        cause: "a root of the nineties, or of a script that calls `openssl x509 -req` without \
                extensions",
        chain: "root [version 1] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().of_version(1).without_extensions();
        },
    },
    FaultInfo {
        id: "anchor.root-not-ca",
        summary: "the root says that it is no CA",
        cause: "a self-signed server certificate was used to sign others",
        chain: "root [CA:FALSE] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().constrained(BasicConstraints::NotCa);
        },
    },
    FaultInfo {
        id: "anchor.root-without-basic-constraints",
        summary: "the root does not say that it is a CA",
        cause: "a home-made CA script that knows nothing of extensions",
        chain: "root [no basic constraints] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().constrained(BasicConstraints::Absent);
        },
    },
    FaultInfo {
        id: "anchor.root-without-cert-sign",
        summary: "the root's key may not sign certificates",
        cause: "a template for servers was used for the root",
        chain: "root [key usage without keyCertSign] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().usable_for([KeyUsage::DigitalSignature, KeyUsage::CrlSign]);
        },
    },
    FaultInfo {
        id: "anchor.root-path-length-zero",
        summary: "the root allows no CA below it, and there is one",
        cause: "the root was planned to issue to servers itself; the issuing CA came later",
        chain: "root [path length 0] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().constrained(BasicConstraints::Ca(Some(0)));
        },
    },
    FaultInfo {
        id: "anchor.root-name-constraints",
        summary: "the root may issue for another domain only",
        cause: "a private root was bound to the first domain of the company, and a second one \
                came",
        chain: "root [permitted: merged.example] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().permitting("merged.example");
        },
    },
    FaultInfo {
        id: "anchor.root-unknown-critical-extension",
        summary: "the root has a critical extension that no client knows",
        cause: "an extension of the company's own in CAPolicy.inf, marked as critical",
        chain: "root [critical 1.3.6.1.4.1.99999.1] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().with(Extension::of_the_company().critical());
        },
    },
    FaultInfo {
        id: "anchor.root-without-key-id",
        summary: "the root has no key identifiers",
        cause: "a root made by hand, or by an old tool",
        chain: "root [no key identifiers] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().without(oid::SUBJECT_KEY_ID).without(oid::AUTHORITY_KEY_ID);
        },
    },
];

fn lead_to_unknown_root(plan: &mut ChainPlan) {
    *plan.anchor() = plan.unknown_root();
    *plan.intermediate() = CertificatePlan::intermediate(
        Authority::UnknownIntermediate,
        &format!("{} Lab Issuing CA", plan.domain()),
        plan.domain(),
        plan.anchor_id(),
        plan.founded(),
    );
}
