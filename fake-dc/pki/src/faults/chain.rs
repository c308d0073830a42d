//! Family `chain`: each certificate is sound, but what the server sends is not the chain it has.

use super::FaultInfo;
use crate::{
    certificate::CertificatePlan,
    der::Element,
    extension::{BasicConstraints, Extension},
    key::{Authority, KeyOwner},
    name::Spelling,
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
    FaultInfo {
        id: "chain.leaf-last",
        summary: "the CA certificate is sent first and the DC's own last",
        cause: "the chain was put together by hand, the CA first",
        chain: "root → intermediate → leaf\n\
                sent: intermediate, leaf [in the wrong place]",
        apply: |plan| {
            plan.sent.reverse();
        },
    },
    FaultInfo {
        id: "chain.leaf-twice",
        summary: "the DC's certificate is sent twice",
        cause: "a chain file that already held it was appended to it",
        chain: "root → intermediate → leaf\n\
                sent: leaf, leaf [again], intermediate",
        apply: |plan| {
            let leaf = plan.leaf_id();
            plan.send_behind_leaf(leaf);
        },
    },
    FaultInfo {
        id: "chain.extra-unrelated-leaf",
        summary: "the certificate of another server stands between the DC's and its CA's",
        cause: "two servers' files were concatenated",
        chain: "root → intermediate → leaf\n\
                root → intermediate → leaf of other.corp.example\n\
                sent: leaf, leaf of other.corp.example [superfluous], intermediate",
        apply: |plan| {
            let mut other = plan.leaf().clone();
            let name = format!("other.{}", plan.domain());
            other
                .named(&name)
                .also_named([name.as_str()])
                .keyed(KeyOwner::Named("other".to_owned()));
            let other = plan.add(other);
            plan.send_behind_leaf(other);
        },
    },
    FaultInfo {
        id: "chain.extra-unparsable",
        summary: "the last entry of what is sent is no certificate",
        cause: "a key, or a text, was pasted into the chain file and encoded along with it",
        chain: "root → intermediate → leaf\n\
                sent: leaf, intermediate, bytes that are no certificate [unparsable]",
        apply: |plan| {
            plan.send_last(Sent::Bytes(b"this is no certificate".to_vec()));
        },
    },
    FaultInfo {
        id: "chain.extra-cut",
        summary: "the last entry of what is sent is a certificate that was cut off",
        cause: "a file transfer that stopped, or a field of a database that was too short",
        chain: "root → intermediate → leaf\n\
                sent: leaf, intermediate, the first 100 octets of a certificate [cut]",
        apply: |plan| {
            // SEQUENCE of 0x0312 octets, of which 96 are there.
            plan.send_last(Sent::Bytes(
                [&[0x30, 0x82, 0x03, 0x12], [0x30; 96].as_slice()].concat(),
            ));
        },
    },
    FaultInfo {
        id: "chain.empty-entry",
        summary: "the last entry of what is sent has no octets at all",
        cause: "an appliance that reserves a place for a CA certificate which nobody uploaded",
        chain: "root → intermediate → leaf\n\
                sent: leaf, intermediate, nothing [empty]",
        apply: |plan| {
            plan.send_last(Sent::Bytes(Vec::new()));
        },
    },
    FaultInfo {
        id: "chain.bytes-behind-leaf",
        summary: "a line feed follows the DC's certificate within its entry",
        cause: "a DER file that was opened and saved in an editor",
        chain: "root → intermediate → leaf [one octet behind it]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().followed_by(*b"\n");
        },
    },
    FaultInfo {
        id: "chain.bytes-behind-intermediate",
        summary: "a line feed follows the intermediate within its entry",
        cause: "a DER file that was opened and saved in an editor",
        chain: "root → intermediate [one octet behind it] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().followed_by(*b"\n");
        },
    },
    FaultInfo {
        id: "chain.issuer-spelt-otherwise",
        summary: "the issuer's name is another kind of string in the DC's certificate than in \
                the intermediate",
        cause: "a CA that writes PrintableString below one that writes UTF8String",
        chain: "root → intermediate [UTF8String] → leaf [issuer as PrintableString]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let mut issuer = plan.intermediate().subject().clone();
            issuer.spell_in(Spelling::Printable);
            plan.leaf().claiming_issuer(issuer);
        },
    },
    FaultInfo {
        id: "chain.root-spelt-otherwise",
        summary: "the root's name is another kind of string in the intermediate than in the root",
        cause: "a CA that writes PrintableString below one that writes UTF8String; GnuTLS looks \
                for roots by the bytes of their names",
        chain: "root [UTF8String] → intermediate [issuer as PrintableString] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let mut issuer = plan.anchor().subject().clone();
            issuer.spell_in(Spelling::Printable);
            plan.intermediate().claiming_issuer(issuer);
        },
    },
    FaultInfo {
        id: "chain.issuer-letter-case",
        summary: "the issuer's name is in capitals in the DC's certificate and not in the \
                intermediate",
        cause: "the CA was set up again with its name typed anew",
        chain: "root → intermediate → leaf [issuer in capitals]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let issuer = plan.intermediate().subject().clone().in_capitals();
            plan.leaf().claiming_issuer(issuer);
        },
    },
    FaultInfo {
        id: "chain.twin-of-other-root-first",
        summary: "the intermediate as signed by an unknown root is sent before the one of the \
                right root",
        cause: "a cross-certified issuing CA: the path that is tried first is a dead end",
        chain: "unknown root [not in the bundle] → intermediate → leaf\n\
                root → intermediate → leaf\n\
                sent: leaf, intermediate of the unknown root, intermediate",
        apply: |plan| {
            let unknown = plan.add(plan.unknown_root());
            let mut twin = plan.intermediate().clone();
            twin.signed_by(unknown);
            let twin = plan.add(twin);
            let at = position_of_intermediate(plan);
            plan.sent.insert(at, twin.into());
        },
    },
    FaultInfo {
        id: "chain.without-key-ids",
        summary: "neither the DC's certificate nor the intermediate has a key identifier",
        cause: "a CA made by hand, or by an old tool",
        chain: "root → intermediate → leaf [no key identifiers in either]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let key_ids = [oid::SUBJECT_KEY_ID, oid::AUTHORITY_KEY_ID];
            for key_id in key_ids {
                plan.leaf().without(key_id);
                plan.intermediate().without(key_id);
            }
        },
    },
    FaultInfo {
        id: "chain.two-intermediates",
        summary: "there are two CAs between root and DC, and both are sent",
        cause: "nothing is wrong: a policy CA stands between the root and the issuing CA",
        chain: "root → policy CA → intermediate → leaf\n\
                sent: leaf, intermediate, policy CA [one more than usual]",
        apply: |plan| {
            let name = format!("{} Policy CA", plan.domain());
            let mut policy = plan.intermediate().clone();
            policy
                .named(&name)
                .keyed(KeyOwner::Named(name.clone()))
                .constrained(BasicConstraints::Ca(Some(1)));
            let policy = plan.add(policy);
            plan.intermediate().signed_by(policy);
            plan.send_last(policy);
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
