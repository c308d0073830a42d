//! The body of a certificate (`TBSCertificate`, RFC 5280, section 4.1), element by element.
//!
//! Well-formed in all that the plan does not demand otherwise.

use std::net::IpAddr;

use ground::Timestamp;
use time::{format_description::StaticFormatDescription, macros::format_description};

use crate::{
    certificate::{CertificatePlan, TimeForm},
    der::{BIT_STRING, Element},
    extension::{AltName, BasicConstraints, Extension, ExtensionEdit, KeyUsage, Purpose},
    key::SigningKey,
    name::Name,
    oid,
};

/// What a certificate says beside what its plan says.
pub(crate) struct Surroundings<'a> {
    pub(crate) issuer: &'a Name,
    pub(crate) issuer_key_id: Vec<u8>,
    pub(crate) algorithm: Element,
    pub(crate) key: &'a SigningKey,
}

/// The elements behind the serial number.
pub(crate) fn behind_serial(plan: &CertificatePlan, around: Surroundings<'_>) -> Vec<Element> {
    let mut body = vec![
        around.algorithm,
        plan.issuer.as_ref().unwrap_or(around.issuer).element(),
        Element::sequence([plan.not_before, plan.not_after].map(|at| date(at, plan.time_form))),
        plan.subject.element(),
        around.key.public_key_info().clone(),
    ];
    if let (Some(arcs), Some(algorithm)) =
        (&plan.key_algorithm, body.last_mut().and_then(|key| key.at_mut(&[0])))
    {
        *algorithm = Element::sequence([Element::object_identifier(arcs)]);
    }
    if plan.unique_ids {
        // IMPLICIT BIT STRINGs.
        body.extend([1, 2].map(|number| Element::context(number, [0, 0x5a])));
    }
    let extensions = extensions(plan, &around.issuer_key_id, &around.key.identifier());
    if !extensions.is_empty() {
        let extensions: Vec<_> = extensions.iter().map(Extension::element).collect();
        body.push(Element::explicit(3, Element::sequence(extensions)));
    }
    body
}

/// Version and serial number, in front of `body`.
pub(crate) fn complete(version: u8, serial: &[u8], body: Vec<Element>) -> Element {
    // DEFAULT v1: written only if it is another.
    let version = version.checked_sub(1).filter(|&number| number > 0);
    let version = version.map(|number| Element::explicit(0, Element::integer(number.into())));
    let serial = Element::primitive(crate::der::INTEGER, serial);
    let elements: Vec<_> = version.into_iter().chain([serial]).chain(body).collect();
    Element::sequence(elements)
}

/// RFC 5280, section 4.1.2.5: UTCTime until 2049.
pub(crate) fn time(timestamp: Timestamp) -> Element {
    date(timestamp, TimeForm::Usual)
}

fn date(timestamp: Timestamp, form: TimeForm) -> Element {
    const WITHOUT_SECONDS: StaticFormatDescription =
        format_description!("[year repr:last_two][month][day][hour][minute]Z");
    const UTC_TIME: StaticFormatDescription =
        format_description!("[year repr:last_two][month][day][hour][minute][second]Z");
    const GENERALIZED_TIME: StaticFormatDescription =
        format_description!("[year][month][day][hour][minute][second]Z");
    let time = timestamp.to_date_time();
    let (tag, format) = match (form, time.year()) {
        (TimeForm::Usual, 1950..2050) => (0x17, UTC_TIME),
        (TimeForm::WithoutSeconds, _) => (0x17, WITHOUT_SECONDS),
        _ => (0x18, GENERALIZED_TIME),
    };
    // These formats ask for nothing that a time does not have.
    Element::primitive(tag, time.format(format).unwrap_or_default())
}

fn extensions(plan: &CertificatePlan, issuer_key_id: &[u8], key_id: &[u8]) -> Vec<Extension> {
    let issuer_key_id = plan.issuer_key_id.as_deref().unwrap_or(issuer_key_id);
    let mut extensions = vec![Extension::new(
        oid::AUTHORITY_KEY_ID,
        Element::sequence([Element::context(0, issuer_key_id)]),
    )];
    if !plan.alt_names.is_empty() {
        let names: Vec<_> = plan.alt_names.iter().map(alt_name).collect();
        let alt_names = Extension::new(oid::SUBJECT_ALT_NAME, Element::sequence(names));
        // RFC 5280, section 4.2.1.6.
        extensions.push(Extension { critical: plan.subject.is_empty(), ..alt_names });
    }
    if !plan.key_usages.is_empty() {
        extensions.push(Extension::new(oid::KEY_USAGE, key_usage(&plan.key_usages)).critical());
    }
    if !plan.purposes.is_empty() {
        let purposes = plan.purposes.iter().map(|purpose| {
            Element::object_identifier(match purpose {
                Purpose::Any => oid::ANY_PURPOSE,
                Purpose::ClientAuth => oid::CLIENT_AUTH,
                Purpose::ServerAuth => oid::SERVER_AUTH,
                Purpose::Other(arcs) => arcs,
            })
        });
        let purposes = Element::sequence(purposes.collect::<Vec<_>>());
        extensions.push(Extension::new(oid::EXTENDED_KEY_USAGE, purposes));
    }
    let trees: Vec<_> = [(0, &plan.permitted), (1, &plan.excluded)]
        .into_iter()
        .filter(|(_, domains)| !domains.is_empty())
        .map(|(number, domains)| Element::context_of(number, subtrees(domains)))
        .collect();
    if !trees.is_empty() {
        let trees = Element::sequence(trees);
        extensions.push(Extension::new(oid::NAME_CONSTRAINTS, trees).critical());
    }
    extensions.push(Extension::new(oid::SUBJECT_KEY_ID, Element::octet_string(key_id)));
    let constraints = match plan.basic_constraints {
        BasicConstraints::Absent => None,
        BasicConstraints::Ca(None) => Some(vec![Element::boolean(true)]),
        BasicConstraints::Ca(Some(length)) => {
            Some(vec![Element::boolean(true), Element::integer(length.into())])
        }
        BasicConstraints::NotCa => Some(Vec::new()),
    };
    if let Some(constraints) = constraints {
        let constraints = Element::sequence(constraints);
        extensions.push(Extension::new(oid::BASIC_CONSTRAINTS, constraints).critical());
    }
    for edit in &plan.edits {
        apply(edit, &mut extensions);
    }
    extensions
}

fn apply(edit: &ExtensionEdit, extensions: &mut Vec<Extension>) {
    let place = |oid: &[u64], extensions: &[Extension]| {
        extensions.iter().position(|extension| extension.oid == oid)
    };
    match edit {
        ExtensionEdit::Add(extension) => extensions.push(extension.clone()),
        ExtensionEdit::Remove(oid) => extensions.retain(|extension| extension.oid != *oid),
        ExtensionEdit::RemoveAll => extensions.clear(),
        ExtensionEdit::Repeat(oid) => {
            if let Some(place) = place(oid, extensions) {
                extensions.insert(place, extensions[place].clone());
            }
        }
        ExtensionEdit::Replace(extension) => match place(&extension.oid, extensions) {
            Some(place) => extensions[place] = extension.clone(),
            None => extensions.push(extension.clone()),
        },
    }
}

fn alt_name(name: &AltName) -> Element {
    match name {
        AltName::Dns(name) => Element::context(2, name.as_str()),
        AltName::Email(address) => Element::context(1, address.as_str()),
        AltName::Ip(IpAddr::V4(address)) => Element::context(7, address.octets()),
        AltName::Ip(IpAddr::V6(address)) => Element::context(7, address.octets()),
        AltName::Uri(uri) => Element::context(6, uri.as_str()),
        AltName::UserPrincipalName(name) => {
            let value = Element::primitive(0x0c, name.as_str());
            let kind = Element::object_identifier(oid::USER_PRINCIPAL_NAME);
            Element::context_of(0, [kind, Element::explicit(0, value)])
        }
    }
}

fn subtrees(domains: &[String]) -> Vec<Element> {
    let tree = |domain: &String| Element::sequence([Element::context(2, domain.as_str())]);
    domains.iter().map(tree).collect()
}

/// A named bit list: the trailing zeros are cut off.
fn key_usage(usages: &[KeyUsage]) -> Element {
    let bits = usages.iter().fold(0_u16, |bits, &usage| bits | 0x8000 >> usage as u16);
    let unused = bits.trailing_zeros() as u8;
    let octets = bits.to_be_bytes();
    let content = match unused {
        8.. => vec![unused - 8, octets[0]],
        _ => vec![unused, octets[0], octets[1]],
    };
    Element::primitive(BIT_STRING, content)
}
