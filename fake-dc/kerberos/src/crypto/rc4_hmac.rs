//! rc4-hmac (RFC 4757): what Windows still seals tickets of services with that are not known to have
//! AES.

use ground::Stream;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md4::Md4;
use md5::{Digest as _, Md5};
use rand::Rng as _;
use rc4::{Rc4, StreamCipher as _};

use super::{Usage, same};
use crate::error::Error;

/// Bytes of a checksum, in a message or on its own.
pub(super) const CHECKSUM_BYTES: usize = 16;

const CONFOUNDER_BYTES: usize = 8;

/// The key of a password.
pub(super) fn nt_hash(password: &str) -> Vec<u8> {
    let units: Vec<u8> = password.encode_utf16().flat_map(u16::to_le_bytes).collect();
    Md4::digest(units).to_vec()
}

pub(super) fn encrypt(key: &[u8], usage: Usage, plain: &[u8], random: &mut Stream) -> Vec<u8> {
    let mut data = vec![0; CONFOUNDER_BYTES];
    random.fill_bytes(&mut data);
    data.extend_from_slice(plain);
    let key = hmac(key, &[&number(usage)]);
    let checksum = hmac(&key, &[&data]);
    cipher(&key, &checksum).apply_keystream(&mut data);
    [checksum.as_slice(), &data].concat()
}

pub(super) fn decrypt(
    key: &[u8],
    usage: Usage,
    protected: &[u8],
    what: &'static str,
) -> Result<Vec<u8>, Error> {
    let least = CHECKSUM_BYTES + CONFOUNDER_BYTES;
    if protected.len() < least {
        return Err(Error::Truncated { what, missing: least - protected.len() });
    }
    let (checksum, data) = protected.split_at(CHECKSUM_BYTES);
    let mut data = data.to_vec();
    let key = hmac(key, &[&number(usage)]);
    cipher(&key, checksum).apply_keystream(&mut data);
    if !same(&hmac(&key, &[&data]), checksum) {
        return Err(Error::Integrity { what });
    }
    data.drain(..CONFOUNDER_BYTES);
    Ok(data)
}

/// hmac-md5, which any key can make: S4U2self has it of AES keys, too ([MS-SFU] 2.2.1).
pub(super) fn checksum(key: &[u8], usage: Usage, parts: &[&[u8]]) -> Vec<u8> {
    let key = hmac(key, &[b"signaturekey\0"]);
    let mut digest = Md5::new_with_prefix(number(usage));
    parts.iter().for_each(|part| digest.update(part));
    hmac(&key, &[&digest.finalize()])
}

/// The number of a usage: two are those of Windows before they were numbered.
fn number(usage: Usage) -> [u8; 4] {
    let number = match usage.0 {
        3 => 8,
        23 => 13,
        number => number,
    };
    number.to_le_bytes()
}

fn cipher(key: &[u8], checksum: &[u8]) -> Rc4 {
    Rc4::new_from_slice(&hmac(key, &[checksum])).expect("RC4 takes sixteen bytes")
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes any key length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4757, section 2.
    #[test]
    fn rfc4757_string_to_key() {
        let hash: String = nt_hash("foo").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "ac8e657f83df82beea5d43bdaf7800cc");
    }
}
