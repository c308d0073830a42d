//! A new key for an old one: of the same type and size, and with no number in common.

use ground::Seed;
use num_bigint::BigUint;
use rand::Rng as _;

use crate::{
    algorithm::{Hash, SignatureAlgorithm},
    clone::{
        old_algorithms::{DsaDomain, SmallCurve},
        public_key::{Algorithm, Curve, PublicKey},
    },
    der::{self, Element},
    key::{KeyChoice, KeyKind, KeyOwner, PrivateKey, SigningKey},
    oid,
};

/// The key of the clone that stands for a key of the original.
#[derive(Clone)]
pub(super) enum NewKey {
    Dsa {
        domain: DsaDomain,
        secret: BigUint,
    },
    /// Nobody has the private half: the type of the key, or its size, is beyond us.
    Hollow {
        bits: Vec<u8>,
    },
    Small {
        curve: Curve,
        secret: BigUint,
    },
    Usual(SigningKey),
}

impl NewKey {
    /// The key number `number` of this type and size. Different numbers have different keys.
    pub(super) fn like(old: &PublicKey, seed: &Seed, number: usize) -> Self {
        let octets = |count: usize| {
            let mut octets = vec![0; count];
            seed.stream(&format!("clone key {number}")).fill_bytes(&mut octets);
            octets
        };
        let choose = |kind| {
            let owner = KeyOwner::Named(format!("clone key {number}"));
            SigningKey::choose(seed, &KeyChoice { owner, kind }).ok()
        };
        let usual = match old {
            PublicKey::Dsa { domain, .. } => {
                let secret = domain.secret(&octets(32));
                return Self::Dsa { domain: domain.clone(), secret };
            }
            PublicKey::Ec { curve, .. } => match curve {
                Curve::P192 | Curve::P224 => {
                    let secret = SmallCurve::of(*curve).map(|curve| curve.secret(&octets(32)));
                    return Self::Small { curve: *curve, secret: secret.unwrap_or_default() };
                }
                Curve::P256 => choose(KeyKind::EcdsaP256),
                Curve::P384 => choose(KeyKind::EcdsaP384),
                Curve::P521 => choose(KeyKind::EcdsaP521),
            },
            PublicKey::Ed25519(_) => choose(KeyKind::Ed25519),
            PublicKey::Rsa { n, e } => u64::try_from(e.clone()).ok().and_then(|exponent| {
                SigningKey::rsa_numbered(seed, number, n.bits() as usize, exponent).ok()
            }),
            PublicKey::Unknown { .. } => None,
        };
        usual.map_or_else(|| Self::Hollow { bits: hollow(old, &octets) }, Self::Usual)
    }

    /// Whether somebody can sign with it.
    pub(super) fn signs(&self) -> bool {
        !matches!(self, Self::Hollow { .. })
    }

    /// The content of the BIT STRING of SubjectPublicKeyInfo.
    pub(super) fn bits(&self) -> Vec<u8> {
        let octets = match self {
            Self::Dsa { domain, secret } => {
                Element::unsigned(&domain.public(secret).to_bytes_be()).to_bytes()
            }
            Self::Hollow { bits } => return bits.clone(),
            Self::Small { curve, secret } => {
                SmallCurve::of(*curve).and_then(|curve| curve.public(secret)).unwrap_or_default()
            }
            Self::Usual(key) => {
                return key.public_key_info().at(&[1]).map(Element::content).unwrap_or_default();
            }
        };
        [vec![0], octets].concat()
    }

    /// Signs; `None` if a key of this type or size cannot.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let pair = match (self, algorithm) {
            (Self::Usual(key), Algorithm::Usual(algorithm)) => {
                return key.sign(algorithm, message).ok();
            }
            (Self::Dsa { domain, secret }, Algorithm::Dsa(hash)) => {
                domain.sign(secret, &hash.digest(message))
            }
            (Self::Small { curve, secret }, Algorithm::Usual(SignatureAlgorithm::Ecdsa(hash))) => {
                SmallCurve::of(*curve)?.sign(secret, &hash.digest(message))
            }
            _ => None,
        };
        let numbers = pair?.map(|number| Element::unsigned(&number.to_bytes_be()));
        Some(Element::sequence(numbers).to_bytes())
    }

    /// The private key as PKCS#8, for a server. `info` is the public key as the certificate has
    /// it, so that a key that is marked for RSASSA-PSS stays so marked.
    pub(super) fn private_key(&self, info: &Element) -> Option<PrivateKey> {
        let Self::Usual(key) = self else { return None };
        let algorithm = info.at(&[0])?;
        let is_pss = algorithm.at(&[0])?.arcs()? == oid::RSASSA_PSS;
        let key = key.clone();
        let key = if is_pss { key.marked_as_pss(algorithm.at(&[1]).cloned()) } else { key };
        Some(key.to_private_key())
    }
}

/// Octets that look like the key as far as one can see.
fn hollow(old: &PublicKey, octets: &impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    match old {
        PublicKey::Rsa { n, e } => {
            let mut modulus = BigUint::from_bytes_be(&octets((n.bits() as usize).div_ceil(8)));
            for bit in n.bits()..modulus.bits() {
                modulus.set_bit(bit, false);
            }
            modulus.set_bit(n.bits() - 1, true);
            modulus.set_bit(0, n.bit(0));
            let numbers = [&modulus, e].map(|number| Element::unsigned(&number.to_bytes_be()));
            [vec![0], Element::sequence(numbers).to_bytes()].concat()
        }
        PublicKey::Unknown { bits, .. } => super::garble::key(bits, octets),
        _ => Vec::new(),
    }
}

/// The key of a signature whose maker is nowhere in the input, as far as the signature shows it.
pub(super) fn maker(algorithm: Algorithm, signature: &[u8]) -> Option<PublicKey> {
    match algorithm {
        Algorithm::Usual(SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss { .. }) => {
            Some(PublicKey::Rsa {
                n: BigUint::from(1_u8) << (8 * signature.len()).saturating_sub(1),
                e: BigUint::from(65_537_u32),
            })
            .filter(|_| (48..=1_024).contains(&signature.len()))
        }
        Algorithm::Usual(SignatureAlgorithm::Ecdsa(_)) => {
            let pair = super::public_key::pair(signature)?;
            let bits = pair.iter().map(BigUint::bits).max()?;
            let curve = match bits {
                0..=256 => Curve::P256,
                257..=384 => Curve::P384,
                _ => Curve::P521,
            };
            Some(PublicKey::Ec { curve, point: Vec::new() })
        }
        Algorithm::Usual(SignatureAlgorithm::Ed25519) => Some(PublicKey::Ed25519(Vec::new())),
        _ => None,
    }
}

/// A key identifier of `size` octets that somebody could have made from the key: method 1 of
/// RFC 5280, section 4.2.1.2, or as much as is wanted.
pub(super) fn identifier(bits: &[u8], size: usize) -> Vec<u8> {
    let key = bits.get(1..).unwrap_or_default();
    let hash = if size <= 20 { Hash::Sha1 } else { Hash::Sha512 };
    let mut identifier = hash.digest(key);
    identifier.resize(size, 0);
    identifier
}

/// Everything that is made from a public key and may stand in a certificate: the digests of the
/// key and of SubjectPublicKeyInfo, and the short form of RFC 5280 (method 2).
pub(super) fn derived(info: &Element) -> Vec<Vec<u8>> {
    let bits = info.at(&[1]).filter(|bits| bits.tag() == der::BIT_STRING).map(Element::content);
    let bits = bits.unwrap_or_default();
    let key = bits.get(1..).unwrap_or_default();
    let hashes = [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512, Hash::Md5];
    let whole = info.to_bytes();
    let mut derived: Vec<Vec<u8>> =
        [key, &whole, &bits].iter().flat_map(|of| hashes.map(|hash| hash.digest(of))).collect();
    let sha1 = Hash::Sha1.digest(key);
    let mut short = sha1[12..].to_vec();
    short[0] = short[0] & 0x0f | 0x40;
    derived.push(short);
    derived
}
