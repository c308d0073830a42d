//! Family `name`: a certificate that does not say the DC's DNS name, or says it oddly.
//!
//! The names in `chain` are those of `dc1` in `corp.example`.

use super::FaultInfo;
use crate::{certificate::AltName, name::NameAttribute, plan::ChainPlan};

pub(super) const FAULTS: &[FaultInfo] = &[
    FaultInfo {
        id: "name.other-host",
        summary: "the certificate is for another host of the domain",
        cause: "the certificate of another server was imported, or a DC was cloned with its store",
        chain: "root → intermediate → leaf [CN and SAN other.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, format!("other.{}", plan.domain())),
    },
    FaultInfo {
        id: "name.domain-only",
        summary: "the certificate is for the domain, not for the DC",
        cause: "one certificate was made for `ldaps://<domain>` and imported on every DC",
        chain: "root → intermediate → leaf [CN and SAN corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, plan.domain().to_owned()),
    },
    FaultInfo {
        id: "name.short-name-only",
        summary: "the certificate has the short name of the DC only",
        cause: "the request was made by hand with what the administrator calls the machine",
        chain: "root → intermediate → leaf [CN and SAN dc1]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, plan.dc().name.clone()),
    },
    FaultInfo {
        id: "name.renamed-dc",
        summary: "the certificate has the name that the DC had before",
        cause: "the DC was renamed with netdom and did not enrol again",
        chain: "root → intermediate → leaf [CN and SAN old-dc1.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, format!("old-{}", plan.dc().dns_name)),
    },
    FaultInfo {
        id: "name.ip-only",
        summary: "the certificate has the addresses of the DC only",
        cause: "hosts were configured by address and the certificate made to match",
        chain: "root → intermediate → leaf [CN 127.0.1.11, SAN iPAddress 127.0.1.11]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let addresses = plan.dc().addresses.clone();
            let common_name = address_text(plan);
            plan.leaf().named(&common_name).also_named(addresses);
        },
    },
    FaultInfo {
        id: "name.ip-as-dns-name",
        summary: "the alternative name holds the address as if it were a DNS name",
        cause: "the request was made with a tool or web form that knows `dns=` only",
        chain: "root → intermediate → leaf [SAN dNSName 127.0.1.11]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let address = address_text(plan);
            plan.leaf().also_named([address]);
        },
    },
    FaultInfo {
        id: "name.cn-only",
        summary: "the DC's name is in the CN only; there is no alternative name",
        cause: "an old template or a request file without a SAN section",
        chain: "root → intermediate → leaf [CN dc1.corp.example, no SAN]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().also_named::<AltName>([]);
        },
    },
    FaultInfo {
        id: "name.two-cns",
        summary: "there are two CNs, the DC's first, and no alternative name",
        cause: "a request file that lists every name the server goes by as one more CN",
        chain: "root → intermediate → leaf [CN dc1.corp.example, CN ldap.corp.example, no SAN]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let dc = plan.dc().dns_name.clone();
            let service = format!("ldap.{}", plan.domain());
            plan.leaf()
                .named_by([
                    (NameAttribute::CommonName, dc.as_str()),
                    (NameAttribute::CommonName, service.as_str()),
                ])
                .also_named::<AltName>([]);
        },
    },
    FaultInfo {
        id: "name.empty-subject-with-san",
        summary: "the subject is empty; the DC's name is in a critical alternative name",
        cause: "auto-enrolment from the template \"Kerberos Authentication\" or one that says \
                \"subject name: none\"",
        chain: "root → intermediate → leaf [no subject, SAN dc1.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().named_by([]);
        },
    },
    FaultInfo {
        id: "name.wildcard",
        summary: "the certificate is for `*` in the domain",
        cause: "one certificate was bought for all servers",
        chain: "root → intermediate → leaf [CN and SAN *.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, format!("*.{}", plan.domain())),
    },
    FaultInfo {
        id: "name.wildcard-across-labels",
        summary: "the certificate is for `*` in the parent domain: the star would span two labels",
        cause: "the wildcard certificate of the company is used in its sub-domain, too",
        chain: "root → intermediate → leaf [CN and SAN *.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let parent = plan.domain().split_once('.').map(|(_, parent)| format!("*.{parent}"));
            only_named(plan, parent.unwrap_or_else(|| "*".to_owned()));
        },
    },
    FaultInfo {
        id: "name.partial-wildcard",
        summary: "the star stands for a part of the DC's label",
        cause: "a certificate for all DCs that are named by one pattern",
        chain: "root → intermediate → leaf [CN and SAN dc*.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let name = plan.dc().name.as_str();
            let stem = match name.trim_end_matches(|letter: char| letter.is_ascii_digit()) {
                "" => name,
                stem => stem,
            };
            only_named(plan, format!("{stem}*.{}", plan.domain()));
        },
    },
    FaultInfo {
        id: "name.trailing-dot",
        summary: "the DC's name is written with the dot of the DNS root",
        cause: "the name was copied out of a zone file",
        chain: "root → intermediate → leaf [CN and SAN dc1.corp.example.]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, format!("{}.", plan.dc().dns_name)),
    },
    FaultInfo {
        id: "name.letter-case",
        summary: "the DC's name is written in capitals",
        cause: "the request was made from the NetBIOS spelling of the machine",
        chain: "root → intermediate → leaf [CN and SAN DC1.CORP.EXAMPLE]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, plan.dc().dns_name.to_ascii_uppercase()),
    },
    FaultInfo {
        id: "name.nul-in-name",
        summary: "a NUL hides the true end of the alternative name",
        cause: "an attack on clients that stop reading at the NUL",
        chain: "root → intermediate → leaf [SAN dc1.corp.example\\0.attacker.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let hidden = format!("{}\0.attacker.example", plan.dc().dns_name);
            plan.leaf().also_named([hidden]);
        },
    },
];

fn only_named(plan: &mut ChainPlan, name: String) {
    plan.leaf().named(&name).also_named([name]);
}

fn address_text(plan: &ChainPlan) -> String {
    // A plan is not made for a DC without an address.
    plan.dc().addresses.first().map(ToString::to_string).unwrap_or_default()
}
