//! The forms in which people have a chain: text of `openssl s_client -showcerts`, PEM, DER and
//! PKCS#7.

use std::borrow::Cow;

use crate::{
    clone::signed::Signed,
    der::{self, Element},
    error::{PemCause, PemError},
    pem_file::{Block, PemFile, blocks},
};

/// Most certificates that a chain may have; a TLS message of 16 MB holds some thousands.
pub(super) const CERTIFICATES_MAX: usize = 1_000;

/// The content without a byte order mark, and in UTF-8 if it was UTF-16: so writes PowerShell what
/// is redirected into a file.
pub(super) fn unmarked(content: &[u8]) -> Cow<'_, [u8]> {
    let wide = |octets: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = octets.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        let text: String =
            char::decode_utf16(units).map(|letter| letter.unwrap_or('\u{fffd}')).collect();
        Cow::Owned(text.into_bytes())
    };
    match content {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(rest),
        _ => Cow::Borrowed(content),
    }
}

/// The certificates that a server showed, out of the text of `openssl s_client -showcerts`.
///
/// The section `Certificate chain` is the message of the server; other blocks, such as that of
/// an OCSP responder, are not of it.
pub(super) fn showcerts(file: &PemFile<'_>) -> Result<Vec<Vec<u8>>, PemError> {
    let text = String::from_utf8_lossy(file.content());
    let starts = |wanted: &str| {
        let wanted = wanted.to_owned();
        move |(_, line): &(usize, &str)| line.trim().starts_with(&wanted)
    };
    let lines = || text.lines().enumerate().map(|(index, line)| (index + 1, line));
    let Some((first, _)) = lines().find(starts("Certificate chain")) else {
        return Err(file.error(None, PemCause::NoShownChain));
    };
    if let Some((line, _)) = lines().skip(first).find(starts("Certificate chain")) {
        return Err(PemError {
            line: Some(line),
            ..file.error(None, PemCause::SecondChain { first })
        });
    }
    // The section ends with the line of dashes, or where the text was cut.
    let end = lines().skip(first).find(|(_, line)| line.trim() == "---");
    let section = first..end.map_or(usize::MAX, |(line, _)| line);
    // ` 0 s:DC = example, CN = dc1`: one for each certificate of the message.
    let entries = lines().filter(|(line, text)| section.contains(line) && is_entry(text)).count();
    let shown: Vec<Block> =
        blocks(file)?.into_iter().filter(|block| section.contains(&block.line)).collect();
    if shown.len() < entries {
        let cause = PemCause::NotShown { entries, shown: shown.len() };
        return Err(PemError { line: Some(first), ..file.error(None, cause) });
    }
    certificates_of(file, &shown)
}

fn is_entry(line: &str) -> bool {
    let digits = line.trim_start().trim_start_matches(|digit: char| digit.is_ascii_digit());
    digits.len() < line.trim_start().len() && digits.starts_with(" s:")
}

/// The certificates of a PEM file with any text around them.
pub(super) fn pem(file: &PemFile<'_>) -> Result<Vec<Vec<u8>>, PemError> {
    let blocks = blocks(file)?;
    if let Some(bundle) = blocks.iter().find(|block| is_pkcs7(&block.label)) {
        return bag(file, Some(bundle), &bundle.decode(file)?);
    }
    certificates_of(file, &blocks)
}

fn certificates_of(file: &PemFile<'_>, blocks: &[Block]) -> Result<Vec<Vec<u8>>, PemError> {
    let certificates = blocks
        .iter()
        .filter(|block| {
            ["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"]
                .contains(&block.label.as_str())
        })
        .map(|block| {
            let bytes = block.decode(file)?;
            // Behind the certificate stands OpenSSL's trust in it, which no server sends.
            let first = Element::parse_first(&bytes).filter(|_| block.label.starts_with("TRUSTED"));
            let alone = first.map(|(certificate, _)| certificate.to_bytes());
            Ok(alone.unwrap_or(bytes))
        })
        .collect::<Result<Vec<_>, PemError>>()?;
    if certificates.is_empty() {
        let found = blocks.iter().map(|block| block.label.clone()).collect();
        return Err(file.error(None, PemCause::NoCertificate { found }));
    }
    counted(file, certificates)
}

/// The certificates of PKCS#7, in PEM or DER.
pub(super) fn pkcs7(file: &PemFile<'_>) -> Result<Vec<Vec<u8>>, PemError> {
    if der::is_whole_sequence(file.content()) {
        return bag(file, None, file.content());
    }
    let blocks = blocks(file)?;
    match blocks.iter().find(|block| is_pkcs7(&block.label)) {
        Some(block) => bag(file, Some(block), &block.decode(file)?),
        None => {
            let found = blocks.into_iter().map(|block| block.label).collect();
            Err(file.error(None, PemCause::NoPkcs7 { found }))
        }
    }
}

/// One certificate in DER, or several in a row.
pub(super) fn der(file: &PemFile<'_>) -> Result<Vec<Vec<u8>>, PemError> {
    match Element::parse_all(file.content()) {
        Some(elements) if elements.iter().all(|element| element.tag() == der::SEQUENCE) => {
            counted(file, elements.iter().map(Element::to_bytes).collect())
        }
        _ => Err(file.error(None, PemCause::NotDer)),
    }
}

/// Whatever it is, told by its looks.
pub(super) fn any(file: &PemFile<'_>) -> Result<Vec<Vec<u8>>, PemError> {
    if der::is_whole_sequence(file.content()) {
        return if signed_data(file.content()).is_some() { pkcs7(file) } else { der(file) };
    }
    let text = String::from_utf8_lossy(file.content());
    if text.lines().any(|line| line.trim() == "Certificate chain") {
        return showcerts(file);
    }
    pem(file)
}

fn is_pkcs7(label: &str) -> bool {
    ["PKCS7", "CMS", "PKCS #7 SIGNED DATA"].contains(&label)
}

/// A bag has no order (it is a SET). If its first certificate is a CA of another one in it, and
/// exactly one is nobody's CA, that one is the leaf.
fn bag(file: &PemFile<'_>, block: Option<&Block>, bytes: &[u8]) -> Result<Vec<Vec<u8>>, PemError> {
    let Some(mut certificates) = signed_data(bytes) else {
        return Err(file.error(block, PemCause::BrokenPkcs7));
    };
    if certificates.is_empty() {
        return Err(file.error(block, PemCause::EmptyPkcs7));
    }
    let read: Vec<_> = certificates.iter().map(|bytes| Signed::certificate(bytes)).collect();
    let issues = |place: usize| {
        let Some(issuer) = &read[place] else { return false };
        read.iter().enumerate().any(|(other, certificate)| {
            other != place && certificate.as_ref().is_some_and(|it| it.issuer() == issuer.subject())
        })
    };
    let leaves: Vec<usize> = (0..read.len()).filter(|&place| !issues(place)).collect();
    if let [leaf] = leaves.as_slice() {
        let leaf = certificates.remove(*leaf);
        certificates.insert(0, leaf);
    }
    counted(file, certificates)
}

/// The certificates of SignedData (RFC 2315, section 9.1; RFC 5652, section 5.1).
fn signed_data(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let content = Element::parse(bytes)?;
    if content.at(&[0])?.arcs()? != [1, 2, 840, 113_549, 1, 7, 2] {
        return None;
    }
    let fields = content.at(&[1, 0])?.children();
    let bag = fields.iter().find(|field| field.tag() == 0xa0);
    Some(bag.map(|bag| bag.children().iter().map(Element::to_bytes).collect()).unwrap_or_default())
}

fn counted(file: &PemFile<'_>, certificates: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, PemError> {
    match certificates.len() {
        found if found > CERTIFICATES_MAX => {
            Err(file.error(None, PemCause::TooMany { found, limit: CERTIFICATES_MAX }))
        }
        _ => Ok(certificates),
    }
}
