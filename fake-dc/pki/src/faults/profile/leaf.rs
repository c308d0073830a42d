//! What the DC's certificate allows, and does not.

use super::status_request;
use crate::{
    der::Element,
    extension::{BasicConstraints, Extension, KeyUsage, Purpose},
    faults::FaultInfo,
    oid,
};

pub(in crate::faults) const FAULTS: &[FaultInfo] = &[
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
        id: "profile.unknown-critical-extension",
        summary: "the certificate has a critical extension that no client knows",
        cause: "an extension of the company's own in a template, marked as critical",
        chain: "root → intermediate → leaf [critical 1.3.6.1.4.1.99999.1]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().with(Extension::of_the_company().critical());
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
            plan.leaf().with(status_request());
        },
    },
    FaultInfo {
        id: "profile.kdc-auth-only",
        summary: "the certificate is meant for Kerberos only",
        cause: "a template for KDCs that lacks server authentication",
        chain: "root → intermediate → leaf [EKU id-pkinit-KPKdc]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().meant_for([Purpose::Other(vec![1, 3, 6, 1, 5, 2, 3, 5])]);
        },
    },
    FaultInfo {
        id: "profile.no-key-usage",
        summary: "the certificate does not say what its key may be used for",
        cause: "a CA other than AD CS, or a request file without extensions",
        chain: "root → intermediate → leaf [no key usage]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().usable_for([]);
        },
    },
    FaultInfo {
        id: "profile.key-usage-signature-only",
        summary: "the key may sign and not encipher keys: all that ECDHE needs",
        cause: "a template of today: nothing is wrong",
        chain: "root → intermediate → leaf [key usage digitalSignature]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().usable_for([KeyUsage::DigitalSignature]);
        },
    },
    FaultInfo {
        id: "profile.key-usage-agreement-only",
        summary: "an RSA key may be used for key agreement only",
        cause: "a template for Diffie-Hellman keys was used for an RSA key",
        chain: "root → intermediate → leaf [key usage keyAgreement]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().usable_for([KeyUsage::KeyAgreement]);
        },
    },
    FaultInfo {
        id: "profile.issuer-serial-mismatch",
        summary: "the authority key identifier names another issuer certificate by name and \
                serial",
        cause: "the issuing CA was renewed with its key; the certificate names its predecessor",
        chain: "root → intermediate → leaf [authority issuer and serial of nobody]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let issuer = plan.intermediate().subject().element();
            // authorityCertIssuer [1] directoryName [4], authorityCertSerialNumber [2]
            let identifier = Element::sequence([
                Element::context_of(1, [Element::explicit(4, issuer)]),
                Element::context(2, [0x5a; 16]),
            ]);
            plan.leaf().with_instead(Extension::new(oid::AUTHORITY_KEY_ID, identifier));
        },
    },
    FaultInfo {
        id: "profile.names-template",
        summary: "the certificate names the template that it was made from, as those of AD CS do",
        cause: "nothing is wrong: a Microsoft extension that other clients skip",
        chain: "root → intermediate → leaf [szOID_CERTIFICATE_TEMPLATE]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let template = Element::primitive(0x1e, b"\0D\0C".as_slice());
            plan.leaf().with(Extension::new(&[1, 3, 6, 1, 4, 1, 311, 20, 2], template));
        },
    },
];
