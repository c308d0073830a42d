//! What the CA above the DC may issue.

use super::status_request;
use crate::{
    certificate::CertificatePlan,
    der::Element,
    extension::{BasicConstraints, Extension, KeyUsage, Purpose},
    faults::FaultInfo,
    key::{Authority, KeyOwner},
    name::{Name, NameAttribute},
    oid,
};

pub(in crate::faults) const FAULTS: &[FaultInfo] = &[
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
        id: "profile.intermediate-version-1",
        summary: "the intermediate is a certificate of version 1, without extensions",
        cause: "a script that calls `openssl x509 -req` without extensions",
        chain: "root → intermediate [version 1] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().of_version(1).without_extensions();
        },
    },
    FaultInfo {
        id: "profile.intermediate-without-cert-sign",
        summary: "the intermediate's key may not sign certificates",
        cause: "a template for servers was used for the issuing CA",
        chain: "root → intermediate [key usage without keyCertSign] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().usable_for([KeyUsage::DigitalSignature, KeyUsage::CrlSign]);
        },
    },
    FaultInfo {
        id: "profile.intermediate-client-auth-only",
        summary: "the intermediate is meant for client authentication only",
        cause: "a CA for smart cards was given the DCs, too; Windows and OpenSSL apply this \
                to what it issues",
        chain: "root → intermediate [EKU clientAuth] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().meant_for([Purpose::ClientAuth]);
        },
    },
    FaultInfo {
        id: "profile.intermediate-unknown-critical-extension",
        summary: "the intermediate has a critical extension that no client knows",
        cause: "an extension of the company's own in CAPolicy.inf, marked as critical",
        chain: "root → intermediate [critical 1.3.6.1.4.1.99999.1] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().with(Extension::of_the_company().critical());
        },
    },
    FaultInfo {
        id: "profile.intermediate-duplicate-extension",
        summary: "the intermediate has its key usage twice",
        cause: "two sections of a configuration file that both apply",
        chain: "root → intermediate [key usage twice] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().with_twice(oid::KEY_USAGE);
        },
    },
    FaultInfo {
        id: "profile.intermediate-malformed-basic-constraints",
        summary: "the basic constraints of the intermediate are no DER",
        cause: "a configuration file with hexadecimal text in the wrong place",
        chain: "root → intermediate [basic constraints DE AD BE EF] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().with_instead(Extension::malformed(oid::BASIC_CONSTRAINTS));
        },
    },
    FaultInfo {
        id: "profile.intermediate-must-staple",
        summary: "the intermediate demands stapled OCSP answers from whoever is below it",
        cause: "a template made for web servers, applied to a CA",
        chain: "root → intermediate [TLS feature status_request] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().with(status_request());
        },
    },
    FaultInfo {
        id: "profile.name-constraints-of-directory-names",
        summary: "the intermediate may not issue for the organisation's own directory names",
        cause: "constraints that were written for the subjects of users",
        chain: "root → intermediate [excluded: directory name O=corp.example] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let organization: Name =
                [(NameAttribute::Organization, plan.domain())].into_iter().collect();
            let (domain, dc) = (plan.domain().to_owned(), plan.dc().dns_name.clone());
            plan.leaf().named_by([
                (NameAttribute::Organization, domain.as_str()),
                (NameAttribute::CommonName, dc.as_str()),
            ]);
            // excludedSubtrees [1], directoryName [4] EXPLICIT
            let tree = Element::sequence([Element::explicit(4, organization.element())]);
            let constraints = Element::sequence([Element::context_of(1, [tree])]);
            let constraints = Extension::new(oid::NAME_CONSTRAINTS, constraints);
            plan.intermediate().with(constraints.critical());
        },
    },
    FaultInfo {
        id: "profile.name-constraints-with-leading-dot",
        summary: "the intermediate may issue below `.corp.example`, written with the dot of a URI",
        cause: "constraints copied from a URI constraint, where the dot means sub-domains",
        chain: "root → intermediate [permitted: .corp.example] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let domain = format!(".{}", plan.domain());
            plan.intermediate().permitting(&domain);
        },
    },
    FaultInfo {
        id: "profile.malformed-name-constraints",
        summary: "the name constraints of the intermediate are no DER",
        cause: "a configuration file with hexadecimal text in the wrong place",
        chain: "root → intermediate [critical name constraints DE AD BE EF] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().with(Extension::malformed(oid::NAME_CONSTRAINTS));
        },
    },
    FaultInfo {
        id: "profile.critical-policies",
        summary: "the intermediate has certificate policies that are critical",
        cause: "a CA policy that was marked as critical: clients know the extension, nothing \
                is wrong",
        chain: "root → intermediate [critical certificatePolicies] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            // anyPolicy
            let policy = Element::sequence([Element::object_identifier(&[2, 5, 29, 32, 0])]);
            let policies = Extension::new(oid::CERTIFICATE_POLICIES, Element::sequence([policy]));
            plan.intermediate().with(policies.critical());
        },
    },
    FaultInfo {
        id: "profile.critical-inhibit-any-policy",
        summary: "the intermediate forbids the policy \"any\"",
        cause: "a qualified subordination set up in CAPolicy.inf",
        chain: "root → intermediate [critical inhibitAnyPolicy] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let inhibit = Extension::new(oid::INHIBIT_ANY_POLICY, Element::integer(0));
            plan.intermediate().with(inhibit.critical());
        },
    },
    FaultInfo {
        id: "profile.critical-policy-mappings",
        summary: "the intermediate maps one policy to another, and says that this is critical",
        cause: "two companies' CAs were cross-certified",
        chain: "root → intermediate [critical policyMappings] → leaf\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let policies =
                [1, 2].map(|arc| Element::object_identifier(&[1, 3, 6, 1, 4, 1, 99_999, 9, arc]));
            let mappings = Element::sequence([Element::sequence(policies)]);
            let mappings = Extension::new(oid::POLICY_MAPPINGS, mappings);
            plan.intermediate().with(mappings.critical());
        },
    },
];
