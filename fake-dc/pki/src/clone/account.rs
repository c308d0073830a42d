//! What became of each certificate, for the person who made the clone.

use std::fmt;

use crate::{
    clone::{
        public_key::{Curve, PublicKey},
        relations::{Maker, Relations},
        signed::Signed,
    },
    der::{self, Element},
    oid,
};

/// One certificate of a clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClonedCertificate {
    /// Its place on the wire, from 1.
    pub number: usize,
    /// Type and size of its key; `None` if it could not be read as a certificate.
    pub key: Option<String>,
    /// Who signed it.
    pub signature: String,
    /// What is not as in the original, beside the keys.
    pub note: Option<&'static str>,
}

impl fmt::Display for ClonedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.number)?;
        match &self.key {
            Some(key) => write!(f, "{key}, signed {}", self.signature)?,
            None => f.write_str(&self.signature)?,
        }
        match self.note {
            Some(note) => write!(f, " ({note})"),
            None => Ok(()),
        }
    }
}

pub(super) fn account(
    originals: &[Vec<u8>],
    clones: &[Vec<u8>],
    relations: &Relations,
) -> Vec<ClonedCertificate> {
    let read: Vec<Option<Signed>> =
        originals.iter().map(|bytes| Signed::certificate(bytes)).collect();
    let numbers: Vec<Option<usize>> = read
        .iter()
        .map(|certificate| certificate.as_ref().and_then(|it| relations.number_of(it)))
        .collect();
    let by = |key: usize, place: usize| match numbers.iter().position(|&it| it == Some(key)) {
        Some(found) if found == place || numbers[place] == Some(key) => "by itself".to_owned(),
        Some(found) => format!("by the key of {}", found + 1),
        None => "by a trusted certificate".to_owned(),
    };
    read.iter()
        .enumerate()
        .map(|(place, certificate)| {
            let number = place + 1;
            let Some(certificate) = certificate else {
                let kept = originals[place] == clones[place];
                let what = if kept { "no certificate, kept" } else { "no certificate, garbled" };
                let signature = what.to_owned();
                return ClonedCertificate { number, key: None, signature, note: None };
            };
            let signature = match relations.signing(certificate).maker {
                Maker::Absent(_) => "by a CA that is not in the input".to_owned(),
                Maker::Broken(key) => {
                    format!("{}, but the signature does not hold", by(key, place))
                }
                Maker::Known(key) => by(key, place),
                Maker::Untold => "in a way that is not understood".to_owned(),
            };
            let key = certificate.key().map(|info| PublicKey::of(info).to_string());
            let hollow = relations.new_key(certificate).is_some_and(|key| !key.signs());
            let note = hollow.then_some("nobody has the private half of its key");
            ClonedCertificate { number, key, signature, note }
        })
        .collect()
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dsa { domain, .. } => write!(f, "DSA {}", domain.bits()),
            Self::Ec { curve, .. } => f.write_str(match curve {
                Curve::P192 => "ECDSA P-192",
                Curve::P224 => "ECDSA P-224",
                Curve::P256 => "ECDSA P-256",
                Curve::P384 => "ECDSA P-384",
                Curve::P521 => "ECDSA P-521",
            }),
            Self::Ed25519(_) => f.write_str("Ed25519"),
            Self::Rsa { n, .. } => write!(f, "RSA {}", n.bits()),
            Self::Unknown { .. } => f.write_str("a key of unknown type"),
        }
    }
}

/// The first name in the SAN that a host can have, else the first common name.
pub(super) fn host_name(leaf: &Signed) -> Option<String> {
    let san = leaf.extension(oid::SUBJECT_ALT_NAME).and_then(|value| Element::parse(&value));
    let names = san.iter().flat_map(|san| san.children()).filter(|name| name.tag() == 0x82);
    let subject = Element::parse(&leaf.subject())?;
    let common = subject.children().iter().flat_map(Element::children).filter(|attribute| {
        attribute.at(&[0]).and_then(Element::arcs).is_some_and(|arcs| arcs == oid::COMMON_NAME)
    });
    names
        .map(Element::content)
        .chain(common.filter_map(|attribute| attribute.at(&[1])).map(text))
        .filter_map(|name| String::from_utf8(name).ok())
        .find(|name| is_host_name(name))
}

fn text(value: &Element) -> Vec<u8> {
    match value.tag() {
        // BMPString.
        0x1e => value.content().into_iter().filter(|&octet| octet != 0).collect(),
        der::NULL => Vec::new(),
        _ => value.content(),
    }
}

/// At least two labels of letters, digits and hyphens.
fn is_host_name(name: &str) -> bool {
    let labels = name.strip_suffix('.').unwrap_or(name).split('.');
    labels.clone().count() >= 2
        && labels.clone().all(|label| {
            !label.is_empty()
                && label.len() < 64
                && label
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet))
        })
}
