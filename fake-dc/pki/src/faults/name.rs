//! Family `name`: a certificate that does not say the DC's DNS name, or says it oddly.
//!
//! The names in `chain` are those of `dc1` in `corp.example`.

use super::FaultInfo;
use crate::{
    extension::AltName,
    name::{NameAttribute, Spelling},
    plan::ChainPlan,
};

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
    FaultInfo {
        id: "name.other-domain",
        summary: "the certificate has the DC's name in another domain",
        cause: "the domain was migrated and the DC kept its certificate",
        chain: "root → intermediate → leaf [CN and SAN dc1.old-corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, format!("{}.old-{}", plan.dc().name, plan.domain())),
    },
    FaultInfo {
        id: "name.idn",
        summary: "the certificate has an international spelling of the domain, as an A-label",
        cause: "the company registered its name with an umlaut, too, and the certificate is \
                for that",
        chain: "root → intermediate → leaf [CN and SAN dc1.xn--crp-sna.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let name = idna::domain_to_ascii(&international(plan)).unwrap_or_default();
            only_named(plan, name);
        },
    },
    FaultInfo {
        id: "name.idn-unicode",
        summary: "the certificate has an international spelling of the domain, in UTF-8",
        cause: "a CA that copies what was typed; a dNSName holds A-labels only",
        chain: "root → intermediate → leaf [CN and SAN dc1.cörp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, international(plan)),
    },
    FaultInfo {
        id: "name.bare-wildcard",
        summary: "the certificate is for `*`",
        cause: "somebody wanted one certificate for everything",
        chain: "root → intermediate → leaf [CN and SAN *]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, "*".to_owned()),
    },
    FaultInfo {
        id: "name.wildcard-inner",
        summary: "the star stands for the second label",
        cause: "a certificate for one host in every site",
        chain: "root → intermediate → leaf [CN and SAN dc1.*.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let parent = plan.domain().split_once('.').map_or("", |(_, parent)| parent);
            only_named(plan, format!("{}.*.{parent}", plan.dc().name));
        },
    },
    FaultInfo {
        id: "name.trailing-space",
        summary: "the DC's name is followed by a space",
        cause: "the name was pasted into a request form",
        chain: "root → intermediate → leaf [CN and SAN dc1.corp.example and a space]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, format!("{} ", plan.dc().dns_name)),
    },
    FaultInfo {
        id: "name.port-in-name",
        summary: "the alternative name has the port, too",
        cause: "the request was made from the address of the service",
        chain: "root → intermediate → leaf [CN and SAN dc1.corp.example:636]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, format!("{}:636", plan.dc().dns_name)),
    },
    FaultInfo {
        id: "name.spn-as-dns-name",
        summary: "the alternative name is a service principal name",
        cause: "the name was copied out of `setspn -L`",
        chain: "root → intermediate → leaf [CN and SAN ldap/dc1.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| only_named(plan, format!("ldap/{}", plan.dc().dns_name)),
    },
    FaultInfo {
        id: "name.uri-only",
        summary: "the alternative name is a URI only; the CN is the DC's name",
        cause: "the request form asked for the address of the service",
        chain: "root → intermediate → leaf [SAN URI ldaps://dc1.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let uri = format!("ldaps://{}", plan.dc().dns_name);
            plan.leaf().also_named([AltName::Uri(uri)]);
        },
    },
    FaultInfo {
        id: "name.upn-only",
        summary: "the alternative name is a user principal name only; the CN is the DC's name",
        cause: "a template for smart cards or computers that builds the name from the UPN",
        chain: "root → intermediate → leaf [SAN otherName UPN DC1$@corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let account = plan.dc().name.to_ascii_uppercase();
            let upn = format!("{account}$@{}", plan.domain());
            plan.leaf().also_named([AltName::UserPrincipalName(upn)]);
        },
    },
    FaultInfo {
        id: "name.email-only",
        summary: "the alternative name is an e-mail address only; the CN is the DC's name",
        cause: "a public CA's form that adds the address of whoever ordered",
        chain: "root → intermediate → leaf [SAN rfc822Name admin@corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let address = format!("admin@{}", plan.domain());
            plan.leaf().also_named([AltName::Email(address)]);
        },
    },
    FaultInfo {
        id: "name.cn-right-address-in-san",
        summary: "the CN is the DC's name, the alternative name its address only",
        cause: "hosts were configured by address, and the address was added to the certificate",
        chain: "root → intermediate → leaf [CN dc1.corp.example, SAN iPAddress 127.0.1.11]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let addresses = plan.dc().addresses.clone();
            plan.leaf().also_named(addresses);
        },
    },
    FaultInfo {
        id: "name.cn-right-san-other",
        summary: "the CN is the DC's name, the alternative name another host's",
        cause: "a request file was copied and only its subject was edited",
        chain: "root → intermediate → leaf [CN dc1.corp.example, SAN other.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let other = format!("other.{}", plan.domain());
            plan.leaf().also_named([other]);
        },
    },
    FaultInfo {
        id: "name.san-right-cn-other",
        summary: "the alternative name is the DC's, the CN another host's",
        cause: "one certificate for a service and the machines behind it: nothing is wrong",
        chain: "root → intermediate → leaf [CN ldap.corp.example, SAN dc1.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let service = format!("ldap.{}", plan.domain());
            plan.leaf().named(&service);
        },
    },
    FaultInfo {
        id: "name.two-cns-last",
        summary: "there are two CNs, the DC's last, and no alternative name",
        cause: "a request file that lists every name the server goes by as one more CN",
        chain: "root → intermediate → leaf [CN ldap.corp.example, CN dc1.corp.example, no SAN]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let dc = plan.dc().dns_name.clone();
            let service = format!("ldap.{}", plan.domain());
            plan.leaf()
                .named_by([
                    (NameAttribute::CommonName, service.as_str()),
                    (NameAttribute::CommonName, dc.as_str()),
                ])
                .also_named::<AltName>([]);
        },
    },
    FaultInfo {
        id: "name.no-name",
        summary: "the subject is empty, and there is no alternative name",
        cause: "a template that builds no name, for an account without one",
        chain: "root → intermediate → leaf [no subject, no SAN]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().named_by([]).also_named::<AltName>([]);
        },
    },
    FaultInfo {
        id: "name.cn-bmp-string",
        summary: "the DC's name is in the CN only, as a BMPString",
        cause: "a Windows CA before 2003, which wrote two octets for each letter",
        chain: "root → intermediate → leaf [CN dc1.corp.example as BMPString, no SAN]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().spelt_in(Spelling::Bmp).also_named::<AltName>([]);
        },
    },
    FaultInfo {
        id: "name.cn-teletex-string",
        summary: "the DC's name is in the CN only, as a TeletexString",
        cause: "a CA of the nineties",
        chain: "root → intermediate → leaf [CN dc1.corp.example as TeletexString, no SAN]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().spelt_in(Spelling::Teletex).also_named::<AltName>([]);
        },
    },
    FaultInfo {
        id: "name.cn-ia5-string",
        summary: "the DC's name is in the CN only, as an IA5String",
        cause: "a home-made CA: an IA5String is no choice there, and GnuTLS shows it as a number",
        chain: "root → intermediate → leaf [CN dc1.corp.example as IA5String, no SAN]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            plan.leaf().spelt_in(Spelling::Ia5).also_named::<AltName>([]);
        },
    },
    FaultInfo {
        id: "name.nul-in-cn",
        summary: "a NUL hides the true end of the CN, and there is no alternative name",
        cause: "an attack on clients that stop reading at the NUL",
        chain: "root → intermediate → leaf [CN dc1.corp.example\\0.attacker.example, no SAN]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let hidden = format!("{}\0.attacker.example", plan.dc().dns_name);
            plan.leaf().named(&hidden).also_named::<AltName>([]);
        },
    },
    FaultInfo {
        id: "name.many-names",
        summary: "the DC's name is the last of 200 alternative names",
        cause: "one certificate for every server of the company",
        chain: "root → intermediate → leaf [SAN server1.corp.example, … server199.corp.example, dc1.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let server = |number: u32| format!("server{number}.{}", plan.domain());
            let names: Vec<_> = (1..200).map(server).chain([plan.dc().dns_name.clone()]).collect();
            plan.leaf().also_named(names);
        },
    },
    FaultInfo {
        id: "name.oversized-name-first",
        summary: "a DNS name of 320 octets precedes the DC's: longer than DNS allows",
        cause: "a test certificate; clients read names into buffers of their own size",
        chain: "root → intermediate → leaf [SAN a name of 320 octets, dc1.corp.example]\n\
                sent: leaf, intermediate",
        apply: |plan| {
            let long = format!("{}{}", "long-label.".repeat(28), plan.domain());
            let padding = "x".repeat(320_usize.saturating_sub(long.len()));
            let names = [format!("{padding}{long}"), plan.dc().dns_name.clone()];
            plan.leaf().also_named(names);
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

/// The DC's name with an umlaut in the domain.
fn international(plan: &ChainPlan) -> String {
    let domain = match plan.domain().contains('o') {
        true => plan.domain().replacen('o', "ö", 1),
        false => format!("ö{}", plan.domain()),
    };
    format!("{}.{domain}", plan.dc().name)
}
