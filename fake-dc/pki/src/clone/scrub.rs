//! Exchanging names: every word of the customer's own for an invented one, everywhere alike.
//!
//! The words are found twice: a first pass over everything only collects them, so that no
//! invention is a word that occurs; the second exchanges them. Inventions have the length, the
//! alphabet and the case of what they stand for. So names that were equal, or ended in the same
//! labels, still do, and so does what compares them: SAN and host name, constraint and name,
//! issuer and subject.

use std::net::IpAddr;

use crate::{
    clone::signed::{Kind, Signed},
    der::{self, Element},
    oid,
};

mod address;
mod map;
mod strings;
mod text;

pub use map::{ScrubMap, ScrubMapError};

use map::Seen;

/// Exchanges names by a map, or collects what the map lacks.
pub(super) struct Scrubber<'a> {
    map: &'a ScrubMap,
    seen: Seen,
}

impl<'a> Scrubber<'a> {
    pub(super) fn new(map: &'a ScrubMap) -> Self {
        Self { map, seen: Seen::default() }
    }

    /// The map with something for everything that this scrubber met.
    pub(super) fn learned(self) -> ScrubMap {
        let mut map = self.map.clone();
        map.extend(&self.seen);
        map
    }

    /// Names and extensions of a certificate or revocation list.
    pub(super) fn signed(&mut self, signed: &mut Signed) {
        for name in signed.names_mut() {
            self.tree(name, Within::Anything);
        }
        for field in signed.other_fields_mut() {
            self.tree(field, Within::Anything);
        }
        for extension in signed.extensions_mut() {
            self.extension(extension);
        }
        match signed.kind() {
            Kind::Certificate => {
                for id in signed.unique_ids_mut() {
                    id.set_content(self.raw(&id.content()));
                }
            }
            Kind::RevocationList => {
                for extension in signed.entry_extensions_mut() {
                    self.extension(extension);
                }
            }
        }
        // Text behind the certificate, such as the alias in a TRUSTED CERTIFICATE.
        if let Some(mut elements) = Element::parse_all(signed.behind()) {
            elements.iter_mut().for_each(|element| self.tree(element, Within::Anything));
            signed.set_behind(elements.iter().flat_map(Element::to_bytes).collect());
        } else {
            signed.set_behind(self.raw(signed.behind()));
        }
    }

    /// One extension: SEQUENCE { id, critical, OCTET STRING }.
    fn extension(&mut self, extension: &mut Element) {
        let arcs = extension.at(&[0]).and_then(Element::arcs).unwrap_or_default();
        let within = match arcs.as_slice() {
            oid::SUBJECT_KEY_ID | SCT_LIST | oid::KEY_USAGE | oid::BASIC_CONSTRAINTS => return,
            oid::AUTHORITY_KEY_ID => Within::AuthorityKeyId,
            CRL_DISTRIBUTION_POINTS | FRESHEST_CRL => Within::DistributionPoints,
            oid::SUBJECT_ALT_NAME
            | ISSUER_ALT_NAME
            | oid::NAME_CONSTRAINTS
            | oid::AUTHORITY_INFO_ACCESS
            | SUBJECT_INFO_ACCESS
            | ISSUING_DISTRIBUTION_POINT
            | CERTIFICATE_ISSUER => Within::GeneralNames,
            _ => Within::Anything,
        };
        if let Some(id) = extension.children_mut().and_then(|parts| parts.first_mut()) {
            self.object_identifier(id);
        }
        let value = extension.children_mut().and_then(|parts| parts.last_mut());
        let Some(value) = value.filter(|value| value.tag() == der::OCTET_STRING) else { return };
        let content = value.content();
        match Element::parse_all(&content) {
            Some(mut elements) => {
                for element in &mut elements {
                    match within {
                        Within::AuthorityKeyId => {
                            self.constructed_children(element, Within::GeneralNames);
                        }
                        Within::DistributionPoints => {
                            for point in element.children_mut().into_iter().flatten() {
                                self.constructed_children(point, Within::GeneralNames);
                            }
                        }
                        within => self.tree(element, within),
                    }
                }
                value.set_content(elements.iter().flat_map(Element::to_bytes).collect::<Vec<_>>());
            }
            None => value.set_content(self.raw(&content)),
        }
    }

    /// The children that hold elements; the others are numbers and flags.
    fn constructed_children(&mut self, element: &mut Element, within: Within) {
        for child in element.children_mut().into_iter().flatten() {
            if child.children_mut().is_some() {
                self.tree(child, within);
            }
        }
    }

    fn tree(&mut self, element: &mut Element, within: Within) {
        let tag = element.tag();
        if let Some(children) = element.children_mut() {
            let id = children.first().and_then(Element::arcs).unwrap_or_default();
            match id.as_slice() {
                oid::COUNTRY | JURISDICTION_COUNTRY => {}
                NTDS_OBJECT_GUID => {
                    children.iter_mut().for_each(|child| self.guid_octets(child));
                }
                _ => children.iter_mut().for_each(|child| self.tree(child, within)),
            }
            return;
        }
        match (tag, within) {
            (0x81 | 0x82 | 0x86, Within::GeneralNames) => {
                let exchanged = self.string(0x16, &element.content());
                element.set_content(exchanged);
            }
            (0x87, Within::GeneralNames) => {
                let exchanged = self.address_octets(&element.content());
                element.set_content(exchanged);
            }
            (der::OBJECT_IDENTIFIER, _) => self.object_identifier(element),
            (der::OCTET_STRING, _) => self.octets(element),
            _ if strings::is_string(tag) => {
                let exchanged = self.string(tag, &element.content());
                element.set_content(exchanged);
            }
            (0x80..0xc0, _) => {
                let exchanged = self.unknown(&element.content());
                element.set_content(exchanged);
            }
            // Numbers, flags, times, bits.
            _ => {}
        }
    }

    /// An OCTET STRING: elements, text, or neither.
    fn octets(&mut self, element: &mut Element) {
        let content = element.content();
        if is_text(&content) {
            // The SID in the security extension of AD CS.
            let exchanged = self.string(0x16, &content);
            return element.set_content(exchanged);
        }
        match Element::parse_all(&content).filter(|inner| !inner.is_empty()) {
            Some(mut inner) => {
                inner.iter_mut().for_each(|element| self.tree(element, Within::Anything));
                element.set_content(inner.iter().flat_map(Element::to_bytes).collect::<Vec<_>>());
            }
            None => {
                let exchanged = self.unknown(&content);
                element.set_content(exchanged);
            }
        }
    }

    fn guid_octets(&mut self, element: &mut Element) {
        if element.tag() == der::OCTET_STRING {
            let exchanged = self.identifier(&element.content());
            element.set_content(exchanged);
        }
        for child in element.children_mut().into_iter().flatten() {
            self.guid_octets(child);
        }
    }

    /// AD CS draws a subtree of Microsoft's for every forest, and IANA gives every enterprise that
    /// asks a number: what follows is the name of somebody.
    fn object_identifier(&mut self, element: &mut Element) {
        let Some(arcs) = element.arcs() else { return };
        let public = match arcs.as_slice() {
            arcs if arcs.starts_with(FOREST) => FOREST.len(),
            [1, 3, 6, 1, 4, 1, number, ..] if !PUBLIC_ENTERPRISES.contains(number) => 6,
            _ => return,
        };
        let exchanged = arcs.iter().enumerate().map(|(place, arc)| match place < public {
            true => *arc,
            false => self.number(&arc.to_string()).parse().unwrap_or(*arc),
        });
        element.set_content(der::oid_content(&exchanged.collect::<Vec<_>>()));
    }

    /// An address, or a range of addresses in a constraint, which is twice as long.
    fn address_octets(&mut self, octets: &[u8]) -> Vec<u8> {
        match octets.len() {
            4 | 16 => match address::from_octets(octets) {
                Some(address) => address::octets_of(self.address(address)),
                None => octets.to_vec(),
            },
            8 | 32 => self.map.identifier(octets).unwrap_or_else(|| {
                self.seen.ranges.insert(octets.to_vec());
                octets.to_vec()
            }),
            _ => self.raw(octets),
        }
    }

    fn word(&mut self, written: &str, lower: &str) -> String {
        // One letter is nobody's name.
        if lower.chars().count() < 2 {
            return written.to_owned();
        }
        match self.map.word(lower) {
            Some(exchanged) => text::with_case_of(written, exchanged),
            None => {
                self.seen.words.insert(lower.to_owned());
                written.to_owned()
            }
        }
    }

    fn end(&mut self, lower: &str) {
        if lower.chars().count() >= 2 {
            self.seen.words.insert(lower.to_owned());
        }
        self.seen.ends.insert(lower.to_owned());
    }

    fn number(&mut self, digits: &str) -> String {
        // Short ones count: the second DC, version 3, block 40.
        if digits.len() < 3 {
            return digits.to_owned();
        }
        match self.map.number(digits) {
            Some(exchanged) => exchanged.to_owned(),
            None => {
                self.seen.numbers.insert(digits.to_owned());
                digits.to_owned()
            }
        }
    }

    fn address(&mut self, address: IpAddr) -> IpAddr {
        self.map.address(address).unwrap_or_else(|| {
            self.seen.addresses.insert(address);
            address
        })
    }

    /// Octets that identify something, such as a GUID or a key.
    pub(super) fn identifier(&mut self, octets: &[u8]) -> Vec<u8> {
        self.map.identifier(octets).unwrap_or_else(|| {
            self.seen.identifiers.insert(octets.to_vec());
            octets.to_vec()
        })
    }

    /// A GUID as text, which has its first three parts in the other order of octets.
    fn guid(&mut self, written: &str) -> String {
        const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
        let digits: Vec<u8> = written.bytes().filter(|octet| *octet != b'-').collect();
        let octets: Vec<u8> = digits
            .chunks(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let ordered: Vec<u8> = ORDER.iter().filter_map(|&at| octets.get(at).copied()).collect();
        let exchanged = self.identifier(&ordered);
        let mut text = String::with_capacity(36);
        for (place, &at) in ORDER.iter().enumerate() {
            if [4, 6, 8, 10].contains(&place) {
                text.push('-');
            }
            text.push_str(&format!("{:02x}", exchanged.get(at).copied().unwrap_or_default()));
        }
        if written.bytes().any(|octet| octet.is_ascii_uppercase()) {
            text.make_ascii_uppercase();
        }
        text
    }
}

/// What the elements of a tree are part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Anything,
    AuthorityKeyId,
    DistributionPoints,
    GeneralNames,
}

fn is_text(content: &[u8]) -> bool {
    content.len() >= 4 && content.iter().all(|octet| (0x20..0x7f).contains(octet))
}

const ISSUER_ALT_NAME: &[u64] = &[2, 5, 29, 18];
const ISSUING_DISTRIBUTION_POINT: &[u64] = &[2, 5, 29, 28];
const CERTIFICATE_ISSUER: &[u64] = &[2, 5, 29, 29];
const CRL_DISTRIBUTION_POINTS: &[u64] = &[2, 5, 29, 31];
const FRESHEST_CRL: &[u64] = &[2, 5, 29, 46];
const SUBJECT_INFO_ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 11];
/// RFC 6962, section 3.3.
const SCT_LIST: &[u64] = &[1, 3, 6, 1, 4, 1, 11_129, 2, 4, 2];
/// szOID_NTDS_REPLICATION: the object GUID of a DC, in the templates for domain controllers.
const NTDS_OBJECT_GUID: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 25, 1];
/// szOID_ENTERPRISE_OID_ROOT: what AD CS makes the OIDs of a forest's templates and policies from.
const FOREST: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 21, 8];
/// Enterprises whose numbers stand in everybody's certificates: Microsoft, GlobalSign, Sectigo,
/// Google, Let's Encrypt.
const PUBLIC_ENTERPRISES: &[u64] = &[311, 4_146, 6_449, 11_129, 44_947];
/// The CA/Browser Forum's jurisdictionCountryName.
const JURISDICTION_COUNTRY: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 60, 2, 1, 3];
