//! Reading a certificate as xapi does on install (xapi-flows.md §3.1).
//!
//! Only what xapi looks at: the one certificate block of a text, its dates and fingerprints. It
//! judges no chain and no key.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ground::Timestamp;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::{Certificate, CertificateType, Reference};

/// One certificate of a PEM text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ParsedCertificate {
    /// The text to store.
    pub(crate) pem: String,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) fingerprint_sha256: String,
    pub(crate) fingerprint_sha1: String,
}

impl ParsedCertificate {
    /// Reads a text that must hold exactly one certificate block that decodes. `keep_all` keeps
    /// the text as it was sent, else only the block itself is kept (quirk Q17).
    pub(crate) fn from_pem(text: &str, keep_all: bool) -> Option<Self> {
        let blocks = pem_blocks(text)?;
        let mut certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
        let (block, None) = (certificates.next()?, certificates.next()) else { return None };
        let certificate = Self::of_block(block)?;
        Some(if keep_all { Self { pem: text.to_owned(), ..certificate } } else { certificate })
    }

    /// Reads the first certificate block of a text, whatever else it holds.
    pub(crate) fn first_of(text: &str) -> Option<Self> {
        let blocks = pem_blocks(text)?;
        Self::of_block(blocks.iter().find(|block| block.label == "CERTIFICATE")?)
    }

    fn of_block(block: &Block<'_>) -> Option<Self> {
        let der = BASE64_STANDARD.decode(block.data.concat()).ok()?;
        let (rest, certificate) = X509Certificate::from_der(&der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let validity = certificate.validity();
        Some(Self {
            pem: block.to_text(),
            not_before: validity.not_before.to_datetime().into(),
            not_after: validity.not_after.to_datetime().into(),
            fingerprint_sha256: fingerprint(&Sha256::digest(&der)),
            fingerprint_sha1: fingerprint(&Sha1::digest(&der)),
        })
    }

    /// Its row: without a name, a host, or purposes.
    pub(crate) fn row(
        &self,
        kind: CertificateType,
        (reference, uuid): (Reference, Uuid),
    ) -> Certificate {
        Certificate {
            reference,
            uuid,
            name: String::new(),
            kind,
            host: Reference::null(),
            not_before: self.not_before,
            not_after: self.not_after,
            fingerprint_sha256: self.fingerprint_sha256.clone(),
            fingerprint_sha1: self.fingerprint_sha1.clone(),
            purpose: BTreeSet::new(),
        }
    }
}

struct Block<'a> {
    label: &'a str,
    data: Vec<&'a str>,
}

impl Block<'_> {
    fn to_text(&self) -> String {
        let Self { label, data } = self;
        let data = data.join("\n");
        format!("-----BEGIN {label}-----\n{data}\n-----END {label}-----\n")
    }
}

/// The blocks of a text with what their base64 stands for, read as leniently as OpenSSL does: blanks
/// at the end of a line do not count, and what is no sound block is passed over.
pub(crate) fn lenient_blocks(text: &str) -> impl Iterator<Item = (String, Vec<u8>)> {
    let mut lines = text.lines().map(str::trim_ascii_end);
    std::iter::from_fn(move || {
        loop {
            let label = lines.by_ref().find_map(|line| {
                line.strip_prefix("-----BEGIN ")?.strip_suffix("-----").map(str::to_owned)
            })?;
            let end = format!("-----END {label}-----");
            let data: String = lines.by_ref().take_while(|line| *line != end).collect();
            if let Ok(der) = BASE64_STANDARD.decode(data) {
                return Some((label, der));
            }
        }
    })
}

/// All blocks of a text; `None` if one is not closed by its own end. A marker stands alone on its
/// line, without blanks. Empty lines and `#` comments are skipped everywhere.
fn pem_blocks(text: &str) -> Option<Vec<Block<'_>>> {
    let marker = |line: &str| -> Option<(bool, usize)> {
        let inner = line.strip_suffix("-----")?;
        ["-----BEGIN ", "-----END "].iter().find_map(|start| {
            inner.starts_with(start).then_some((start.contains("BEGIN"), start.len()))
        })
    };
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let marker = marker(line).and_then(|(begins, start)| {
            line.get(start..line.len() - 5).map(|label| (begins, label))
        });
        open = match (open, marker) {
            (None, Some((true, label))) => Some(Block { label, data: Vec::new() }),
            (None, _) => None,
            (Some(block), Some((false, label))) if label == block.label => {
                blocks.push(block);
                None
            }
            (Some(_), Some(_)) => return None,
            (Some(mut block), None) => {
                block.data.push(line);
                Some(block)
            }
        };
    }
    open.is_none().then_some(blocks)
}

/// Upper-case hex, octets separated by `:`.
fn fingerprint(digest: &[u8]) -> String {
    let octets: Vec<_> = digest.iter().map(|octet| format!("{octet:02X}")).collect();
    octets.join(":")
}
