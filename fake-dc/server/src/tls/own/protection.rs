//! Protection of records after the ChangeCipherSpec: AES in CBC with HMAC, and AES in GCM.

use aes::{
    Aes128, Aes256,
    cipher::{BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _},
};
use aws_lc_rs::{
    aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hmac,
};
use rustls::{Error, crypto::SecureRandom};

use super::{
    TLS10,
    suites::{Kind, Suite},
};

const BLOCK: usize = 16;
const GCM_TAG: usize = 16;
const GCM_SALT: usize = 4;
const GCM_EXPLICIT: usize = 8;

/// The keys of one direction, and how many records have passed.
pub(super) struct Protection {
    version: u16,
    records: u64,
    keys: Keys,
}

enum Keys {
    Cbc {
        cipher: Aes,
        mac: Box<hmac::Key>,
        mac_bytes: usize,
        /// TLS 1.0 takes the last block of the record before; later versions send one along.
        chained: Option<[u8; BLOCK]>,
    },
    Gcm {
        key: Box<LessSafeKey>,
        salt: [u8; GCM_SALT],
    },
}

/// How the key block is cut.
pub(super) struct Sizes {
    pub(super) mac: usize,
    pub(super) key: usize,
    pub(super) iv: usize,
}

impl Sizes {
    pub(super) fn of(suite: Suite, version: u16) -> Self {
        let (mac, iv) = match suite.protection {
            Kind::CbcSha1 => (20, if version == TLS10 { BLOCK } else { 0 }),
            Kind::CbcSha256 => (32, if version == TLS10 { BLOCK } else { 0 }),
            Kind::Gcm => (0, GCM_SALT),
        };
        Self { mac, key: suite.key_bytes, iv }
    }
}

impl Protection {
    /// `None` if the keys have not the [`Sizes`] of the suite.
    pub(super) fn new(
        suite: Suite,
        version: u16,
        mac: &[u8],
        key: &[u8],
        iv: &[u8],
    ) -> Option<Self> {
        let cbc = |algorithm, mac_bytes| {
            let cipher = Aes::new(key)?;
            let mac = Box::new(hmac::Key::new(algorithm, mac));
            let chained = if version == TLS10 { Some(iv.try_into().ok()?) } else { None };
            Some(Keys::Cbc { cipher, mac, mac_bytes, chained })
        };
        let keys = match suite.protection {
            Kind::CbcSha1 => cbc(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, 20)?,
            Kind::CbcSha256 => cbc(hmac::HMAC_SHA256, 32)?,
            Kind::Gcm => {
                let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
                let key = Box::new(LessSafeKey::new(UnboundKey::new(algorithm, key).ok()?));
                Keys::Gcm { key, salt: iv.try_into().ok()? }
            }
        };
        Some(Self { version, records: 0, keys })
    }

    /// The fragment of a record with that content.
    pub(super) fn seal(
        &mut self,
        kind: u8,
        content: &[u8],
        random: &dyn SecureRandom,
    ) -> Result<Vec<u8>, Error> {
        let number = self.next_number();
        let version = self.version;
        match &mut self.keys {
            Keys::Cbc { cipher, mac, chained, .. } => {
                let tag = hmac::sign(
                    mac,
                    &[&pseudo_header(number, kind, version, content.len()), content].concat(),
                );
                let mut fragment = [content, tag.as_ref()].concat();
                let padding = BLOCK - fragment.len() % BLOCK;
                let count = u8::try_from(padding - 1).unwrap_or_default();
                fragment.extend(std::iter::repeat_n(count, padding));
                let mut iv = [0; BLOCK];
                match chained {
                    Some(chained) => iv = *chained,
                    None => random.fill(&mut iv).map_err(Error::from)?,
                }
                let last = cipher.encrypt(iv, &mut fragment);
                match chained {
                    Some(chained) => {
                        *chained = last;
                        Ok(fragment)
                    }
                    None => Ok([&iv[..], &fragment].concat()),
                }
            }
            Keys::Gcm { key, salt } => {
                let explicit = number.to_be_bytes();
                let mut fragment = content.to_vec();
                let header = pseudo_header(number, kind, version, content.len());
                key.seal_in_place_append_tag(
                    nonce(*salt, explicit),
                    Aad::from(header),
                    &mut fragment,
                )
                .map_err(|_| Error::EncryptError)?;
                Ok([&explicit[..], &fragment].concat())
            }
        }
    }

    /// The content of a record with that fragment.
    ///
    /// The time this takes tells about the padding. That is of no matter in a fake.
    pub(super) fn open(&mut self, kind: u8, fragment: &[u8]) -> Result<Vec<u8>, Error> {
        let number = self.next_number();
        let version = self.version;
        match &mut self.keys {
            Keys::Cbc { cipher, mac, mac_bytes, chained } => {
                let (iv, body) = match chained {
                    Some(chained) => (*chained, fragment),
                    None => {
                        let (iv, body) = fragment.split_first_chunk().ok_or(Error::DecryptError)?;
                        (*iv, body)
                    }
                };
                if body.is_empty() || body.len() % BLOCK != 0 {
                    return Err(Error::DecryptError);
                }
                let mut content = body.to_vec();
                let last = cipher.decrypt(iv, &mut content);
                if let Some(chained) = chained {
                    *chained = last;
                }
                let padding = content.last().map_or(0, |count| usize::from(*count) + 1);
                let end =
                    content.len().checked_sub(padding + *mac_bytes).ok_or(Error::DecryptError)?;
                let tag = content[end..end + *mac_bytes].to_vec();
                content.truncate(end);
                let signed = [&pseudo_header(number, kind, version, end), &content[..]].concat();
                hmac::verify(mac, &signed, &tag).map_err(|_| Error::DecryptError)?;
                Ok(content)
            }
            Keys::Gcm { key, salt } => {
                let (explicit, body) =
                    fragment.split_first_chunk::<GCM_EXPLICIT>().ok_or(Error::DecryptError)?;
                let size = body.len().checked_sub(GCM_TAG).ok_or(Error::DecryptError)?;
                let header = pseudo_header(number, kind, version, size);
                let mut content = body.to_vec();
                key.open_in_place(nonce(*salt, *explicit), Aad::from(header), &mut content)
                    .map_err(|_| Error::DecryptError)?;
                content.truncate(size);
                Ok(content)
            }
        }
    }

    fn next_number(&mut self) -> u64 {
        let number = self.records;
        self.records += 1;
        number
    }
}

fn nonce(salt: [u8; GCM_SALT], explicit: [u8; GCM_EXPLICIT]) -> Nonce {
    let mut nonce = [0; GCM_SALT + GCM_EXPLICIT];
    nonce[..GCM_SALT].copy_from_slice(&salt);
    nonce[GCM_SALT..].copy_from_slice(&explicit);
    Nonce::assume_unique_for_key(nonce)
}

/// What is authenticated beside the content: number, type, version and size of the record.
fn pseudo_header(number: u64, kind: u8, version: u16, size: usize) -> [u8; 13] {
    let mut header = [0; 13];
    header[..8].copy_from_slice(&number.to_be_bytes());
    header[8] = kind;
    header[9..11].copy_from_slice(&version.to_be_bytes());
    header[11..].copy_from_slice(&u16::try_from(size).unwrap_or(u16::MAX).to_be_bytes());
    header
}

/// AES with either length of key.
enum Aes {
    Aes128(Box<Aes128>),
    Aes256(Box<Aes256>),
}

impl Aes {
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Some(Self::Aes128(Box::new(Aes128::new_from_slice(key).ok()?))),
            _ => Some(Self::Aes256(Box::new(Aes256::new_from_slice(key).ok()?))),
        }
    }

    /// CBC in place over whole blocks; returns the last block of ciphertext.
    fn encrypt(&self, mut previous: [u8; BLOCK], data: &mut [u8]) -> [u8; BLOCK] {
        for block in data.as_chunks_mut::<BLOCK>().0 {
            block.iter_mut().zip(previous).for_each(|(byte, before)| *byte ^= before);
            match self {
                Self::Aes128(cipher) => cipher.encrypt_block(block.into()),
                Self::Aes256(cipher) => cipher.encrypt_block(block.into()),
            }
            previous = *block;
        }
        previous
    }

    fn decrypt(&self, mut previous: [u8; BLOCK], data: &mut [u8]) -> [u8; BLOCK] {
        for block in data.as_chunks_mut::<BLOCK>().0 {
            let sealed = *block;
            match self {
                Self::Aes128(cipher) => cipher.decrypt_block(block.into()),
                Self::Aes256(cipher) => cipher.decrypt_block(block.into()),
            }
            block.iter_mut().zip(previous).for_each(|(byte, before)| *byte ^= before);
            previous = sealed;
        }
        previous
    }
}
