//! What the keystore looks at in a certificate and in a key.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::{
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use x509_parser::{
    prelude::{FromDer as _, X509Certificate},
    x509::SubjectPublicKeyInfo,
};

use super::UploadError;

/// One certificate, decoded.
#[derive(Debug)]
pub(super) struct Link {
    der: Vec<u8>,
}

impl Link {
    /// Reads the text of parameter `certificate`.
    pub(super) fn from_pem(text: &str) -> Result<Self, UploadError> {
        one_block(text, "certificate", "certificate", "CERTIFICATE", |der| {
            match X509Certificate::from_der(&der) {
                Ok(([], _)) => Ok(Self { der }),
                Ok(_) => Err("bytes follow its end".to_owned()),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    pub(super) fn subject(&self) -> String {
        self.read().subject().to_string()
    }

    pub(super) fn issuer(&self) -> String {
        self.read().issuer().to_string()
    }

    /// Whether its basic constraints let it sign certificates.
    pub(super) fn is_authority(&self) -> bool {
        self.read().is_ca()
    }

    /// Whether it is issued and signed by this one: names and signature, nothing else.
    pub(super) fn is_signed_by(&self, issuer: &Self) -> bool {
        let (own, issuer) = (self.read(), issuer.read());
        own.issuer().as_raw() == issuer.subject().as_raw()
            && own.verify_signature(Some(issuer.public_key())).is_ok()
    }

    /// Whether this is its private key (PKCS#8 in PEM). Any key that TLS can use will do; CloudStack 4.4 takes those
    /// of RSA alone (`CertificateHelper.buildPrivateKey`).
    pub(super) fn is_key(&self, pem: &str) -> Result<bool, UploadError> {
        let (parameter, wanted) = ("privatekey", "PKCS#8 key");
        if !stands_alone(pem) {
            let reason = "text stands around it, in which CloudStack finds no key".to_owned();
            return Err(UploadError::Malformed { parameter, wanted, reason });
        }
        let key = one_block(pem, parameter, wanted, "PRIVATE KEY", |der| {
            let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der));
            let provider = aws_lc_rs::default_provider().key_provider;
            provider.load_private_key(der).map_err(|error| error.to_string())
        })?;
        let Some(public) = key.public_key() else { return Ok(false) };
        let Ok((_, public)) = SubjectPublicKeyInfo::from_der(&public) else { return Ok(false) };
        Ok(public.raw == self.read().public_key().raw)
    }

    fn read(&self) -> X509Certificate<'_> {
        let (_, certificate) =
            X509Certificate::from_der(&self.der).expect("it has been read before");
        certificate
    }
}

/// What `read` makes of the one block of a text. It is found as Java's `X509Factory` finds it (OpenJDK
/// 17, `readOneBlock`): lines before `BEGIN` and behind `END` are passed over, such as the
/// `Bag Attributes` of `openssl pkcs12`, and so is white space between the two. Java leaves further
/// blocks alone; here they are refused, since appliances would be set up with all of them.
///
/// Base64 that cannot be read and has blanks was not URL-encoded: whoever decodes a form reads `+` so.
fn one_block<T>(
    text: &str,
    parameter: &'static str,
    wanted: &'static str,
    label: &str,
    read: impl FnOnce(Vec<u8>) -> Result<T, String>,
) -> Result<T, UploadError> {
    let malformed = |reason| UploadError::Malformed { parameter, wanted, reason };
    let blocks = blocks(text).map_err(|reason| malformed(reason.to_owned()))?;
    let [block] = <[Block<'_>; 1]>::try_from(blocks)
        .map_err(|blocks| malformed(format!("there are {} blocks", blocks.len())))?;
    if block.label != label {
        return Err(malformed(format!("the block is a `{}`", block.label)));
    }
    let base64: String = block.lines.iter().flat_map(|(_, line)| line.split_whitespace()).collect();
    // What the decoder says could quote a line of a key.
    let der = BASE64_STANDARD.decode(base64).map_err(|_| "it has lines that are no base64".into());
    der.and_then(read).map_err(|reason| {
        match block.lines.iter().find(|(_, line)| line.contains(' ')) {
            Some((line, _)) => UploadError::NotUrlEncoded { parameter, line: line + 1 },
            None => malformed(reason),
        }
    })
}

/// What stands between a `BEGIN` and its `END`.
struct Block<'t> {
    label: &'t str,
    /// With their numbers in the text, from 0.
    lines: Vec<(usize, &'t str)>,
}

fn blocks(text: &str) -> Result<Vec<Block<'_>>, &'static str> {
    let mut blocks = Vec::new();
    let mut rest = text.lines().enumerate();
    while let Some((_, line)) = rest.next() {
        let Some(label) = marker(line, "-----BEGIN ") else { continue };
        let mut lines = Vec::new();
        loop {
            let (number, line) = rest.next().ok_or("the block has no end")?;
            let (base64, end) = line.split_at(line.find('-').unwrap_or(line.len()));
            lines.push((number, base64));
            match marker(end, "-----END ") {
                Some(found) if found == label => break,
                None if end.is_empty() => {}
                _ => return Err("the end of the block does not fit its begin"),
            }
        }
        blocks.push(Block { label, lines });
    }
    Ok(blocks)
}

fn marker<'t>(line: &'t str, start: &str) -> Option<&'t str> {
    line.trim_end().strip_prefix(start)?.strip_suffix("-----")
}

/// Whether nothing stands around the dashes of a key. CloudStack finds none in any other text, and
/// takes all of it for base64 (`KeystoreManagerImpl.getKeyContent` of 4.4, where `^` and `$` are the
/// ends of the text, the latter before a last line break).
fn stands_alone(pem: &str) -> bool {
    let end = pem.strip_suffix('\n').unwrap_or(pem);
    let end = end.strip_suffix('\r').unwrap_or(end);
    pem.starts_with('-') && end.ends_with('-')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is uploaded, and however its markers stand in it.
        #[test]
        fn any_text_is_read_or_refused(pieces in proptest::collection::vec(
            prop_oneof![
                Just("-----BEGIN CERTIFICATE-----".to_owned()),
                Just("-----END CERTIFICATE-----".to_owned()),
                Just("-----BEGIN PRIVATE KEY-----".to_owned()),
                Just("-----END PRIVATE KEY-----".to_owned()),
                Just("\n".to_owned()),
                "[A-Za-z0-9+/= -]{0,20}",
                "\\PC{0,5}",
            ],
            0..12,
        )) {
            let text = pieces.concat();
            for block in blocks(&text).into_iter().flatten() {
                prop_assert!(block.lines.iter().all(|(line, _)| *line < text.lines().count()));
            }
            prop_assert!(Link::from_pem(&text).is_err());
            let read = one_block(&text, "privatekey", "key", "PRIVATE KEY", Ok);
            prop_assert!(read.is_err() || text.contains("-----BEGIN PRIVATE KEY-----"));
        }
    }
}
