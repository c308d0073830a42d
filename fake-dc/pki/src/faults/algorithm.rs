//! Family `algorithm`: keys and signatures that a client refuses or cannot use.

use super::FaultInfo;
use crate::key::KeyKind;

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "algorithm.ecdsa-p256",
        summary: "the DC has an ECDSA key on P-256",
        cause: "a template of a newer key storage provider; xapi's policy is ECDHE-RSA only",
        chain: "root → intermediate → leaf [ECDSA P-256]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::EcdsaP256);
        },
    },
    FaultInfo {
        id: "algorithm.ecdsa-p384",
        summary: "the DC has an ECDSA key on P-384",
        cause: "a template of a newer key storage provider; xapi's policy is ECDHE-RSA only",
        chain: "root → intermediate → leaf [ECDSA P-384]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::EcdsaP384);
        },
    },
];
