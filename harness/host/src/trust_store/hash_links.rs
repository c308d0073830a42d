//! The links that `openssl rehash` makes in a directory, by which OpenSSL finds a certificate from
//! the name of its subject (openssl-rehash(1)).
//!
//! A link is called after the hash of that name and a number: `9d66eef0.0`; that of a revocation
//! list after its issuer: `9d66eef0.r0`. Nothing in this program reads them.

use std::collections::{BTreeMap, BTreeSet};

use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use x509_parser::{
    asn1_rs::{Any, Tag},
    prelude::{CertificateRevocationList, FromDer as _, X509Certificate, X509Name},
};

use crate::{HostError, HostRoot, certificate::lenient_blocks};

/// Endings of the files that are looked at.
const SUFFIXES: [&str; 4] = [".cer", ".crl", ".crt", ".pem"];

/// Makes the links of a directory, as far as they are not there.
///
/// With the oddities of the real program: a link to a file that is gone stays while others of its
/// name use up its number, and so does a number that is too high.
pub(super) fn rehash(root: &HostRoot, directory: &str) -> Result<(), HostError> {
    for (stem, entries) in entries_by_stem(root, directory)? {
        let needed = entries.iter().filter(|entry| entry.digest.is_some()).count();
        let stays = |entry: &Entry| entry.number.filter(|number| *number < needed);
        let mut taken: BTreeSet<_> = entries.iter().filter_map(stays).collect();
        for entry in entries.iter().filter(|entry| stays(entry).is_none()) {
            if entry.digest.is_some() {
                let free = (0..).find(|number| !taken.contains(number)).unwrap_or(needed);
                root.link(directory, &stem.link(free), &entry.file)?;
                taken.insert(free);
            } else if let Some(number) = entry.number {
                root.unlink(directory, &stem.link(number))?;
            }
        }
    }
    Ok(())
}

/// A file that is, or was, to be found by a link.
#[derive(Debug)]
struct Entry {
    file: String,
    /// Of what it holds; `None` if only a link speaks of it.
    digest: Option<[u8; 32]>,
    /// Of the link that is there; the lowest of several.
    number: Option<usize>,
}

/// What a link is called after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stem {
    Certificate(u32),
    RevocationList(u32),
}

impl Stem {
    fn link(self, number: usize) -> String {
        match self {
            Self::Certificate(hash) => format!("{hash:08x}.{number}"),
            Self::RevocationList(hash) => format!("{hash:08x}.r{number}"),
        }
    }
}

/// The stem and number of a link that `openssl rehash` may have made.
fn parse(name: &str) -> Option<(Stem, usize)> {
    let (hash, number) = name.split_once('.')?;
    let hash = (hash.len() == 8).then(|| u32::from_str_radix(hash, 16).ok())??;
    let (stem, number) = match number.strip_prefix('r') {
        Some(number) => (Stem::RevocationList(hash), number),
        None => (Stem::Certificate(hash), number),
    };
    Some((stem, number.parse().ok()?))
}

/// What a directory holds, in the order of names: links, and files with exactly one certificate or
/// list. Of files that hold the same, the first counts.
fn entries_by_stem(
    root: &HostRoot,
    directory: &str,
) -> Result<BTreeMap<Stem, Vec<Entry>>, HostError> {
    let links = root.links(directory)?;
    let mut stems: BTreeMap<Stem, Vec<Entry>> = BTreeMap::new();
    for name in root.list(directory)? {
        if let (Some(target), Some((stem, number))) = (links.get(&name), parse(&name)) {
            let file = target.to_string_lossy().into_owned();
            let entry = entry_of(stems.entry(stem).or_default(), file);
            entry.number = Some(entry.number.map_or(number, |lowest| lowest.min(number)));
            continue;
        }
        if !SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
            continue;
        }
        // What cannot be read is passed over.
        let Ok(content) = root.read(&format!("{directory}/{name}")) else { continue };
        let Some((stem, der)) = stem_of(&String::from_utf8_lossy(&content)) else { continue };
        let digest = Some(Sha256::digest(&der).into());
        let entries = stems.entry(stem).or_default();
        if !entries.iter().any(|entry| entry.digest == digest) {
            entry_of(entries, name).digest = digest;
        }
    }
    Ok(stems)
}

/// The entry of a file, which may be a new one.
fn entry_of(entries: &mut Vec<Entry>, file: String) -> &mut Entry {
    let place = entries.iter().position(|entry| entry.file == file).unwrap_or_else(|| {
        entries.push(Entry { file, digest: None, number: None });
        entries.len() - 1
    });
    &mut entries[place]
}

fn stem_of(text: &str) -> Option<(Stem, Vec<u8>)> {
    let mut found = lenient_blocks(text).filter(|(label, _)| {
        matches!(label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE" | "X509 CRL")
    });
    let (label, der) = found.next()?;
    if found.next().is_some() {
        return None;
    }
    let stem = if label == "X509 CRL" {
        let (_, list) = CertificateRevocationList::from_der(&der).ok()?;
        Stem::RevocationList(name_hash(list.issuer())?)
    } else {
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        Stem::Certificate(name_hash(certificate.subject())?)
    };
    Some((stem, der))
}

/// `X509_NAME_hash`: the first four octets, the last first, of SHA-1 over the name in the form in
/// which OpenSSL compares names. `None` for text that its type does not allow.
fn name_hash(name: &X509Name<'_>) -> Option<u32> {
    let mut canonical = Vec::new();
    for rdn in name.iter_rdn() {
        let mut attributes = Vec::new();
        for attribute in rdn.iter() {
            let kind = element(0x06, attribute.attr_type().as_bytes());
            let value = canonical_value(attribute.attr_value())?;
            attributes.push(element(0x30, &[kind, value].concat()));
        }
        attributes.sort();
        canonical.extend(element(0x31, &attributes.concat()));
    }
    let digest = Sha1::digest(&canonical);
    Some(u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]))
}

/// Texts become UTF-8 in lower case (of ASCII), with single blanks between words and none at the
/// ends; anything else stays.
fn canonical_value(value: &Any<'_>) -> Option<Vec<u8>> {
    let text: String = match value.tag() {
        Tag::Utf8String => std::str::from_utf8(value.data).ok()?.to_owned(),
        Tag::PrintableString | Tag::T61String | Tag::Ia5String | Tag::VisibleString => {
            value.data.iter().map(|octet| char::from(*octet)).collect()
        }
        Tag::BmpString => {
            let units =
                value.data.chunks_exact(2).map(|unit| u16::from_be_bytes([unit[0], unit[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()?
        }
        Tag::UniversalString => {
            let units = value.data.chunks_exact(4);
            units
                .map(|unit| {
                    char::from_u32(u32::from_be_bytes([unit[0], unit[1], unit[2], unit[3]]))
                })
                .collect::<Option<_>>()?
        }
        _ => return Some(element(u8::try_from(value.tag().0).ok()?, value.data)),
    };
    let is_space = |c: char| matches!(c, ' ' | '\t'..='\r');
    let words: Vec<_> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    Some(element(0x0c, words.join(" ").to_ascii_lowercase().as_bytes()))
}

/// An element in DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[length.iter().position(|octet| *octet != 0).unwrap_or(7)..];
    let mut element = vec![tag];
    if content.len() < 0x80 {
        element.extend(significant);
    } else {
        // At most eight octets of length.
        element.push(0x80 | u8::try_from(significant.len()).unwrap_or(8));
        element.extend(significant);
    }
    element.extend(content);
    element
}

#[cfg(test)]
mod tests;
