//! Public keys of others, and whether one of them made a signature.
//!
//! Only public values are handled here. Everything that GnuTLS 3.8 verifies is understood, but
//! Ed448 and the GOST algorithms.

use aws_lc_rs::{
    digest::{self, Digest},
    signature::{self, UnparsedPublicKey},
};
use num_bigint::BigUint;

use crate::{
    algorithm::{Hash, SignatureAlgorithm},
    clone::old_algorithms::{DsaDomain, SmallCurve},
    der::{self, Element},
    oid,
};

/// A public key by what it is, not by how it is written: a renewed certificate that marks the
/// same RSA key differently has the same key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PublicKey {
    Dsa {
        domain: DsaDomain,
        y: BigUint,
    },
    Ec {
        curve: Curve,
        point: Vec<u8>,
    },
    Ed25519(Vec<u8>),
    Rsa {
        n: BigUint,
        e: BigUint,
    },
    /// Something else, or something broken.
    Unknown {
        algorithm: Vec<u8>,
        bits: Vec<u8>,
    },
}

/// The curves that have a signature to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Curve {
    P192,
    P224,
    P256,
    P384,
    P521,
}

impl Curve {
    /// Octets of a coordinate.
    pub(super) const fn size(self) -> usize {
        match self {
            Self::P192 => 24,
            Self::P224 => 28,
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn of(parameters: &Element) -> Option<Self> {
        Some(match parameters.arcs()?.as_slice() {
            P192 => Self::P192,
            P224 => Self::P224,
            oid::P256 => Self::P256,
            oid::P384 => Self::P384,
            oid::P521 => Self::P521,
            _ => return None,
        })
    }
}

/// How something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Dsa(Hash),
    Usual(SignatureAlgorithm),
}

impl Algorithm {
    pub(super) fn of(identifier: &Element) -> Option<Self> {
        if let Some(usual) = SignatureAlgorithm::from_identifier(identifier) {
            return Some(Self::Usual(usual));
        }
        Some(match identifier.at(&[0])?.arcs()?.as_slice() {
            // The older identifier, of the OIW.
            [1, 3, 14, 3, 2, 29] => Self::Usual(SignatureAlgorithm::RsaPkcs1(Hash::Sha1)),
            [1, 2, 840, 10_040, 4, 3] => Self::Dsa(Hash::Sha1),
            [2, 16, 840, 1, 101, 3, 4, 3, number] => Self::Dsa(match number {
                1 => Hash::Sha224,
                2 => Hash::Sha256,
                3 => Hash::Sha384,
                4 => Hash::Sha512,
                5 => Hash::Sha3_224,
                6 => Hash::Sha3_256,
                7 => Hash::Sha3_384,
                8 => Hash::Sha3_512,
                _ => return None,
            }),
            _ => return None,
        })
    }
}

impl PublicKey {
    /// The key of a SubjectPublicKeyInfo.
    pub(super) fn of(info: &Element) -> Self {
        Self::known(info).unwrap_or_else(|| Self::Unknown {
            algorithm: info.at(&[0]).map(Element::to_bytes).unwrap_or_default(),
            bits: info.at(&[1]).map(Element::content).unwrap_or_default(),
        })
    }

    fn known(info: &Element) -> Option<Self> {
        let key = info.at(&[1])?.octets_of_bits()?;
        let algorithm = info.at(&[0])?;
        Some(match algorithm.at(&[0])?.arcs()?.as_slice() {
            oid::RSA_ENCRYPTION | oid::RSASSA_PSS => {
                let numbers = Element::parse(key)?;
                let (n, e) = (number(numbers.at(&[0])?)?, number(numbers.at(&[1])?)?);
                // Raising to a large exponent would cost too much; real ones have 2 to 33 bits.
                if n.bits() < 16 || e.bits() > 64 {
                    return None;
                }
                Self::Rsa { n, e }
            }
            oid::EC_PUBLIC_KEY => {
                let curve = Curve::of(algorithm.at(&[1])?)?;
                if key.first() != Some(&4) || key.len() != 1 + 2 * curve.size() {
                    return None;
                }
                Self::Ec { curve, point: key.to_vec() }
            }
            DSA => {
                let parameter = |index| number(algorithm.at(&[1, index])?);
                let domain = DsaDomain::new(parameter(0)?, parameter(1)?, parameter(2)?)?;
                Self::Dsa { domain, y: number(&Element::parse(key)?)? }
            }
            oid::ED25519 if key.len() == 32 => Self::Ed25519(key.to_vec()),
            _ => return None,
        })
    }

    /// The content of its BIT STRING in the usual form; `None` where there is no usual form.
    pub(super) fn bits(&self) -> Option<Vec<u8>> {
        let unsigned = |number: &BigUint| Element::unsigned(&number.to_bytes_be());
        let key = match self {
            Self::Dsa { y, .. } => unsigned(y).to_bytes(),
            Self::Ec { point, .. } => point.clone(),
            Self::Ed25519(key) => key.clone(),
            Self::Rsa { n, e } => Element::sequence([unsigned(n), unsigned(e)]).to_bytes(),
            Self::Unknown { .. } => return None,
        };
        Some([vec![0], key].concat())
    }

    /// Octets of its signatures, where all have the same number.
    pub(super) fn signature_size(&self) -> Option<usize> {
        match self {
            Self::Rsa { n, .. } => Some((n.bits() as usize).div_ceil(8)),
            Self::Ed25519(_) => Some(64),
            _ => None,
        }
    }

    /// Whether it is of the kind that makes such signatures.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        matches!(
            (self, algorithm),
            (Self::Dsa { .. }, Algorithm::Dsa(_))
                | (Self::Ec { .. }, Algorithm::Usual(SignatureAlgorithm::Ecdsa(_)))
                | (Self::Ed25519(_), Algorithm::Usual(SignatureAlgorithm::Ed25519))
                | (
                    Self::Rsa { .. },
                    Algorithm::Usual(
                        SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss { .. }
                    )
                )
        )
    }

    /// Whether it made this signature.
    pub(super) fn made(&self, signature: &[u8], algorithm: Algorithm, message: &[u8]) -> bool {
        if self.signature_size().is_some_and(|size| size != signature.len()) {
            return false;
        }
        match (self, algorithm) {
            (Self::Rsa { n, e }, Algorithm::Usual(algorithm)) => {
                verify_rsa(n, e, algorithm, message, signature).is_some()
            }
            (Self::Ec { curve, point }, Algorithm::Usual(SignatureAlgorithm::Ecdsa(hash))) => {
                verify_ecdsa(*curve, point, &hash.digest(message), signature).is_some()
            }
            (Self::Ed25519(key), Algorithm::Usual(SignatureAlgorithm::Ed25519)) => {
                UnparsedPublicKey::new(&signature::ED25519, key).verify(message, signature).is_ok()
            }
            (Self::Dsa { domain, y }, Algorithm::Dsa(hash)) => {
                pair(signature).is_some_and(|pair| domain.verify(y, &hash.digest(message), &pair))
            }
            _ => false,
        }
    }
}

/// RFC 8017, sections 8.1.2 and 8.2.2.
fn verify_rsa(
    n: &BigUint,
    e: &BigUint,
    algorithm: SignatureAlgorithm,
    message: &[u8],
    signature: &[u8],
) -> Option<()> {
    let signature = BigUint::from_bytes_be(signature);
    if &signature >= n {
        return None;
    }
    let opened = signature.modpow(e, n).to_bytes_be();
    match algorithm {
        SignatureAlgorithm::RsaPkcs1(hash) => {
            // The leading zero is gone.
            let rest = opened.strip_prefix(&[1])?;
            let end = rest.iter().position(|&octet| octet != 0xff).filter(|&end| end >= 8)?;
            let info = Element::parse(rest[end..].strip_prefix(&[0])?)?;
            let same_hash = info.at(&[0, 0])?.to_bytes() == hash.identifier().at(&[0])?.to_bytes();
            (same_hash && info.at(&[1])?.content() == hash.digest(message)).then_some(())
        }
        SignatureAlgorithm::RsaPss { hash, mask_hash, salt_size } => {
            // RFC 8017, section 9.1.2.
            let bits = n.bits() as usize - 1;
            let size = bits.div_ceil(8);
            let block = [vec![0; size.checked_sub(opened.len())?], opened].concat();
            let (masked, rest) = block.split_at_checked(size.checked_sub(hash.size() + 1)?)?;
            let (hashed, trailer) = rest.split_at(hash.size());
            let mask = crate::key::mgf1(mask_hash, hashed, masked.len());
            let mut data: Vec<u8> = masked.iter().zip(mask).map(|(one, two)| one ^ two).collect();
            *data.first_mut()? &= 0xff >> (8 * size - bits);
            let (padding, salt) = data.split_at_checked(data.len().checked_sub(salt_size)?)?;
            let (mark, zeros) = padding.split_last()?;
            let sound = trailer == [0xbc] && *mark == 1 && zeros.iter().all(|&octet| octet == 0);
            let again = hash.digest(&[&[0; 8], &hash.digest(message)[..], salt].concat());
            (sound && again == hashed).then_some(())
        }
        SignatureAlgorithm::Ecdsa(_) | SignatureAlgorithm::Ed25519 => None,
    }
}

/// ECDSA takes the leftmost bits of the digest, so any hash can be given as the one that aws-lc
/// expects.
fn verify_ecdsa(curve: Curve, point: &[u8], digest: &[u8], signature: &[u8]) -> Option<()> {
    let (verifier, as_hash) = match curve {
        Curve::P192 | Curve::P224 => {
            return SmallCurve::of(curve)?.verify(point, digest, &pair(signature)?).then_some(());
        }
        Curve::P256 => (&signature::ECDSA_P256_SHA256_ASN1, &digest::SHA256),
        Curve::P384 => (&signature::ECDSA_P384_SHA384_ASN1, &digest::SHA384),
        Curve::P521 => (&signature::ECDSA_P521_SHA512_ASN1, &digest::SHA512),
    };
    let size = as_hash.output_len();
    let leftmost = &digest[..digest.len().min(size)];
    let padded = [vec![0; size - leftmost.len()].as_slice(), leftmost].concat();
    let digest = Digest::import_less_safe(&padded, as_hash).ok()?;
    UnparsedPublicKey::new(verifier, point).verify_digest(&digest, signature).ok()
}

/// The two numbers of a DSA or ECDSA signature.
pub(super) fn pair(signature: &[u8]) -> Option<[BigUint; 2]> {
    let pair = Element::parse(signature)?;
    Some([number(pair.at(&[0])?)?, number(pair.at(&[1])?)?])
}

fn number(element: &Element) -> Option<BigUint> {
    (element.tag() == der::INTEGER).then(|| BigUint::from_bytes_be(&element.content()))
}

const P192: &[u64] = &[1, 2, 840, 10_045, 3, 1, 1];
const P224: &[u64] = &[1, 3, 132, 0, 33];
const DSA: &[u64] = &[1, 2, 840, 10_040, 4, 1];
