//! Files of trusted certificates and of revocation lists, as broken as they are.
//!
//! What a client makes of such a file depends on its form, so the form is kept: labels, order,
//! and blocks that cannot be decoded. Text around the blocks is dropped, for it tells names and
//! keys in the clear; so are private keys.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::der::is_whole_sequence;

/// A file of PEM blocks, or one DER structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bundle {
    Der(Vec<u8>),
    Pem(Vec<Piece>),
}

/// A piece of a PEM file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// A BEGIN or END line, as it is.
    Boundary(String),
    /// What could be decoded, and whether a revocation list is announced.
    Der { bytes: Vec<u8>, list: bool },
    /// Text that is no base64.
    Undecodable(String),
}

impl Bundle {
    pub(super) fn read(content: &[u8]) -> Self {
        if is_whole_sequence(content) {
            return Self::Der(content.to_vec());
        }
        let text = String::from_utf8_lossy(content);
        let mut pieces = Vec::new();
        let mut label: Option<String> = None;
        let mut body = String::new();
        for line in text.lines().map(str::trim) {
            let begin = line.strip_prefix("-----BEGIN ");
            if !line.starts_with("-----") {
                if label.is_some() {
                    body.push_str(line);
                }
                continue;
            }
            if let Some(label) = &label {
                pieces.extend(Piece::body(label, std::mem::take(&mut body)));
            }
            let secret = |label: &str| label.contains("PRIVATE KEY");
            let skipped = match (begin, &label) {
                (Some(begin), _) => secret(begin),
                (None, Some(label)) => secret(label),
                // An END line that ends nothing.
                (None, None) => true,
            };
            label = begin.map(|begin| begin.trim_end_matches('-').to_owned());
            if !skipped && is_boundary(line) {
                pieces.push(Piece::Boundary(line.to_owned()));
            }
        }
        if let Some(label) = &label {
            pieces.extend(Piece::body(label, body));
        }
        Self::Pem(pieces)
    }

    /// The structures in it, and which of them should be revocation lists.
    pub(super) fn structures(&self) -> Vec<(&[u8], bool)> {
        match self {
            Self::Der(bytes) => vec![(bytes, false)],
            Self::Pem(pieces) => pieces
                .iter()
                .filter_map(|piece| match piece {
                    Piece::Der { bytes, list } => Some((bytes.as_slice(), *list)),
                    _ => None,
                })
                .collect(),
        }
    }

    /// The file with another structure for each.
    pub(super) fn write(&self, mut other: impl FnMut(&[u8], bool) -> Vec<u8>) -> Vec<u8> {
        let pieces = match self {
            Self::Der(bytes) => return other(bytes, false),
            Self::Pem(pieces) => pieces,
        };
        let mut text = String::new();
        for piece in pieces {
            let body = match piece {
                Piece::Boundary(line) => line.clone(),
                Piece::Der { bytes, list } => STANDARD.encode(other(bytes, *list)),
                Piece::Undecodable(body) => unreadable(body),
            };
            for line in body.as_bytes().chunks(64) {
                text.push_str(&String::from_utf8_lossy(line));
                text.push('\n');
            }
        }
        text.into_bytes()
    }
}

impl Piece {
    fn body(label: &str, text: String) -> Option<Self> {
        if label.contains("PRIVATE KEY") || text.is_empty() {
            return None;
        }
        Some(match STANDARD.decode(&text) {
            Ok(bytes) => Self::Der { bytes, list: label.contains("CRL") },
            Err(_) => Self::Undecodable(text),
        })
    }
}

/// A line that has nothing but a label between its dashes.
fn is_boundary(line: &str) -> bool {
    let label = line.trim_matches('-');
    (label.starts_with("BEGIN ") || label.starts_with("END "))
        && label.bytes().all(|octet| octet.is_ascii_uppercase() || b" 0123456789".contains(&octet))
}

/// Text of the same length that can be decoded as little: it may hold most of a certificate.
fn unreadable(body: &str) -> String {
    let masked: String = body
        .chars()
        .map(|digit| match digit {
            '=' => '=',
            digit if digit.is_ascii_alphanumeric() || "+/".contains(digit) => 'A',
            _ => '!',
        })
        .collect();
    match STANDARD.decode(&masked) {
        Ok(_) => masked.replacen('A', "!", 1),
        Err(_) => masked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> String {
        let bundle = Bundle::read(text.as_bytes());
        String::from_utf8(bundle.write(|bytes, _| bytes.to_vec())).unwrap()
    }

    #[test]
    fn blocks_stay_and_text_and_keys_go() {
        let text = "Bag Attributes\n    friendlyName: Contoso\n-----BEGIN CERTIFICATE-----\r\nAQID\r\n\
                    -----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE \
                    KEY-----\n-----BEGIN X509 CRL-----\nBAUG\n-----END X509 CRL-----\n";
        assert_eq!(
            rewritten(text),
            "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n-----BEGIN X509 \
             CRL-----\nBAUG\n-----END X509 CRL-----\n"
        );
    }

    #[test]
    fn what_is_broken_stays_broken_and_tells_nothing() {
        for (body, masked) in [("AQ!D", "AA!A"), ("AR==", "!A=="), ("AQIDB", "AAAAA")] {
            let block =
                |body| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
            assert_eq!(rewritten(&block(body)), block(masked));
        }
        assert_eq!(
            rewritten("-----BEGIN CERTIFICATE-----\nAQID\n"),
            "-----BEGIN CERTIFICATE-----\nAQID\n"
        );
        assert_eq!(rewritten(""), "");
        assert_eq!(rewritten("Contoso\n"), "");
    }
}
