//! RSA as arithmetic: every size, every padding, and no opinion.
//!
//! aws-lc signs with the keys and hashes that it approves of, and faster; here is the rest. Not
//! for secrets: the arithmetic takes a time that depends on the key.

use aws_lc_rs::signature;
use ground::Stream;
use num_bigint::BigUint;
use rand::Rng as _;

use crate::{
    algorithm::Hash,
    der::{Element, INTEGER, SEQUENCE},
    error::PkiError,
};

/// The smallest modulus that is made. A signature with SHA-1 needs 368 bits.
pub(crate) const BITS_MIN: usize = 384;
/// The largest modulus that is made; what Schannel, GnuTLS and OpenSSL take without more ado.
pub(crate) const BITS_MAX: usize = 8_192;

/// A private key in parts (RFC 8017, section 3.2).
pub(crate) struct RsaKey {
    modulus: BigUint,
    primes: [BigUint; 2],
    exponents: [BigUint; 2],
    coefficient: BigUint,
    /// RSAPublicKey.
    public: Vec<u8>,
    /// RSAPrivateKey.
    private: Vec<u8>,
    /// The same key for what aws-lc signs.
    approved: Option<signature::RsaKeyPair>,
}

impl RsaKey {
    /// Reads an RSAPrivateKey. Nothing is checked but its form.
    pub(crate) fn from_pkcs1(der: &[u8]) -> Option<Self> {
        let key = Element::parse(der).filter(|key| key.tag() == SEQUENCE)?;
        let [_version, modulus, exponent, _d, p, q, dp, dq, coefficient, ..] = key.children()
        else {
            return None;
        };
        let number = |element: &Element| {
            (element.tag() == INTEGER).then(|| BigUint::from_bytes_be(&element.content()))
        };
        let public = Element::sequence([modulus.clone(), exponent.clone()]).to_bytes();
        let key = Self {
            modulus: number(modulus)?,
            primes: [number(p)?, number(q)?],
            exponents: [number(dp)?, number(dq)?],
            coefficient: number(coefficient)?,
            public,
            private: der.to_owned(),
            approved: signature::RsaKeyPair::from_der(der).ok(),
        };
        let sound = key.primes.iter().all(|prime| prime > &BigUint::from(2_u8));
        (sound && key.modulus.bits() >= 16).then_some(key)
    }

    /// A key of `bits` bits whose public exponent is `exponent`, from a stream of numbers.
    ///
    /// # Errors
    ///
    /// The size is out of bounds.
    pub(crate) fn generate(
        bits: usize,
        exponent: u64,
        stream: &mut Stream,
    ) -> Result<Self, PkiError> {
        if !(BITS_MIN..=BITS_MAX).contains(&bits) || exponent.is_multiple_of(2) || exponent < 3 {
            return Err(PkiError::RsaShape { bits, exponent, min: BITS_MIN, max: BITS_MAX });
        }
        let e = BigUint::from(exponent);
        let one = BigUint::from(1_u8);
        loop {
            let p = prime(bits.div_ceil(2), &e, stream);
            let q = prime(bits / 2, &e, stream);
            let (p1, q1) = (&p - &one, &q - &one);
            let modulus = &p * &q;
            let (Some(d), Some(coefficient)) = (e.modinv(&(&p1 * &q1)), q.modinv(&p)) else {
                continue;
            };
            if modulus.bits() != bits as u64 {
                continue;
            }
            let (dp, dq) = (&d % &p1, &d % &q1);
            let zero = BigUint::default();
            let numbers = [&zero, &modulus, &e, &d, &p, &q, &dp, &dq, &coefficient];
            let integers = numbers.map(|number| Element::unsigned(&number.to_bytes_be()));
            let der = Element::sequence(integers).to_bytes();
            if let Some(key) = Self::from_pkcs1(&der) {
                return Ok(key);
            }
        }
    }

    pub(crate) fn bits(&self) -> usize {
        self.modulus.bits() as usize
    }

    /// RSAPublicKey (RFC 8017, appendix A.1.1).
    pub(crate) fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// RSAPrivateKey (RFC 8017, appendix A.1.2).
    pub(crate) fn private_key(&self) -> &[u8] {
        &self.private
    }

    /// RSASSA-PKCS1-v1_5. `None` if the modulus is too small for the hash.
    pub(crate) fn sign_pkcs1(&self, hash: Hash, message: &[u8]) -> Option<Vec<u8>> {
        let by_aws_lc: Option<&dyn signature::RsaEncoding> = match hash {
            Hash::Sha256 => Some(&signature::RSA_PKCS1_SHA256),
            Hash::Sha384 => Some(&signature::RSA_PKCS1_SHA384),
            Hash::Sha512 => Some(&signature::RSA_PKCS1_SHA512),
            _ => None,
        };
        if let (Some(key), Some(encoding)) = (&self.approved, by_aws_lc) {
            let mut signed = vec![0; key.public_modulus_len()];
            let random = aws_lc_rs::rand::SystemRandom::new();
            // Padding of this kind draws nothing.
            if key.sign(encoding, &random, message, &mut signed).is_ok() {
                return Some(signed);
            }
        }
        let digest = Element::octet_string(hash.digest(message));
        let info = Element::sequence([hash.identifier(), digest]).to_bytes();
        let padding = self.octets().checked_sub(info.len() + 3).filter(|&octets| octets >= 8)?;
        self.raw(&[&[0, 1], vec![0xff; padding].as_slice(), &[0], &info].concat())
    }

    /// RSASSA-PSS with a salt that key and message determine. `None` if the modulus is too small
    /// for hash and salt.
    pub(crate) fn sign_pss(
        &self,
        hash: Hash,
        mask_hash: Hash,
        salt_size: usize,
        message: &[u8],
    ) -> Option<Vec<u8>> {
        let digest = hash.digest(message);
        let salt = mgf1(Hash::Sha512, &[&self.private, digest.as_slice()].concat(), salt_size);
        // RFC 8017, section 9.1.1: of the modulus, one bit stays unused.
        let bits = self.bits() - 1;
        let octets = bits.div_ceil(8);
        let padding = octets.checked_sub(hash.size() + salt_size + 2)?;
        let h = hash.digest(&[&[0; 8], digest.as_slice(), &salt].concat());
        let mut block = [vec![0; padding].as_slice(), &[1], &salt].concat();
        let mask = mgf1(mask_hash, &h, block.len());
        block.iter_mut().zip(mask).for_each(|(octet, mask)| *octet ^= mask);
        block[0] &= 0xff >> (8 * octets - bits);
        self.raw(&[block.as_slice(), &h, &[0xbc]].concat())
    }

    fn octets(&self) -> usize {
        self.bits().div_ceil(8)
    }

    /// The private operation (RFC 8017, section 5.2.1, by the second way).
    fn raw(&self, block: &[u8]) -> Option<Vec<u8>> {
        let message = BigUint::from_bytes_be(block);
        if message >= self.modulus {
            return None;
        }
        let [p, q] = &self.primes;
        let [first, second] =
            [0, 1].map(|index| message.modpow(&self.exponents[index], &self.primes[index]));
        let difference = (&first + p - &second % p) % p;
        let signed = (&second + (difference * &self.coefficient) % p * q).to_bytes_be();
        let zeros = self.octets().checked_sub(signed.len())?;
        Some([vec![0; zeros], signed].concat())
    }
}

/// RFC 8017, appendix B.2.1.
pub(crate) fn mgf1(hash: Hash, seed: &[u8], size: usize) -> Vec<u8> {
    let mut mask = Vec::new();
    for counter in 0_u32.. {
        if mask.len() >= size {
            break;
        }
        mask.extend(hash.digest(&[seed, &counter.to_be_bytes()].concat()));
    }
    mask.truncate(size);
    mask
}

/// A prime of exactly `bits` bits, its two highest set, that `exponent` fits.
fn prime(bits: usize, exponent: &BigUint, stream: &mut Stream) -> BigUint {
    let one = BigUint::from(1_u8);
    let small = small_primes();
    loop {
        let mut octets = vec![0; bits.div_ceil(8)];
        stream.fill_bytes(&mut octets);
        let mut candidate = BigUint::from_bytes_be(&octets);
        for bit in bits..8 * octets.len() {
            candidate.set_bit(bit as u64, false);
        }
        for bit in [0, bits - 2, bits - 1] {
            candidate.set_bit(bit as u64, true);
        }
        let divisible = small.iter().any(|&prime| &candidate % prime == BigUint::default());
        if !divisible
            && exponent.modinv(&(&candidate - &one)).is_some()
            && is_probably_prime(&candidate)
        {
            return candidate;
        }
    }
}

/// Miller and Rabin's test. For numbers drawn at random a few bases are plenty.
fn is_probably_prime(candidate: &BigUint) -> bool {
    let one = BigUint::from(1_u8);
    let last = candidate - &one;
    let twos = last.trailing_zeros().unwrap_or_default();
    let odd = &last >> twos;
    [2_u8, 3, 5, 7, 11, 13, 17, 19].into_iter().all(|base| {
        let mut power = BigUint::from(base).modpow(&odd, candidate);
        if power == one || power == last {
            return true;
        }
        (1..twos).any(|_| {
            power = &power * &power % candidate;
            power == last
        })
    })
}

fn small_primes() -> Vec<u32> {
    let mut primes: Vec<u32> = Vec::new();
    for number in 3..2_000 {
        if number % 2 != 0 && primes.iter().all(|prime| number % prime != 0) {
            primes.push(number);
        }
    }
    primes
}
