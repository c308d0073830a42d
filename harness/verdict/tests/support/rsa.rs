//! RSA keys of any size and signatures with any hash, weak ones included. No key is a secret.

use std::sync::LazyLock;

use aws_lc_rs::digest;
use num_bigint::BigUint;

use super::{der, oid, sequence};

pub(crate) const SHA1: &str = "1.2.840.113549.1.1.5";
pub(crate) const SHA256: &str = "1.2.840.113549.1.1.11";

/// A key pair made from its size alone.
pub(crate) struct Rsa {
    n: BigUint,
    d: BigUint,
}

pub(crate) static BITS_512: LazyLock<Rsa> = LazyLock::new(|| Rsa::new(512));
pub(crate) static BITS_2048: LazyLock<Rsa> = LazyLock::new(|| Rsa::new(2048));

const EXPONENT: u32 = 65_537;

impl Rsa {
    fn new(bits: u32) -> Self {
        let one = BigUint::from(1_u32);
        let half = bits / 2;
        // Both have their two highest bits set, so the product has all of its bits.
        let p = prime_from((&one << (half - 1)) + (&one << (half - 2)) + &one);
        let q = prime_from(&p + (&one << (half / 2)));
        let phi = (&p - &one) * (&q - &one);
        let d = BigUint::from(EXPONENT).modinv(&phi).expect("a prime exponent that divides not");
        Self { n: p * q, d }
    }

    pub(crate) fn spki(&self) -> Vec<u8> {
        let key = sequence(&[integer(&self.n), integer(&BigUint::from(EXPONENT))]);
        let algorithm = sequence(&[oid("1.2.840.113549.1.1.1"), der(5, &[])]);
        sequence(&[algorithm, der(3, &[vec![0], key].concat())])
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2.1) with one of the two algorithms above.
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let (hash, name) = if algorithm == SHA1 {
            (&digest::SHA1_FOR_LEGACY_USE_ONLY, "1.3.14.3.2.26")
        } else {
            (&digest::SHA256, "2.16.840.1.101.3.4.2.1")
        };
        let digest = digest::digest(hash, message);
        let info = sequence(&[sequence(&[oid(name), der(5, &[])]), der(4, digest.as_ref())]);
        let length = usize::try_from(self.n.bits() / 8).expect("a size");
        let mut block = vec![0, 1];
        block.resize(length - info.len() - 1, 0xff);
        block.push(0);
        block.extend(info);
        let signature = BigUint::from_bytes_be(&block).modpow(&self.d, &self.n).to_bytes_be();
        [vec![0; length - signature.len()], signature].concat()
    }
}

fn integer(number: &BigUint) -> Vec<u8> {
    let mut octets = number.to_bytes_be();
    if octets[0] & 0x80 != 0 {
        octets.insert(0, 0);
    }
    der(2, &octets)
}

fn prime_from(start: BigUint) -> BigUint {
    let mut candidate = start;
    while !is_prime(&candidate) {
        candidate += 2_u32;
    }
    candidate
}

/// Trial division and one round of Fermat's test: enough for a key that protects nothing.
fn is_prime(candidate: &BigUint) -> bool {
    let zero = BigUint::default();
    let is_composite = (3_u32..5_000).step_by(2).any(|divisor| candidate % divisor == zero);
    let (one, two) = (BigUint::from(1_u32), BigUint::from(2_u32));
    !is_composite && two.modpow(&(candidate - &one), candidate) == one
}
