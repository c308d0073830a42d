//! Finding PEM blocks as GnuTLS 3.8 does (`lib/x509_b64.c`, `gnutls_x509_crt_list_import`).
//!
//! GnuTLS looks for the text `-----BEGIN CERTIFICATE` and cares little for what surrounds it:
//! `BEGIN CERTIFICATE REQUEST` is taken for a certificate too, and a block `X509 CERTIFICATE` is
//! only seen behind the last block `CERTIFICATE`.

const CERTIFICATE: &[u8] = b"CERTIFICATE";
const X509_CERTIFICATE: &[u8] = b"X509 CERTIFICATE";
const X509_CRL: &[u8] = b"X509 CRL";
const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";
const END: &[u8] = b"-----END ";

/// Why a block could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PemError {
    /// `GNUTLS_E_BASE64_UNEXPECTED_HEADER_ERROR`.
    UnexpectedHeader,
    /// `GNUTLS_E_BASE64_DECODING_ERROR`.
    Decoding,
}

/// One block of certificates or CRLs, or why it is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// Line of the `BEGIN`, from 1.
    pub(crate) line: usize,
    pub(crate) der: Result<Vec<u8>, PemError>,
}

/// The certificates of a PEM file, in order.
pub(crate) fn certificates(text: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = Lines::new(text);
    let mut from = 0;
    while let Some(start) = [CERTIFICATE, X509_CERTIFICATE]
        .into_iter()
        .find_map(|label| find(text, from, &[BEGIN, label].concat()))
    {
        let rest = &text[start..];
        // The second label is tried after any failure of the first, and its error is the one kept.
        let der = decode(rest, CERTIFICATE).or_else(|_| decode(rest, X509_CERTIFICATE));
        blocks.push(Block { line: lines.of(start), der });
        from = start + 1;
    }
    blocks
}

/// The CRLs of a PEM file, in order.
pub(crate) fn crls(text: &[u8]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = Lines::new(text);
    let mut from = 0;
    while let Some(start) = find(text, from, &[BEGIN, X509_CRL].concat()) {
        let der = decode(&text[start..], X509_CRL);
        blocks.push(Block { line: lines.of(start), der });
        from = start + 1;
    }
    blocks
}

/// All blocks with the given label, for readers that are not GnuTLS.
pub(crate) fn labelled(text: &[u8], label: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = Lines::new(text);
    let mut from = 0;
    let begin = [BEGIN, label.as_bytes(), DASHES].concat();
    while let Some(start) = find(text, from, &begin) {
        let der = decode(&text[start..], label.as_bytes());
        blocks.push(Block { line: lines.of(start), der });
        from = start + 1;
    }
    blocks
}

fn decode(text: &[u8], label: &[u8]) -> Result<Vec<u8>, PemError> {
    let begin = find(text, 0, &[BEGIN, label].concat()).ok_or(PemError::UnexpectedHeader)?;
    let body = find(text, begin + 1, DASHES).ok_or(PemError::Decoding)? + DASHES.len();
    let end = find(text, body, END).ok_or(PemError::Decoding)?;
    base64(&text[body..end]).filter(|der| !der.is_empty()).ok_or(PemError::Decoding)
}

/// Strict base64 between which white space may stand. Reading ends at a dash.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .iter()
        .copied()
        .take_while(|&octet| octet != b'-')
        .filter(|octet| !b" \t\r\n".contains(octet))
        .collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let padding = digits.iter().rev().take_while(|&&octet| octet == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    for quad in digits.chunks_exact(4) {
        let is_last = bytes.len() + 3 == digits.len() / 4 * 3;
        let mut word = 0_u32;
        for (index, &digit) in quad.iter().enumerate() {
            let pads = is_last && index >= 4 - padding;
            word = word << 6 | if pads { 0 } else { sextet(digit)? };
        }
        bytes.extend_from_slice(&word.to_be_bytes()[1..]);
    }
    let surplus = bytes.split_off(bytes.len() - padding);
    surplus.iter().all(|&octet| octet == 0).then_some(bytes)
}

fn sextet(digit: u8) -> Option<u32> {
    let value = match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

fn find(text: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    // Every wanted text starts with a dash, which is rare in base64.
    let mut at = from;
    loop {
        at += text.get(at..)?.iter().position(|&octet| octet == b'-')?;
        if text[at..].starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}

/// Line numbers of places that are asked for in order.
struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0, line: 1 }
    }

    fn of(&mut self, at: usize) -> usize {
        self.line += self.text[self.at..at].iter().filter(|&&octet| octet == b'\n').count();
        self.at = at;
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ders(text: &str) -> Vec<Result<Vec<u8>, PemError>> {
        certificates(text.as_bytes()).into_iter().map(|block| block.der).collect()
    }

    const ONE: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
    const OLD: &str =
        "-----BEGIN X509 CERTIFICATE-----\r\nBA==\r\n-----END X509 CERTIFICATE-----\r\n";

    #[test]
    fn text_around_blocks_and_both_labels_are_read() {
        assert_eq!(ders(&format!("hello\n{ONE} between {OLD}")), [Ok(vec![1, 2, 3]), Ok(vec![4])]);
    }

    #[test]
    fn the_old_label_before_the_new_one_is_overlooked() {
        assert_eq!(ders(&format!("{OLD}{ONE}")), [Ok(vec![1, 2, 3])]);
    }

    #[test]
    fn trusted_certificates_and_keys_are_not_seen_but_requests_are() {
        assert_eq!(ders(&ONE.replace("CERTIFICATE", "TRUSTED CERTIFICATE")), []);
        assert_eq!(ders(&ONE.replace("CERTIFICATE", "PRIVATE KEY")), []);
        assert_eq!(ders(&ONE.replace("CERTIFICATE", "CERTIFICATE REQUEST")).len(), 1);
    }

    #[test]
    fn broken_base64_is_told_as_a_missing_second_header() {
        assert_eq!(ders(&ONE.replace("AQID", "AQ!D")), [Err(PemError::UnexpectedHeader)]);
        assert_eq!(ders(&ONE.replace("AQID", "AQI")), [Err(PemError::UnexpectedHeader)]);
        assert_eq!(ders(&ONE.replace("AQID", "AR==")), [Err(PemError::UnexpectedHeader)]);
    }
}
