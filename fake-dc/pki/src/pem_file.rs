//! Reading PEM with an eye to the person who must repair it.
//!
//! The blocks are found line by line, so that an error can name the spot. What they hold is not
//! looked into: a fake DC serves it as it is.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};

use crate::{
    der,
    error::{PemCause, PemError},
    key::PrivateKey,
};

/// A file that was read, and the name that errors call it by.
#[derive(Clone, Copy)]
pub struct PemFile<'a> {
    name: &'a str,
    content: &'a [u8],
}

impl<'a> PemFile<'a> {
    /// The file `name` with what it holds.
    pub fn new(name: &'a str, content: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { name, content: content.as_ref() }
    }

    /// What errors call it.
    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    pub(crate) fn content(&self) -> &'a [u8] {
        self.content
    }

    pub(crate) fn error(&self, block: Option<&Block>, cause: PemCause) -> PemError {
        PemError {
            file: self.name.to_owned(),
            block: block.map(|block| block.number),
            line: block.map(|block| block.line),
            cause,
        }
    }
}

/// The certificates of a file, in order. There is at least one.
pub(crate) fn certificates(file: &PemFile<'_>) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let blocks = blocks(file)?;
    let mut certificates = Vec::new();
    for block in &blocks {
        match block.label.as_str() {
            "CERTIFICATE" | "X509 CERTIFICATE" => {
                certificates.push(CertificateDer::from(block.decode(file)?));
            }
            "TRUSTED CERTIFICATE" => {
                return Err(file.error(Some(block), PemCause::TrustedCertificate));
            }
            _ => {}
        }
    }
    if certificates.is_empty() {
        let found = blocks.into_iter().map(|block| block.label).collect();
        return Err(file.error(None, PemCause::NoCertificate { found }));
    }
    Ok(certificates)
}

/// The first private key of a file.
pub(crate) fn private_key(file: &PemFile<'_>) -> Result<PrivateKey, PemError> {
    let blocks = blocks(file)?;
    for block in &blocks {
        let wrap: fn(Vec<u8>) -> PrivateKeyDer<'static> = match block.label.as_str() {
            "PRIVATE KEY" => |key| PrivatePkcs8KeyDer::from(key).into(),
            "RSA PRIVATE KEY" => |key| PrivatePkcs1KeyDer::from(key).into(),
            "EC PRIVATE KEY" => |key| PrivateSec1KeyDer::from(key).into(),
            "ENCRYPTED PRIVATE KEY" => {
                return Err(file.error(Some(block), PemCause::EncryptedKey));
            }
            _ => continue,
        };
        // The header of an encrypted key in OpenSSL's traditional format (RFC 1421).
        if block.body.iter().any(|(_, line)| line.starts_with("Proc-Type:")) {
            return Err(file.error(Some(block), PemCause::EncryptedKey));
        }
        let key = block.decode(file)?;
        if !der::is_whole_sequence(&key) {
            return Err(file.error(Some(block), PemCause::BrokenKey));
        }
        return Ok(wrap(key).into());
    }
    let found = blocks.into_iter().map(|block| block.label).collect();
    Err(file.error(None, PemCause::NoKey { found }))
}

/// A PEM block, before it is decoded.
pub(crate) struct Block {
    number: usize,
    /// The line of its BEGIN, from 1.
    pub(crate) line: usize,
    pub(crate) label: String,
    body: Vec<(usize, String)>,
}

impl Block {
    pub(crate) fn decode(&self, file: &PemFile<'_>) -> Result<Vec<u8>, PemError> {
        let text: String = self.body.iter().map(|(_, line)| line.as_str()).collect();
        if text.is_empty() {
            return Err(file.error(Some(self), PemCause::Empty));
        }
        STANDARD.decode(&text).map_err(|error| {
            let spot = match error {
                base64::DecodeError::InvalidByte(offset, _)
                | base64::DecodeError::InvalidLastSymbol { offset, .. } => offset,
                _ => text.len(),
            };
            PemError {
                line: Some(self.line_of(spot)),
                ..file.error(Some(self), PemCause::BrokenBase64)
            }
        })
    }

    fn line_of(&self, mut offset: usize) -> usize {
        for (number, line) in &self.body {
            if offset < line.len() {
                return *number;
            }
            offset -= line.len();
        }
        self.body.last().map_or(self.line, |(number, _)| *number)
    }
}

/// The PEM blocks of a file, in order.
pub(crate) fn blocks(file: &PemFile<'_>) -> Result<Vec<Block>, PemError> {
    if der::is_whole_sequence(file.content) {
        return Err(file.error(None, PemCause::Der));
    }
    let text: Cow<'_, str> = String::from_utf8_lossy(file.content);
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if let Some(label) = boundary(line, "-----BEGIN ") {
            if let Some(block) = open {
                let cause = PemCause::Nested { label: block.label.clone() };
                return Err(PemError { line: Some(number), ..file.error(Some(&block), cause) });
            }
            open = Some(Block {
                number: blocks.len() + 1,
                line: number,
                label: label.to_owned(),
                body: Vec::new(),
            });
        } else if let Some(label) = boundary(line, "-----END ") {
            let Some(block) = open.take() else { continue };
            if block.label != label {
                let cause =
                    PemCause::WrongEnd { expected: block.label.clone(), found: label.to_owned() };
                return Err(PemError { line: Some(number), ..file.error(Some(&block), cause) });
            }
            blocks.push(block);
        } else if let Some(block) = &mut open
            && !line.is_empty()
        {
            block.body.push((number, line.to_owned()));
        }
    }
    match open {
        Some(block) => {
            Err(file.error(Some(&block), PemCause::Unfinished { label: block.label.clone() }))
        }
        None => Ok(blocks),
    }
}

fn boundary<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}
