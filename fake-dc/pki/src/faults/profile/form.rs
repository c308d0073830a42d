//! A certificate that is not formed as the standard has it.

use crate::{der::Element, extension::Extension, faults::FaultInfo, oid};

pub(in crate::faults) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "profile.version-1",
        summary: "the DC's certificate is of version 1, without extensions",
        cause: "a script that calls `openssl x509 -req` without extensions",
        chain: "root → intermediate → leaf [version 1]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_version(1).without_extensions();
        },
    },
    FaultInfo {
        id: "profile.version-1-with-extensions",
        summary: "the DC's certificate is of version 1 and has extensions, which that version \
                has not",
        cause: "a home-made CA that forgets to write the version",
        chain: "root → intermediate → leaf [version 1, extensions]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_version(1);
        },
    },
    FaultInfo {
        id: "profile.version-2",
        summary: "the DC's certificate is of version 2, without extensions",
        cause: "a home-made CA that miscounts: version 2 was hardly ever used",
        chain: "root → intermediate → leaf [version 2]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_version(2).without_extensions();
        },
    },
    FaultInfo {
        id: "profile.version-4",
        summary: "the DC's certificate is of version 4, which does not exist",
        cause: "a home-made CA that miscounts: the number of version 3 is 2",
        chain: "root → intermediate → leaf [version 4]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().of_version(4);
        },
    },
    FaultInfo {
        id: "profile.unique-ids",
        summary: "issuer and subject have unique identifiers, which nobody uses",
        cause: "an X.500 directory of the nineties",
        chain: "root → intermediate → leaf [issuerUniqueID, subjectUniqueID]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().with_unique_ids();
        },
    },
    FaultInfo {
        id: "profile.duplicate-extension",
        summary: "the DC's certificate has its alternative name twice",
        cause: "a CA that adds its own to the one of the request \
                (EDITF_ATTRIBUTESUBJECTALTNAME2)",
        chain: "root → intermediate → leaf [SAN twice]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().with_twice(oid::SUBJECT_ALT_NAME);
        },
    },
    FaultInfo {
        id: "profile.malformed-san",
        summary: "the alternative name is no DER",
        cause: "a request file with hexadecimal text in the wrong place",
        chain: "root → intermediate → leaf [SAN DE AD BE EF]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().with_instead(Extension::malformed(oid::SUBJECT_ALT_NAME));
        },
    },
    FaultInfo {
        id: "profile.empty-san",
        summary: "the alternative name lists no name",
        cause: "a template that builds names from attributes which the account lacks",
        chain: "root → intermediate → leaf [SAN without names]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().with_instead(Extension::new(oid::SUBJECT_ALT_NAME, Element::sequence([])));
        },
    },
    FaultInfo {
        id: "profile.malformed-key-usage",
        summary: "the key usage is no DER",
        cause: "a request file with hexadecimal text in the wrong place",
        chain: "root → intermediate → leaf [key usage DE AD BE EF]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().with_instead(Extension::malformed(oid::KEY_USAGE));
        },
    },
    FaultInfo {
        id: "profile.malformed-eku",
        summary: "the extended key usage is no DER",
        cause: "a request file with hexadecimal text in the wrong place",
        chain: "root → intermediate → leaf [EKU DE AD BE EF]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().with_instead(Extension::malformed(oid::EXTENDED_KEY_USAGE));
        },
    },
    FaultInfo {
        id: "profile.negative-serial",
        summary: "the serial number is negative",
        cause: "a home-made CA that draws 16 octets and does not look at the first bit",
        chain: "root → intermediate → leaf [serial −85]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().numbered(&[0xab]);
        },
    },
    FaultInfo {
        id: "profile.zero-serial",
        summary: "the serial number is zero",
        cause: "the first certificate of a home-made CA",
        chain: "root → intermediate → leaf [serial 0]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().numbered(&[0]);
        },
    },
    FaultInfo {
        id: "profile.overlong-serial",
        summary: "the serial number has 32 octets; RFC 5280 allows 20",
        cause: "a home-made CA that takes a hash as the serial",
        chain: "root → intermediate → leaf [serial of 32 octets]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().numbered(&[0x5a; 32]);
        },
    },
    FaultInfo {
        id: "profile.padded-serial",
        summary: "the serial number has superfluous zeros in front",
        cause: "a home-made CA that writes numbers of a fixed size",
        chain: "root → intermediate → leaf [serial 00 00 00 05]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().numbered(&[0, 0, 0, 5]);
        },
    },
    FaultInfo {
        id: "profile.serial-of-issuer",
        summary: "the DC's certificate has the serial number of the intermediate",
        cause: "two CAs that both count from one",
        chain: "root → intermediate → leaf [serial 1]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.intermediate().numbered(&[1]);
            plan.leaf().numbered(&[1]);
        },
    },
];
