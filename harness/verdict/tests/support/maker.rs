//! Certificates with any content, sound or not: a small DER writer and Ed25519 keys.

#![allow(dead_code, reason = "each test uses a part of it")]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

mod rsa;

/// Key numbers that are no Ed25519 keys.
pub(crate) const RSA_512: u8 = 250;
pub(crate) const RSA_2048: u8 = 251;

/// One DER element.
pub(crate) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match content.len() {
        length @ 0..0x80 => bytes.push(u8::try_from(length).expect("below 128")),
        length => {
            let octets = length.to_be_bytes();
            let start = octets.iter().position(|&octet| octet != 0).expect("not zero");
            bytes.push(0x80 | u8::try_from(octets.len() - start).expect("at most 8"));
            bytes.extend(&octets[start..]);
        }
    }
    bytes.extend(content);
    bytes
}

pub(crate) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    der(0x30, &parts.concat())
}

pub(crate) fn oid(text: &str) -> Vec<u8> {
    let numbers: Vec<u32> = text.split('.').map(|part| part.parse().expect("a number")).collect();
    let mut content = Vec::new();
    let joined = [&[numbers[0] * 40 + numbers[1]], &numbers[2..]].concat();
    for number in joined {
        let mut groups = vec![number & 0x7f];
        let mut rest = number >> 7;
        while rest > 0 {
            groups.push(rest & 0x7f | 0x80);
            rest >>= 7;
        }
        content.extend(groups.iter().rev().map(|&group| u8::try_from(group).expect("an octet")));
    }
    der(6, &content)
}

/// A Name with common names.
pub(crate) fn name(common_names: &[&str]) -> Vec<u8> {
    let sets: Vec<_> = common_names
        .iter()
        .map(|text| der(0x31, &sequence(&[oid("2.5.4.3"), der(12, text.as_bytes())])))
        .collect();
    sequence(&sets)
}

/// A key by number.
pub(crate) fn key(number: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[number; 32]).expect("32 octets")
}

pub(crate) fn spki(number: u8) -> Vec<u8> {
    if let Some(key) = rsa_key(number) {
        return key.spki();
    }
    let bits = [&[0], key(number).public_key().as_ref()].concat();
    sequence(&[algorithm("1.3.101.112"), der(3, &bits)])
}

fn rsa_key(number: u8) -> Option<&'static rsa::Rsa> {
    match number {
        RSA_512 => Some(&rsa::BITS_512),
        RSA_2048 => Some(&rsa::BITS_2048),
        _ => None,
    }
}

/// How a key usually signs.
pub(crate) fn usual_algorithm(signer: u8) -> Vec<u8> {
    match rsa_key(signer) {
        Some(_) => sequence(&[oid(rsa::SHA256), der(5, &[])]),
        None => algorithm("1.3.101.112"),
    }
}

/// `sha1WithRSAEncryption`.
pub(crate) fn sha1_with_rsa() -> Vec<u8> {
    sequence(&[oid(rsa::SHA1), der(5, &[])])
}

pub(crate) fn algorithm(text: &str) -> Vec<u8> {
    sequence(&[oid(text)])
}

#[derive(Clone, Debug)]
pub(crate) struct Ext(pub(crate) &'static str, pub(crate) bool, pub(crate) Vec<u8>);

impl Ext {
    pub(crate) fn ca(length: Option<u8>) -> Self {
        let length = length.map(|length| der(2, &[length])).unwrap_or_default();
        Self("2.5.29.19", true, sequence(&[der(1, &[0xff]), length]))
    }

    pub(crate) fn not_ca() -> Self {
        Self("2.5.29.19", true, sequence(&[]))
    }

    /// Key usage with the first octet of its bits.
    pub(crate) fn usage(bits: u8) -> Self {
        Self("2.5.29.15", true, der(3, &[0, bits]))
    }

    /// subjectAltName of raw GeneralNames.
    pub(crate) fn names(names: &[(u8, &[u8])]) -> Self {
        let names: Vec<_> = names.iter().map(|(tag, value)| der(*tag, value)).collect();
        Self("2.5.29.17", false, sequence(&names))
    }

    pub(crate) fn dns(names: &[&str]) -> Self {
        let names: Vec<_> = names.iter().map(|name| (0x82, name.as_bytes())).collect();
        Self::names(&names)
    }

    pub(crate) fn subject_key(id: &[u8]) -> Self {
        Self("2.5.29.14", false, der(4, id))
    }

    pub(crate) fn authority_key(id: &[u8]) -> Self {
        Self("2.5.29.35", false, sequence(&[der(0x80, id)]))
    }

    pub(crate) fn features(features: &[u8]) -> Self {
        let numbers: Vec<_> = features.iter().map(|&feature| der(2, &[feature])).collect();
        Self("1.3.6.1.5.5.7.1.24", false, sequence(&numbers))
    }

    pub(crate) fn purposes(purposes: &[&str]) -> Self {
        let purposes: Vec<_> = purposes.iter().map(|text| oid(text)).collect();
        Self("2.5.29.37", false, sequence(&purposes))
    }

    /// nameConstraints of raw GeneralNames.
    pub(crate) fn constraints(permitted: &[(u8, &[u8])], excluded: &[(u8, &[u8])]) -> Self {
        let list = |tag: u8, names: &[(u8, &[u8])]| {
            let trees: Vec<_> =
                names.iter().map(|(tag, value)| sequence(&[der(*tag, value)])).collect();
            if trees.is_empty() { Vec::new() } else { der(tag, &trees.concat()) }
        };
        Self("2.5.29.30", true, sequence(&[list(0xa0, permitted), list(0xa1, excluded)]))
    }

    fn bytes(&self) -> Vec<u8> {
        let critical = if self.1 { der(1, &[0xff]) } else { Vec::new() };
        sequence(&[oid(self.0), critical, der(4, &self.2)])
    }
}

/// A certificate to be made; every field can be replaced.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    /// Content of the version field; `None` leaves it out.
    pub(crate) version: Option<u8>,
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    /// Whole elements.
    pub(crate) validity: [Vec<u8>; 2],
    pub(crate) spki: Vec<u8>,
    pub(crate) unique_ids: Vec<u8>,
    pub(crate) extensions: Option<Vec<Ext>>,
    pub(crate) inner_algorithm: Vec<u8>,
    pub(crate) outer_algorithm: Vec<u8>,
    pub(crate) signer: u8,
    pub(crate) broken_signature: bool,
}

impl Spec {
    pub(crate) fn new(subject: &str, key: u8, issuer: &str, signer: u8) -> Self {
        Self {
            version: Some(2),
            serial: vec![key, signer, 1],
            issuer: name(&[issuer]),
            subject: name(&[subject]),
            validity: [utc("240101000000Z"), utc("490101000000Z")],
            spki: spki(key),
            unique_ids: Vec::new(),
            extensions: Some(Vec::new()),
            inner_algorithm: usual_algorithm(signer),
            outer_algorithm: usual_algorithm(signer),
            signer,
            broken_signature: false,
        }
    }

    /// A self-signed CA.
    pub(crate) fn root(subject: &str, key: u8) -> Self {
        Self::new(subject, key, subject, key).with(Ext::ca(None))
    }

    /// A leaf for the name the tests connect to.
    pub(crate) fn leaf(issuer: &str, signer: u8) -> Self {
        Self::new("leaf", 200, issuer, signer).with(Ext::dns(&["dc1.ad.example.test"]))
    }

    pub(crate) fn with(mut self, extension: Ext) -> Self {
        self.extensions.get_or_insert_default().push(extension);
        self
    }

    pub(crate) fn without(mut self, oid: &str) -> Self {
        self.extensions.get_or_insert_default().retain(|found| found.0 != oid);
        self
    }

    /// With the algorithm its signer usually signs with.
    pub(crate) fn signed_usually(mut self) -> Self {
        self.inner_algorithm = usual_algorithm(self.signer);
        self.outer_algorithm = usual_algorithm(self.signer);
        self
    }

    pub(crate) fn without_extensions(mut self) -> Self {
        self.extensions = None;
        self
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        let version = self.version.map(|number| der(0xa0, &der(2, &[number]))).unwrap_or_default();
        let extensions = self.extensions.as_ref().map(|list| {
            let list: Vec<_> = list.iter().map(Ext::bytes).collect();
            der(0xa3, &sequence(&list))
        });
        let tbs = sequence(&[
            version,
            der(2, &self.serial),
            self.inner_algorithm.clone(),
            self.issuer.clone(),
            sequence(&self.validity),
            self.subject.clone(),
            self.spki.clone(),
            self.unique_ids.clone(),
            extensions.unwrap_or_default(),
        ]);
        let mut signature = match rsa_key(self.signer) {
            Some(key) if self.outer_algorithm == sha1_with_rsa() => key.sign(rsa::SHA1, &tbs),
            Some(key) => key.sign(rsa::SHA256, &tbs),
            None => key(self.signer).sign(&tbs).as_ref().to_vec(),
        };
        if self.broken_signature {
            signature[7] ^= 1;
        }
        let bits = der(3, &[&[0], &signature[..]].concat());
        sequence(&[tbs, self.outer_algorithm.clone(), bits])
    }

    pub(crate) fn pem(&self) -> String {
        pem("CERTIFICATE", &self.der())
    }
}

pub(crate) fn utc(text: &str) -> Vec<u8> {
    der(0x17, text.as_bytes())
}

pub(crate) fn generalized(text: &str) -> Vec<u8> {
    der(0x18, text.as_bytes())
}

/// A CRL that lists serial numbers; nobody looks at its signature.
pub(crate) fn crl(issuer: &[u8], this_update: &str, serials: &[Vec<u8>]) -> String {
    let entries: Vec<_> =
        serials.iter().map(|serial| sequence(&[der(2, serial), utc("240101000000Z")])).collect();
    let revoked = if entries.is_empty() { Vec::new() } else { sequence(&entries) };
    let body = sequence(&[
        der(2, &[1]),
        algorithm("1.3.101.112"),
        issuer.to_vec(),
        utc(this_update),
        utc("490101000000Z"),
        revoked,
    ]);
    let whole = sequence(&[body, algorithm("1.3.101.112"), der(3, &[0; 65])]);
    pem("X509 CRL", &whole)
}

pub(crate) fn pem(label: &str, bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, &octet| word << 8 | u32::from(octet));
        let word = word << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}
