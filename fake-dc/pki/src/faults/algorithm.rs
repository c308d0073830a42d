//! Family `algorithm`: keys and signatures that a client refuses or cannot use.

use super::FaultInfo;
use crate::{
    algorithm::{Hash, SignatureAlgorithm},
    certificate::AlgorithmName,
    key::KeyKind,
};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "algorithm.sha1-leaf",
        summary: "the DC's certificate is signed with SHA-1",
        cause: "a CA whose CSP was set up before 2016 and never changed (`certutil -getreg \
                ca\\csp`)",
        chain: "root → intermediate → leaf [signed with SHA-1]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().signed_with(SignatureAlgorithm::RsaPkcs1(Hash::Sha1));
        },
    },
    FaultInfo {
        id: "algorithm.md5-leaf",
        summary: "the DC's certificate is signed with MD5",
        cause: "an appliance's built-in CA of the last century",
        chain: "root → intermediate → leaf [signed with MD5]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().signed_with(SignatureAlgorithm::RsaPkcs1(Hash::Md5));
        },
    },
    FaultInfo {
        id: "algorithm.sha1-intermediate",
        summary: "the intermediate is signed with SHA-1",
        cause: "the root was never told to use another hash, and issues rarely",
        chain: "root → intermediate [signed with SHA-1] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().signed_with(SignatureAlgorithm::RsaPkcs1(Hash::Sha1));
        },
    },
    FaultInfo {
        id: "algorithm.md5-intermediate",
        summary: "the intermediate is signed with MD5",
        cause: "a root of the last century that still issues",
        chain: "root → intermediate [signed with MD5] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().signed_with(SignatureAlgorithm::RsaPkcs1(Hash::Md5));
        },
    },
    FaultInfo {
        id: "algorithm.sha1-root",
        summary: "the root's own signature is with SHA-1",
        cause: "a root of before 2016: its signature proves nothing and does no harm",
        chain: "root [signed with SHA-1] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().signed_with(SignatureAlgorithm::RsaPkcs1(Hash::Sha1));
        },
    },
    FaultInfo {
        id: "algorithm.md5-root",
        summary: "the root's own signature is with MD5",
        cause: "a root of the last century: its signature proves nothing and does no harm",
        chain: "root [signed with MD5] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().signed_with(SignatureAlgorithm::RsaPkcs1(Hash::Md5));
        },
    },
    FaultInfo {
        id: "algorithm.sha224-leaf",
        summary: "the DC's certificate is signed with SHA-224",
        cause: "somebody chose the shortest hash of the SHA-2 family",
        chain: "root → intermediate → leaf [signed with SHA-224]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().signed_with(SignatureAlgorithm::RsaPkcs1(Hash::Sha224));
        },
    },
    FaultInfo {
        id: "algorithm.sha384-leaf",
        summary: "the DC's certificate is signed with SHA-384",
        cause: "a CA that was set up for Suite B: nothing is wrong",
        chain: "root → intermediate → leaf [signed with SHA-384]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().signed_with(SignatureAlgorithm::RsaPkcs1(Hash::Sha384));
        },
    },
    FaultInfo {
        id: "algorithm.sha512-leaf",
        summary: "the DC's certificate is signed with SHA-512",
        cause: "the longest hash was chosen: Schannel of 2012 did not offer it in TLS 1.2",
        chain: "root → intermediate → leaf [signed with SHA-512]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().signed_with(SignatureAlgorithm::RsaPkcs1(Hash::Sha512));
        },
    },
    FaultInfo {
        id: "algorithm.rsa-512",
        summary: "the DC has an RSA key of 512 bits",
        cause: "an appliance's or a test's certificate; the key can be factored in hours",
        chain: "root → intermediate → leaf [RSA 512]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::Rsa512);
        },
    },
    FaultInfo {
        id: "algorithm.rsa-512-intermediate",
        summary: "the intermediate has an RSA key of 512 bits",
        cause: "a test CA that went into production",
        chain: "root → intermediate [RSA 512] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().of_kind(KeyKind::Rsa512);
        },
    },
    FaultInfo {
        id: "algorithm.rsa-512-root",
        summary: "the root has an RSA key of 512 bits",
        cause: "a test CA that went into production",
        chain: "root [RSA 512] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().of_kind(KeyKind::Rsa512);
        },
    },
    FaultInfo {
        id: "algorithm.rsa-1024",
        summary: "the DC has an RSA key of 1024 bits",
        cause: "a template of Windows 2000, whose minimum was 1024",
        chain: "root → intermediate → leaf [RSA 1024]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::Rsa1024);
        },
    },
    FaultInfo {
        id: "algorithm.rsa-1024-root",
        summary: "the root has an RSA key of 1024 bits",
        cause: "a root of Windows 2000",
        chain: "root [RSA 1024] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().of_kind(KeyKind::Rsa1024);
        },
    },
    FaultInfo {
        id: "algorithm.rsa-3072",
        summary: "the DC has an RSA key of 3072 bits",
        cause: "a policy that asks for the strength of AES-128: nothing is wrong",
        chain: "root → intermediate → leaf [RSA 3072]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::Rsa3072);
        },
    },
    FaultInfo {
        id: "algorithm.rsa-4096",
        summary: "the DC has an RSA key of 4096 bits",
        cause: "a policy that prefers long keys: nothing is wrong but the time it takes",
        chain: "root → intermediate → leaf [RSA 4096]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::Rsa4096);
        },
    },
    FaultInfo {
        id: "algorithm.rsa-8192",
        summary: "the DC has an RSA key of 8192 bits",
        cause: "the largest number in the list was chosen; some clients take 4096 at most",
        chain: "root → intermediate → leaf [RSA 8192]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::Rsa8192);
        },
    },
    FaultInfo {
        id: "algorithm.rsa-pss-key",
        summary: "the DC has an RSA key that is marked for RSASSA-PSS only",
        cause: "a template with \"discrete signature algorithms\" (AlternateSignatureAlgorithm)",
        chain: "root → intermediate → leaf [id-RSASSA-PSS]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::RsaPss2048);
        },
    },
    FaultInfo {
        id: "algorithm.rsa-pss-signature",
        summary: "the DC's certificate is signed with RSASSA-PSS",
        cause: "AlternateSignatureAlgorithm=1 in the CA's CAPolicy.inf",
        chain: "root → intermediate → leaf [signed with RSASSA-PSS]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().signed_with(SignatureAlgorithm::rsa_pss(Hash::Sha256));
        },
    },
    FaultInfo {
        id: "algorithm.rsa-pss-sha1-signature",
        summary: "the DC's certificate is signed with RSASSA-PSS and SHA-1, all parameters by \
                default",
        cause: "AlternateSignatureAlgorithm=1 on a CA that still uses SHA-1",
        chain: "root → intermediate → leaf [signed with RSASSA-PSS, SHA-1]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().signed_with(SignatureAlgorithm::rsa_pss(Hash::Sha1));
        },
    },
    FaultInfo {
        id: "algorithm.rsa-pss-intermediate",
        summary: "the intermediate is signed with RSASSA-PSS",
        cause: "AlternateSignatureAlgorithm=1 in the root's CAPolicy.inf",
        chain: "root → intermediate [signed with RSASSA-PSS] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().signed_with(SignatureAlgorithm::rsa_pss(Hash::Sha256));
        },
    },
    FaultInfo {
        id: "algorithm.ecdsa-p521",
        summary: "the DC has an ECDSA key on P-521",
        cause: "the largest curve was chosen; xapi's policy is ECDHE-RSA only, and browsers \
                lack P-521",
        chain: "root → intermediate → leaf [ECDSA P-521]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::EcdsaP521);
        },
    },
    FaultInfo {
        id: "algorithm.ed25519",
        summary: "the DC has an Ed25519 key",
        cause: "a CA other than AD CS, which knows no such keys",
        chain: "root → intermediate → leaf [Ed25519]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_kind(KeyKind::Ed25519);
        },
    },
    FaultInfo {
        id: "algorithm.ecdsa-authorities",
        summary: "root and intermediate have ECDSA keys, the DC an RSA key",
        cause: "a new CA on P-384 that issues to servers with RSA keys: nothing is wrong",
        chain: "root [ECDSA P-384] → intermediate [ECDSA P-384] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().of_kind(KeyKind::EcdsaP384);
            plan.intermediate().of_kind(KeyKind::EcdsaP384);
        },
    },
    FaultInfo {
        id: "algorithm.ed25519-root",
        summary: "the root has an Ed25519 key",
        cause: "a private CA of the newest fashion",
        chain: "root [Ed25519] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().of_kind(KeyKind::Ed25519);
        },
    },
    FaultInfo {
        id: "algorithm.inner-outer-mismatch",
        summary: "the DC's certificate names one algorithm inside and another one outside",
        cause: "a home-made CA that fills in the inner one before it knows the key",
        chain: "root → intermediate → leaf [inside SHA-384, outside SHA-256]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().claiming_inside(RSA_WITH_SHA384);
        },
    },
    FaultInfo {
        id: "algorithm.wrong-algorithm",
        summary: "the DC's certificate says SHA-384 and is signed with SHA-256",
        cause: "a home-made CA that does not look at what it signs with",
        chain: "root → intermediate → leaf [says SHA-384, is SHA-256]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().claiming_algorithm(RSA_WITH_SHA384);
        },
    },
    FaultInfo {
        id: "algorithm.other-kind-of-signature",
        summary: "the DC's certificate says that an RSA issuer signed it with ECDSA",
        cause: "a home-made CA that copies the algorithm of the request",
        chain: "root → intermediate → leaf [says ECDSA, is RSA]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let ecdsa = SignatureAlgorithm::Ecdsa(Hash::Sha256);
            plan.leaf().claiming_algorithm(AlgorithmName::Known(ecdsa));
        },
    },
    FaultInfo {
        id: "algorithm.bad-signature",
        summary: "the signature of the DC's certificate is wrong",
        cause: "a certificate that was edited, or damaged where no parser looks",
        chain: "root → intermediate → leaf [signature broken]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().with_broken_signature();
        },
    },
    FaultInfo {
        id: "algorithm.bad-signature-intermediate",
        summary: "the signature of the intermediate is wrong",
        cause: "a certificate that was edited, or damaged where no parser looks",
        chain: "root → intermediate [signature broken] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().with_broken_signature();
        },
    },
    FaultInfo {
        id: "algorithm.bad-signature-root",
        summary: "the root's own signature is wrong",
        cause: "a root that was damaged: its signature proves nothing and does no harm",
        chain: "root [signature broken] → intermediate → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.anchor().with_broken_signature();
        },
    },
    FaultInfo {
        id: "algorithm.unknown-signature-algorithm",
        summary: "the DC's certificate is signed with an algorithm that nobody knows",
        cause: "an experiment with algorithms of tomorrow, or of one country",
        chain: "root → intermediate → leaf [signed with 1.3.6.1.4.1.99999.2]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().claiming_algorithm(AlgorithmName::Oid(vec![1, 3, 6, 1, 4, 1, 99_999, 2]));
        },
    },
    FaultInfo {
        id: "algorithm.unknown-key",
        summary: "the DC's key is of an algorithm that nobody knows",
        cause: "an experiment with algorithms of tomorrow, or of one country",
        chain: "root → intermediate → leaf [key of 1.3.6.1.4.1.99999.3]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().claiming_key_algorithm(&[1, 3, 6, 1, 4, 1, 99_999, 3]);
        },
    },
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

const RSA_WITH_SHA384: AlgorithmName =
    AlgorithmName::Known(SignatureAlgorithm::RsaPkcs1(Hash::Sha384));
