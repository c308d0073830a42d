//! Public keys, and whether a signature by one of them holds.
//!
//! Only public values are handled here. Common sizes go through aws-lc; what that refuses and
//! GnuTLS takes (small RSA keys, MD5, SHA-224, SHA-3, DSA) is computed with plain big integers.

use aws_lc_rs::{
    digest::{self, Digest},
    signature::{self, ParsedPublicKey, UnparsedPublicKey},
};
use num_bigint::BigUint;

use crate::{
    algorithm::{PssParameters, RSA_PSS, SignatureAlgorithm},
    certificate::{Certificate, algorithm_identifier, oid},
    der::{DerError, Reader, oid_text, tag},
    hash::Hash,
    small_curve::{self, SmallCurve},
    steps::{self, Step},
};

/// Outcome of checking a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signature {
    /// The algorithm does not belong to this type of key.
    DoesNotFit,
    Good,
    /// GnuTLS could not try.
    NotUnderstood,
    Wrong,
}

/// Curves of ECDSA keys that GnuTLS knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P192,
    P224,
    P256,
    P384,
    P521,
}

/// A subject's public key.
#[derive(Clone, Debug)]
pub(crate) enum PublicKey {
    Dsa {
        p: BigUint,
        q: BigUint,
        g: BigUint,
        y: BigUint,
    },
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519(Vec<u8>),
    Ed448,
    Rsa(RsaKey),
    RsaPss(RsaKey, Option<PssParameters>),
    /// A type or encoding GnuTLS cannot use.
    Unusable,
}

/// An RSA key, in both forms that are needed.
#[derive(Clone, Debug)]
pub(crate) struct RsaKey {
    der: Vec<u8>,
    n: BigUint,
    e: BigUint,
}

const RSA: &str = "1.2.840.113549.1.1.1";

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo.
    pub(crate) fn parse(spki: &[u8]) -> Self {
        Self::try_parse(spki).unwrap_or(Self::Unusable)
    }

    fn try_parse(spki: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::only(spki, tag::SEQUENCE)?.inner();
        let algorithm = algorithm_identifier(&mut fields)?;
        let key = fields.expect(tag::BIT_STRING)?.octet_bits()?;
        let parameters = algorithm.parameters.ok_or(DerError::Structure);
        Ok(match oid_text(algorithm.oid).as_str() {
            RSA => Self::Rsa(RsaKey::parse(key)?),
            RSA_PSS => {
                let present = algorithm.parameters.filter(|found| found.tag != tag::NULL);
                let limits = present.map(|found| PssParameters::parse(found.whole)).transpose()?;
                Self::RsaPss(RsaKey::parse(key)?, limits)
            }
            "1.2.840.10045.2.1" => {
                let name = oid(&mut Reader::new(parameters?.whole))?;
                let (curve, size) = match oid_text(name).as_str() {
                    "1.2.840.10045.3.1.1" => (Curve::P192, 24),
                    "1.3.132.0.33" => (Curve::P224, 28),
                    "1.2.840.10045.3.1.7" => (Curve::P256, 32),
                    "1.3.132.0.34" => (Curve::P384, 48),
                    "1.3.132.0.35" => (Curve::P521, 66),
                    _ => return Err(DerError::Structure),
                };
                if key.first() != Some(&4) || key.len() != 1 + 2 * size {
                    return Err(DerError::Structure);
                }
                Self::Ec { curve, point: key.to_vec() }
            }
            "1.2.840.10040.4.1" => {
                let mut numbers = Reader::only(parameters?.whole, tag::SEQUENCE)?.inner();
                let p = unsigned(&mut numbers)?;
                let q = unsigned(&mut numbers)?;
                let g = unsigned(&mut numbers)?;
                Self::Dsa { p, q, g, y: unsigned(&mut Reader::new(key))? }
            }
            "1.3.101.112" if key.len() == 32 => Self::Ed25519(key.to_vec()),
            "1.3.101.113" if key.len() == 57 => Self::Ed448,
            _ => Self::Unusable,
        })
    }

    /// Size in bits as GnuTLS measures security; 0 if unusable.
    pub(crate) fn bits(&self) -> u64 {
        match self {
            Self::Dsa { p, .. } => p.bits(),
            Self::Ec { curve, .. } => match curve {
                Curve::P192 => 192,
                Curve::P224 => 224,
                Curve::P256 => 256,
                Curve::P384 => 384,
                Curve::P521 => 521,
            },
            Self::Ed25519(_) => 256,
            Self::Ed448 => 456,
            Self::Rsa(key) | Self::RsaPss(key, _) => key.n.bits(),
            Self::Unusable => 0,
        }
    }

    /// Whether the size is that of an elliptic curve.
    pub(crate) fn is_curve(&self) -> bool {
        matches!(self, Self::Ec { .. } | Self::Ed25519(_) | Self::Ed448)
    }

    /// Usual spelling with the size.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Dsa { .. } => format!("DSA {}", self.bits()),
            Self::Ec { .. } => format!("EC P-{}", self.bits()),
            Self::Ed25519(_) => "Ed25519".to_owned(),
            Self::Ed448 => "Ed448".to_owned(),
            Self::Rsa(_) => format!("RSA {}", self.bits()),
            Self::RsaPss(..) => format!("RSA-PSS {}", self.bits()),
            Self::Unusable => "a key GnuTLS cannot use".to_owned(),
        }
    }

    /// Checks the signature of a certificate that this key should have made.
    pub(crate) fn signed(&self, certificate: &Certificate) -> Signature {
        // GnuTLS passes over a signature that is no whole number of octets.
        certificate.signature.as_ref().map_or(Signature::Good, |signature| {
            self.verify(&certificate.algorithm, &certificate.signed, signature)
        })
    }

    /// Checks a signature by this key.
    pub(crate) fn verify(
        &self,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Signature {
        steps::count(Step::Signature);
        let holds = match (self, algorithm) {
            (Self::Unusable, _) | (_, SignatureAlgorithm::Unknown(_)) => None,
            (Self::Rsa(key), SignatureAlgorithm::Rsa(hash)) => {
                key.verify_pkcs1(*hash, message, signature)
            }
            (Self::Rsa(key), SignatureAlgorithm::RsaPss(parameters)) => {
                // With a plain RSA key GnuTLS takes the salt for as long as the hash, whatever
                // the parameters say (found by comparing).
                let usual = parameters.hash.length() == parameters.salt_length;
                if usual { key.verify_pss(*parameters, message, signature) } else { Some(false) }
            }
            (Self::RsaPss(key, limits), SignatureAlgorithm::RsaPss(parameters)) => {
                let allowed = limits.is_none_or(|limits| {
                    limits.hash == parameters.hash && limits.salt_length <= parameters.salt_length
                });
                if !allowed {
                    return Signature::DoesNotFit;
                }
                key.verify_pss(*parameters, message, signature)
            }
            (Self::Ec { curve, point }, SignatureAlgorithm::Ecdsa(hash)) => {
                verify_ecdsa(*curve, point, *hash, message, signature)
            }
            (Self::Dsa { p, q, g, y }, SignatureAlgorithm::Dsa(hash)) => {
                hash.of(message).map(|digest| verify_dsa([p, q, g, y], &digest, signature))
            }
            (Self::Ed25519(key), SignatureAlgorithm::Ed25519) => Some(
                UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature).is_ok(),
            ),
            (Self::Ed448, SignatureAlgorithm::Ed448) => None,
            _ => return Signature::DoesNotFit,
        };
        // A hash that GnuTLS cannot compute counts as a signature that does not hold.
        let is_computable = algorithm.hash().is_none_or(Hash::is_computable);
        match holds.or((!is_computable).then_some(false)) {
            Some(true) => Signature::Good,
            Some(false) => Signature::Wrong,
            None => Signature::NotUnderstood,
        }
    }
}

fn unsigned(reader: &mut Reader<'_>) -> Result<BigUint, DerError> {
    Ok(BigUint::from_bytes_be(reader.expect(tag::INTEGER)?.content))
}

impl RsaKey {
    fn parse(der: &[u8]) -> Result<Self, DerError> {
        let mut numbers = Reader::only(der, tag::SEQUENCE)?.inner();
        let n = unsigned(&mut numbers)?;
        let e = unsigned(&mut numbers)?;
        numbers.end()?;
        if n.bits() < 12 {
            return Err(DerError::Structure);
        }
        Ok(Self { der: der.to_vec(), n, e })
    }

    fn octets(&self) -> usize {
        usize::try_from(self.n.bits().div_ceil(8)).unwrap_or(usize::MAX)
    }

    /// The signature raised to the public exponent, as long as the modulus.
    fn open(&self, signature: &[u8]) -> Option<Vec<u8>> {
        // An exponent as long as the modulus would cost milliseconds; real ones have 2 to 33 bits.
        if self.n.bits() > 16_384 || self.e.bits() > 64 {
            return None;
        }
        let signature = BigUint::from_bytes_be(signature);
        if signature >= self.n {
            return None;
        }
        let opened = signature.modpow(&self.e, &self.n).to_bytes_be();
        let mut block = vec![0; self.octets().checked_sub(opened.len())?];
        block.extend(opened);
        Some(block)
    }

    fn verify_pkcs1(&self, hash: Hash, message: &[u8], signature: &[u8]) -> Option<bool> {
        let fast: Option<&'static signature::RsaParameters> = match hash {
            Hash::Sha256 => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
            Hash::Sha384 => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
            Hash::Sha512 => Some(&signature::RSA_PKCS1_2048_8192_SHA512),
            _ => None,
        };
        if let Some(parameters) = fast
            && (2048..=8192).contains(&self.n.bits())
            && signature.len() == self.octets()
            && let Ok(key) = ParsedPublicKey::new(parameters, &self.der)
        {
            return Some(key.verify_sig(message, signature).is_ok());
        }
        let info = hash.digest_info()?;
        let digest = hash.of(message)?;
        let Some(padding) = self.octets().checked_sub(info.len() + digest.len() + 3) else {
            return Some(false);
        };
        let mut expected = vec![0, 1];
        expected.resize(2 + padding, 0xff);
        expected.push(0);
        expected.extend(info);
        expected.extend(digest);
        Some(padding >= 8 && self.open(signature).is_some_and(|block| block == expected))
    }

    /// EMSA-PSS-VERIFY of RFC 8017 §9.1.2.
    fn verify_pss(
        &self,
        parameters: PssParameters,
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        let digest = parameters.hash.of(message)?;
        let bits = usize::try_from(self.n.bits() - 1).unwrap_or(usize::MAX);
        let Some(block) = self.open(signature) else { return Some(false) };
        let block = &block[block.len() - bits.div_ceil(8)..];
        let Some(salted) = block.len().checked_sub(digest.len() + 1) else { return Some(false) };
        let (masked, rest) = block.split_at(salted);
        let (hashed, trailer) = rest.split_at(digest.len());
        if trailer != [0xbc] || signature.len() != self.octets() {
            return Some(false);
        }
        let mut seed_mask = Vec::with_capacity(salted);
        let mut counter = 0_u32;
        while seed_mask.len() < salted {
            seed_mask.extend(parameters.hash.of(&[hashed, &counter.to_be_bytes()].concat())?);
            counter += 1;
        }
        let mut data: Vec<u8> = masked.iter().zip(seed_mask).map(|(one, two)| one ^ two).collect();
        let surplus = block.len() * 8 - bits;
        if let Some(first) = data.first_mut() {
            if masked[0] & !(0xff_u8 >> surplus) != 0 {
                return Some(false);
            }
            *first &= 0xff >> surplus;
        }
        let Some(marker) = data.len().checked_sub(parameters.salt_length.saturating_add(1)) else {
            return Some(false);
        };
        let well_formed = data[..marker].iter().all(|&octet| octet == 0) && data[marker] == 1;
        let again = parameters.hash.of(&[&[0; 8], &digest[..], &data[marker + 1..]].concat())?;
        Some(well_formed && again == hashed)
    }
}

/// ECDSA takes the leftmost bits of the digest, so any hash can be given as the one aws-lc expects.
fn verify_ecdsa(
    curve: Curve,
    point: &[u8],
    hash: Hash,
    message: &[u8],
    signature: &[u8],
) -> Option<bool> {
    let (verifier, size) = match curve {
        Curve::P192 => {
            return verify_small(small_curve::P192, point, &hash.of(message)?, signature);
        }
        Curve::P224 => {
            return verify_small(small_curve::P224, point, &hash.of(message)?, signature);
        }
        Curve::P256 => (&signature::ECDSA_P256_SHA256_ASN1, 32),
        Curve::P384 => (&signature::ECDSA_P384_SHA384_ASN1, 48),
        Curve::P521 => (&signature::ECDSA_P521_SHA512_ASN1, 64),
    };
    let as_hash = match size {
        32 => &digest::SHA256,
        48 => &digest::SHA384,
        _ => &digest::SHA512,
    };
    let digest = hash.of(message)?;
    let leftmost = &digest[..digest.len().min(size)];
    let mut padded = vec![0; size - leftmost.len()];
    padded.extend_from_slice(leftmost);
    let digest = Digest::import_less_safe(&padded, as_hash).ok()?;
    Some(UnparsedPublicKey::new(verifier, point).verify_digest(&digest, signature).is_ok())
}

/// FIPS 186-4 §4.7.
fn verify_dsa([p, q, g, y]: [&BigUint; 4], digest: &[u8], signature: &[u8]) -> bool {
    let Ok((r, s)) = numbers(signature) else { return false };
    let zero = BigUint::default();
    let sane = p.bits() <= 8192 && q.bits() <= 512 && q.bits() % 8 == 0 && q < p;
    if !sane || r == zero || s == zero || &r >= q || &s >= q {
        return false;
    }
    let size = usize::try_from(q.bits() / 8).unwrap_or_default();
    let z = BigUint::from_bytes_be(&digest[..digest.len().min(size)]);
    let Some(w) = s.modinv(q) else { return false };
    let (u1, u2) = (z * &w % q, &r * &w % q);
    g.modpow(&u1, p) * y.modpow(&u2, p) % p % q == r
}

fn verify_small(curve: SmallCurve, point: &[u8], digest: &[u8], signature: &[u8]) -> Option<bool> {
    let Ok((r, s)) = numbers(signature) else { return Some(false) };
    Some(curve.verify(point, digest, &r, &s))
}

/// The two numbers of a DSA or ECDSA signature.
fn numbers(signature: &[u8]) -> Result<(BigUint, BigUint), DerError> {
    let mut numbers = Reader::only(signature, tag::SEQUENCE)?.inner();
    let pair = (unsigned(&mut numbers)?, unsigned(&mut numbers)?);
    numbers.end()?;
    Ok(pair)
}
