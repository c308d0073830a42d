//! The trust store of an appliance: `realhostip.keystore`, a Java KeyStore of certificates alone.
//!
//! The file is in the format JKS, version 2, so that `keytool -list` reads it. What seals it is a
//! digest over a password that stands in CloudStack's scripts: it protects from accidents only.

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use ground::Timestamp;
use rustls::pki_types::CertificateDer;

/// The password in CloudStack's scripts.
pub const STORE_PASSWORD: &str = "vmops.com";

const MAGIC: u32 = 0xFEED_FEED;
const VERSION: u32 = 2;
const TRUSTED_CERTIFICATE: u32 = 2;
const DIGEST: usize = 20;
/// What Java mixes into the digest.
const SALT: &[u8] = b"Mighty Aphrodite";
/// Entries of a store; more is no store of an appliance.
const ENTRIES_MAX: u32 = 1_000;

/// Trusted certificates by alias.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustStore {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    alias: String,
    made: Timestamp,
    certificate: CertificateDer<'static>,
}

/// The file is no trust store, or was not sealed with the password.
#[derive(Debug, thiserror::Error)]
#[error("Keystore was tampered with, or password was incorrect")]
pub struct TrustStoreError;

impl TrustStore {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It is no store of certificates, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TrustStoreError> {
        let (body, sealed) = bytes.split_last_chunk::<DIGEST>().ok_or(TrustStoreError)?;
        if seal(body) != *sealed {
            return Err(TrustStoreError);
        }
        let mut reader = Reader(body);
        if (reader.number()?, reader.number()?) != (MAGIC, VERSION) {
            return Err(TrustStoreError);
        }
        let count = reader.number()?;
        if count > ENTRIES_MAX {
            return Err(TrustStoreError);
        }
        let entries = (0..count).map(|_| reader.entry()).collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let count = u32::try_from(self.entries.len()).unwrap_or(ENTRIES_MAX);
        for number in [MAGIC, VERSION, count] {
            bytes.extend(number.to_be_bytes());
        }
        for entry in &self.entries {
            bytes.extend(TRUSTED_CERTIFICATE.to_be_bytes());
            write_text(&mut bytes, &entry.alias);
            bytes.extend(entry.made.unix().saturating_mul(1_000).to_be_bytes());
            write_text(&mut bytes, "X.509");
            let length = u32::try_from(entry.certificate.len()).unwrap_or(u32::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend_from_slice(&entry.certificate);
        }
        let sealed = seal(&bytes);
        bytes.extend(sealed);
        bytes
    }

    /// Takes a certificate in, in the place of what has stood under this alias.
    pub fn import(&mut self, alias: &str, certificate: CertificateDer<'static>, made: Timestamp) {
        self.delete(alias);
        self.entries.push(Entry { alias: alias.to_lowercase(), made, certificate });
    }

    /// Removes what stands under this alias.
    pub fn delete(&mut self, alias: &str) {
        let alias = alias.to_lowercase();
        self.entries.retain(|entry| entry.alias != alias);
    }

    /// All that is trusted.
    pub fn certificates(&self) -> Vec<CertificateDer<'static>> {
        self.entries.iter().map(|entry| entry.certificate.clone()).collect()
    }

    /// The aliases, as `keytool -list` tells them.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.alias.as_str())
    }
}

fn seal(body: &[u8]) -> [u8; DIGEST] {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    for unit in STORE_PASSWORD.encode_utf16() {
        context.update(&unit.to_be_bytes());
    }
    context.update(SALT);
    context.update(body);
    let digest = context.finish();
    let mut sealed = [0; DIGEST];
    sealed.copy_from_slice(digest.as_ref());
    sealed
}

/// Java's `writeUTF`, for ASCII.
fn write_text(bytes: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    bytes.extend(length.to_be_bytes());
    bytes.extend(&text.as_bytes()[..usize::from(length)]);
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], TrustStoreError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(TrustStoreError)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TrustStoreError> {
        self.take(N)?.try_into().map_err(|_| TrustStoreError)
    }

    fn number(&mut self) -> Result<u32, TrustStoreError> {
        self.array().map(u32::from_be_bytes)
    }

    fn text(&mut self) -> Result<String, TrustStoreError> {
        let length = self.array().map(u16::from_be_bytes)?;
        String::from_utf8(self.take(length.into())?.to_vec()).map_err(|_| TrustStoreError)
    }

    fn entry(&mut self) -> Result<Entry, TrustStoreError> {
        if self.number()? != TRUSTED_CERTIFICATE {
            return Err(TrustStoreError);
        }
        let alias = self.text()?;
        let made = self.array().map(i64::from_be_bytes)?;
        self.text()?;
        let length = usize::try_from(self.number()?).map_err(|_| TrustStoreError)?;
        let certificate = CertificateDer::from(self.take(length)?.to_vec());
        Ok(Entry { alias, made: Timestamp::from_unix(made.div_euclid(1_000)), certificate })
    }
}
