//! Reading a certificate as xapi does on install (xapi-flows.md §3.1).
//!
//! Only what xapi looks at: the one certificate block of a text, its dates and fingerprints. It
//! judges no chain and no key.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ground::Timestamp;
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The one certificate of a PEM text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustedCertificate {
    /// The text to store.
    pub(crate) pem: String,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) fingerprint_sha256: String,
    pub(crate) fingerprint_sha1: String,
}

impl TrustedCertificate {
    /// Reads a text that must hold exactly one certificate block that decodes. `keep_all` keeps
    /// the text as it was sent, else only the block itself is kept (quirk Q17).
    pub(crate) fn from_pem(text: &str, keep_all: bool) -> Option<Self> {
        let blocks = pem_blocks(text)?;
        let mut certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE");
        let (block, None) = (certificates.next()?, certificates.next()) else { return None };
        let der = BASE64_STANDARD.decode(block.data.concat()).ok()?;
        let (rest, certificate) = X509Certificate::from_der(&der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let validity = certificate.validity();
        Some(Self {
            pem: if keep_all { text.to_owned() } else { block.to_text() },
            not_before: validity.not_before.to_datetime().into(),
            not_after: validity.not_after.to_datetime().into(),
            fingerprint_sha256: fingerprint(&Sha256::digest(&der)),
            fingerprint_sha1: fingerprint(&Sha1::digest(&der)),
        })
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
