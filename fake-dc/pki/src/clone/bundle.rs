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
    /// The label of a BEGIN line.
    Begin(String),
    /// What could be decoded, and whether a revocation list is announced.
    Der { bytes: Vec<u8>, list: bool },
    /// The label of an END line.
    End(String),
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
        // The label of the block that is open.
        let mut label: Option<&str> = None;
        // Boundaries are found wherever they stand in a line, as GnuTLS finds them.
        for part in text.split(DASHES) {
            if let Some(begun) = part.strip_prefix("BEGIN ") {
                let (name, rest) = begun.split_at(begun.find(is_foreign).unwrap_or(begun.len()));
                label = Some(name);
                if !is_secret(name) {
                    pieces.push(Piece::Begin(name.to_owned()));
                    // No dashes behind the label: what follows is read by nobody.
                    pieces.extend(Piece::undecodable(rest));
                }
            } else if let (Some(name), true) = (part.strip_prefix("END "), label.is_some()) {
                let name = &name[..name.find(is_foreign).unwrap_or(name.len())];
                if !label.is_some_and(is_secret) {
                    pieces.push(Piece::End(name.to_owned()));
                }
                label = None;
            } else if let Some(label) = label
                && !is_secret(label)
            {
                pieces.extend(Piece::body(label, part));
            }
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
                Piece::Begin(label) => {
                    text.push_str(&format!("{DASHES}BEGIN {label}{DASHES}\n"));
                    continue;
                }
                Piece::End(label) => {
                    text.push_str(&format!("{DASHES}END {label}{DASHES}\n"));
                    continue;
                }
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

const DASHES: &str = "-----";

/// A character that no label has.
fn is_foreign(character: char) -> bool {
    !(character.is_ascii_uppercase() || character.is_ascii_digit() || character == ' ')
}

fn is_secret(label: &str) -> bool {
    label.contains("PRIVATE KEY")
}

impl Piece {
    fn body(label: &str, text: &str) -> Option<Self> {
        let text: String = text.split_ascii_whitespace().collect();
        match STANDARD.decode(&text) {
            Ok(bytes) if bytes.is_empty() => None,
            Ok(bytes) => Some(Self::Der { bytes, list: label.contains("CRL") }),
            Err(_) => Self::undecodable(&text),
        }
    }

    fn undecodable(text: &str) -> Option<Self> {
        let text: String = text.split_ascii_whitespace().collect();
        (!text.is_empty()).then_some(Self::Undecodable(text))
    }
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
        let one_line = "x -----BEGIN CERTIFICATE-----AQID-----END CERTIFICATE----- y";
        let block = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        assert_eq!(rewritten(one_line), block);
        assert_eq!(rewritten(&format!("\u{feff}{block}")), block);
        assert_eq!(rewritten(""), "");
        assert_eq!(rewritten("Contoso\n"), "");
    }
}
