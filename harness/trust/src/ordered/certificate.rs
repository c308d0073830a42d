//! What the keystore looks at in a certificate and in a key.

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
        let der = one_block(text, "certificate", "certificate", "CERTIFICATE")?;
        match X509Certificate::from_der(&der) {
            Ok(([], _)) => Ok(Self { der }),
            Ok(_) => Err(malformed("certificate", "certificate", "bytes follow its end")),
            Err(error) => Err(malformed("certificate", "certificate", error)),
        }
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

    /// Whether this is its private key (PKCS#8 in PEM).
    pub(super) fn is_key(&self, pem: &str) -> Result<bool, UploadError> {
        let der = one_block(pem, "privatekey", "PKCS#8 key", "PRIVATE KEY")?;
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(der));
        let key = aws_lc_rs::default_provider()
            .key_provider
            .load_private_key(der)
            .map_err(|error| malformed("privatekey", "PKCS#8 key", error))?;
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

/// What is in the one block of a text.
fn one_block(
    text: &str,
    parameter: &'static str,
    wanted: &'static str,
    label: &str,
) -> Result<Vec<u8>, UploadError> {
    if let Some(line) = text.lines().position(has_lost_a_plus) {
        return Err(UploadError::NotUrlEncoded { parameter, line: line + 1 });
    }
    // The words of the parser quote what it cannot read, and that may be a line of a key.
    let blocks = pem::parse_many(text).map_err(|_| {
        malformed(parameter, wanted, "a block is damaged, or has lines that are no base64")
    })?;
    match <[_; 1]>::try_from(blocks) {
        Ok([block]) if block.tag() == label => Ok(block.into_contents()),
        Ok([block]) => {
            Err(malformed(parameter, wanted, format!("the block is a `{}`", block.tag())))
        }
        Err(blocks) => {
            Err(malformed(parameter, wanted, format!("there are {} blocks", blocks.len())))
        }
    }
}

/// Whether a line of base64 has blanks inside: whoever decodes a form reads `+` so.
pub(super) fn has_lost_a_plus(line: &str) -> bool {
    let line = line.trim();
    !line.starts_with("-----") && line.contains(' ')
}

fn malformed(parameter: &'static str, wanted: &'static str, reason: impl ToString) -> UploadError {
    UploadError::Malformed { parameter, wanted, reason: reason.to_string() }
}
