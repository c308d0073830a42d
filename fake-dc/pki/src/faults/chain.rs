//! Family `chain`: each certificate is sound, but what the server sends is not the chain it has.

use super::FaultInfo;
use crate::{
    certificate::{BasicConstraints, CertificatePlan, Extension},
    der::Element,
    key::{Authority, KeyOwner},
    oid,
    plan::{CertificateId, ChainPlan, Sent},
};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "chain.missing-intermediate",
        summary: "the server sends its own certificate without the intermediate",
        cause: "the intermediate was never imported into the DC's store of intermediate CAs",
        chain: "root → intermediate [not sent] → leaf\n\
                sent: leaf",
        apply: |plan| {
            let intermediate = Sent::from(plan.intermediate_id());
            plan.sent.retain(|sent| *sent != intermediate);
        },
    },
    FaultInfo {
        id: "chain.leaf-only-aia",
        summary: "the intermediate is not sent, only the URL to fetch it from",
        cause: "as a missing intermediate, unnoticed because Windows clients follow the URL",
        chain: "root → intermediate [not sent] → leaf [URL of the intermediate]\n\
                sent: leaf",
        apply: |plan| {
            let url = format!("http://pki.{}/issuing-ca.crt", plan.domain());
            plan.leaf().with(ca_issuers(&url));
            plan.send_only([plan.leaf_id()]);
        },
    },
    FaultInfo {
        id: "chain.root-included",
        summary: "the server sends the root, too",
        cause: "the full chain was exported and imported as one file",
        chain: "root → intermediate → leaf\n\
                sent: leaf, intermediate, root [superfluous]",
        apply: send_root,
    },
    FaultInfo {
        id: "chain.reversed",
        summary: "the CA certificates follow the leaf in reverse order",
        cause: "the chain was put together by hand, root first",
        chain: "root → intermediate → leaf\n\
                sent: leaf, root, intermediate [wrong order]",
        apply: |plan| {
            send_root(plan);
            if let [_, authorities @ ..] = plan.sent.as_mut_slice() {
                authorities.reverse();
            }
        },
    },
    FaultInfo {
        id: "chain.duplicate",
        summary: "the intermediate is sent twice",
        cause: "a chain file that already held it was appended to the intermediate",
        chain: "root → intermediate → leaf\n\
                sent: leaf, intermediate, intermediate [again]",
        apply: |plan| insert_behind_intermediate(plan, plan.intermediate_id()),
    },
    FaultInfo {
        id: "chain.extra-unrelated",
        summary: "a CA certificate that has nothing to do with the chain is sent last",
        cause: "a bundle of all CAs of the company was configured as the chain",
        chain: "root → intermediate → leaf\n\
                unrelated root\n\
                sent: leaf, intermediate, unrelated root [superfluous]",
        apply: |plan| {
            let unrelated = plan.add(plan.unrelated_root());
            plan.send_last(unrelated);
        },
    },
    FaultInfo {
        id: "chain.wrong-intermediate-same-subject",
        summary: "the intermediate that is sent has the right name and the wrong key",
        cause: "the issuing CA was renewed with a new key, and the DC sends the other generation",
        chain: "root → intermediate [not sent] → leaf\n\
                root → intermediate of the same name [other key]\n\
                sent: leaf, intermediate of the same name",
        apply: |plan| {
            let right = plan.intermediate_id();
            let mut wrong = plan.certificate(right).clone();
            wrong.keyed(KeyOwner::Authority(Authority::NamesakeIntermediate));
            let wrong = plan.add(wrong);
            for sent in plan.sent.iter_mut().filter(|sent| **sent == right.into()) {
                *sent = wrong.into();
            }
        },
    },
    FaultInfo {
        id: "chain.expired-twin-first",
        summary: "the expired predecessor of the intermediate is sent before the valid one",
        cause: "the issuing CA was renewed with its key, and the DC's store kept both certificates",
        chain: "root → old intermediate [ended 30 days ago, same name and key] → leaf\n\
                root → intermediate → leaf\n\
                sent: leaf, old intermediate, intermediate",
        apply: |plan| {
            let twin = expired_twin(plan);
            let at = position_of_intermediate(plan);
            plan.sent.insert(at, twin.into());
        },
    },
    FaultInfo {
        id: "chain.expired-twin-last",
        summary: "the expired predecessor of the intermediate is sent behind the valid one",
        cause: "the issuing CA was renewed with its key, and the DC's store kept both certificates",
        chain: "root → intermediate → leaf\n\
                root → old intermediate [ended 30 days ago, same name and key] → leaf\n\
                sent: leaf, intermediate, old intermediate",
        apply: |plan| {
            let twin = expired_twin(plan);
            insert_behind_intermediate(plan, twin);
        },
    },
    FaultInfo {
        id: "chain.too-long",
        summary: "17 certificates are sent: one more than GnuTLS takes",
        cause: "none was seen in the field; it shows where the limit is",
        chain: "root → intermediate → CA 2 → … → CA 16 → leaf\n\
                sent: leaf, CA 16, …, CA 2, intermediate [17 in all]",
        apply: |plan| {
            plan.intermediate().constrained(BasicConstraints::Ca(None));
            let mut issuer = plan.intermediate_id();
            for level in 2..=16 {
                let name = format!("{} Issuing CA {level}", plan.domain());
                let mut authority = CertificatePlan::intermediate(
                    Authority::Intermediate,
                    &name,
                    plan.domain(),
                    issuer,
                    plan.founded(),
                );
                authority.constrained(BasicConstraints::Ca(None)).keyed(KeyOwner::Named(name));
                issuer = plan.add(authority);
                // So that the order ends up as the chain is.
                plan.send_behind_leaf(issuer);
            }
            plan.leaf().signed_by(issuer);
        },
    },
];

fn send_root(plan: &mut ChainPlan) {
    let root = plan.anchor_id();
    if plan.place_of(root).is_none() {
        plan.send_last(root);
    }
}

/// Where the intermediate is in the sent order; behind the leaf if it is not sent.
fn position_of_intermediate(plan: &ChainPlan) -> usize {
    plan.place_of(plan.intermediate_id()).unwrap_or(plan.sent.len().min(1))
}

fn insert_behind_intermediate(plan: &mut ChainPlan, id: CertificateId) {
    let behind = (position_of_intermediate(plan) + 1).min(plan.sent.len());
    plan.sent.insert(behind, id.into());
}

fn expired_twin(plan: &mut ChainPlan) -> CertificateId {
    let now = plan.now();
    let mut twin = plan.intermediate().clone();
    twin.valid(now.plus_days(-5 * 365), now.plus_days(-30));
    plan.add(twin)
}

/// Authority information access with one `caIssuers` URL (RFC 5280, section 4.2.2.1).
fn ca_issuers(url: &str) -> Extension {
    let method = Element::object_identifier(oid::CA_ISSUERS);
    let location = Element::context(6, url);
    let descriptions = Element::sequence([Element::sequence([method, location])]);
    Extension::new(oid::AUTHORITY_INFO_ACCESS, descriptions)
}
