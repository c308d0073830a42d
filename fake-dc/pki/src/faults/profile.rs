//! Family `profile`: extensions that do not allow what the certificate is used for.

use super::FaultInfo;
use crate::{
    certificate::{BasicConstraints, CertificatePlan, Extension, KeyUsage, Purpose},
    der::Element,
    key::{Authority, KeyOwner},
    oid,
};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "profile.no-server-auth",
        summary: "the certificate is meant for client authentication only",
        cause: "the DC found a certificate of the wrong template in its store",
        chain: "root → intermediate → leaf [EKU clientAuth]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().meant_for([Purpose::ClientAuth]);
        },
    },
    FaultInfo {
        id: "profile.no-eku",
        summary: "the certificate does not say what it is meant for",
        cause: "a CA other than AD CS, or a request file without extensions",
        chain: "root → intermediate → leaf [no EKU]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().meant_for([]);
        },
    },
    FaultInfo {
        id: "profile.any-eku",
        summary: "the certificate is meant for any purpose",
        cause: "a template that says \"Any Purpose\"",
        chain: "root → intermediate → leaf [EKU any]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().meant_for([Purpose::Any]);
        },
    },
    FaultInfo {
        id: "profile.key-usage-without-signature",
        summary: "the key may encipher keys but not sign, and ECDHE needs a signature",
        cause: "a template for the old RSA key exchange",
        chain: "root → intermediate → leaf [key usage keyEncipherment]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().usable_for([KeyUsage::KeyEncipherment]);
        },
    },
    FaultInfo {
        id: "profile.leaf-is-ca",
        summary: "the DC's certificate says that it is a CA",
        cause: "a CA runs on the DC and the DC picked the CA's kind of certificate, or `openssl \
                req -x509` made it with its defaults",
        chain: "root → intermediate → leaf [CA:TRUE]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().constrained(BasicConstraints::Ca(None));
        },
    },
    FaultInfo {
        id: "profile.intermediate-not-ca",
        summary: "the intermediate says that it is no CA",
        cause: "a server certificate was used to sign others",
        chain: "root → intermediate [CA:FALSE] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().constrained(BasicConstraints::NotCa);
        },
    },
    FaultInfo {
        id: "profile.intermediate-without-basic-constraints",
        summary: "the intermediate does not say that it is a CA",
        cause: "a home-made CA script that knows nothing of extensions",
        chain: "root → intermediate [no basic constraints] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().constrained(BasicConstraints::Absent);
        },
    },
    FaultInfo {
        id: "profile.path-length-exceeded",
        summary: "there is a CA below an intermediate that allows none below it",
        cause: "a branch CA was added under an issuing CA whose certificate says path length 0",
        chain: "root → intermediate [path length 0] → branch CA → leaf\n\
                sent: leaf, branch CA, intermediate",
        apply: |plan| {
            let name = format!("{} Branch CA", plan.domain());
            let mut branch = CertificatePlan::intermediate(
                Authority::Intermediate,
                &name,
                plan.domain(),
                plan.intermediate_id(),
                plan.founded(),
            );
            branch.keyed(KeyOwner::Named(name));
            let branch = plan.add(branch);
            plan.leaf().signed_by(branch);
            plan.send_behind_leaf(branch);
        },
    },
    FaultInfo {
        id: "profile.name-constraints-exclude",
        summary: "the intermediate may not issue for the domain",
        cause: "a CA of a parent company with constraints that nobody read",
        chain: "root → intermediate [excluded: corp.example] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let domain = plan.domain().to_owned();
            plan.intermediate().excluding(&domain);
        },
    },
    FaultInfo {
        id: "profile.name-constraints-permit-other",
        summary: "the intermediate may issue for another domain only",
        cause: "the issuing CA was made for one company and used for the next one after a merger",
        chain: "root → intermediate [permitted: merged.example] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().permitting("merged.example");
        },
    },
    FaultInfo {
        id: "profile.unknown-critical-extension",
        summary: "the certificate has a critical extension that no client knows",
        cause: "an extension of the company's own in a template, marked as critical",
        chain: "root → intermediate → leaf [critical 1.3.6.1.4.1.99999.1]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let extension =
                Extension::new(&[1, 3, 6, 1, 4, 1, 99999, 1], Element::octet_string("trustrig"));
            plan.leaf().with(extension.critical());
        },
    },
    FaultInfo {
        id: "profile.critical-policy-constraints",
        summary: "the intermediate demands a policy that the DC's certificate does not name",
        cause: "a qualified subordination set up in CAPolicy.inf",
        chain: "root → intermediate [critical policyConstraints] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            // requireExplicitPolicy [0], from here on
            let constraints = Element::sequence([Element::context(0, [0])]);
            let extension = Extension::new(oid::POLICY_CONSTRAINTS, constraints);
            plan.intermediate().with(extension.critical());
        },
    },
    FaultInfo {
        id: "profile.key-id-mismatch",
        summary: "the certificate names another issuer key than the one that signed it",
        cause: "the issuing CA was renewed with its key by a tool that computes key identifiers \
                in another way",
        chain: "root → intermediate → leaf [authority key id of nobody]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().claiming_issuer_key(&[0x5a; 20]);
        },
    },
    FaultInfo {
        id: "profile.must-staple",
        summary: "the certificate demands a stapled OCSP answer, and the DC sends none",
        cause: "a template made for web servers",
        chain: "root → intermediate → leaf [TLS feature status_request]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let status_request = Element::sequence([Element::integer(5)]);
            plan.leaf().with(Extension::new(oid::TLS_FEATURE, status_request));
        },
    },
];
