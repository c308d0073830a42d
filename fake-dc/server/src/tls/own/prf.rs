//! The pseudorandom functions of TLS 1.0 to 1.2 (RFC 2246, section 5; RFC 5246, section 5).

use aws_lc_rs::{digest, hmac as aws_hmac};
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};

/// Which function a connection uses, and which hash its transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prf {
    /// TLS 1.0 and 1.1: MD5 and SHA-1 together.
    Md5Sha1,
    /// TLS 1.2.
    Sha256,
    /// TLS 1.2 with a suite whose name ends so.
    Sha384,
}

impl Prf {
    /// `size` bytes from a secret, a label and a seed.
    pub(super) fn derive(self, secret: &[u8], label: &str, seed: &[u8], size: usize) -> Vec<u8> {
        let seed = [label.as_bytes(), seed].concat();
        match self {
            Self::Md5Sha1 => {
                // The two halves share a byte if the number is odd.
                let half = secret.len().div_ceil(2);
                let first = expand(|parts| md5(&secret[..half], parts), &seed, size);
                let last = &secret[secret.len() - half..];
                let second = expand(
                    |parts| sha(aws_hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, last, parts),
                    &seed,
                    size,
                );
                first.iter().zip(second).map(|(a, b)| a ^ b).collect()
            }
            Self::Sha256 => expand(|parts| sha(aws_hmac::HMAC_SHA256, secret, parts), &seed, size),
            Self::Sha384 => expand(|parts| sha(aws_hmac::HMAC_SHA384, secret, parts), &seed, size),
        }
    }

    /// Hash of all handshake messages.
    pub(super) fn transcript(self, messages: &[u8]) -> Vec<u8> {
        let sha = |algorithm| digest::digest(algorithm, messages).as_ref().to_vec();
        match self {
            Self::Md5Sha1 => {
                let mut both = Md5::digest(messages).to_vec();
                both.extend(sha(&digest::SHA1_FOR_LEGACY_USE_ONLY));
                both
            }
            Self::Sha256 => sha(&digest::SHA256),
            Self::Sha384 => sha(&digest::SHA384),
        }
    }
}

/// `P_hash`: as many rounds as it takes.
fn expand(mac: impl Fn(&[&[u8]]) -> Vec<u8>, seed: &[u8], size: usize) -> Vec<u8> {
    let mut output = Vec::with_capacity(size + 64);
    let mut a = mac(&[seed]);
    while output.len() < size {
        output.extend(mac(&[&a, seed]));
        a = mac(&[&a]);
    }
    output.truncate(size);
    output
}

fn sha(algorithm: aws_hmac::Algorithm, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut context = aws_hmac::Context::with_key(&aws_hmac::Key::new(algorithm, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign().as_ref().to_vec()
}

fn md5(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Md5>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    /// The test vector of the TLS working group (mailing list, 2009) for SHA-256.
    #[test]
    fn sha256_as_published() {
        let secret = bytes("9bbe436ba940f017b17652849a71db35");
        let seed = bytes("a0ba9f936cda311827a6f796ffd5198c");
        let expected = bytes("e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a");
        assert_eq!(Prf::Sha256.derive(&secret, "test label", &seed, 32), expected);
    }
}
