//! Signing with any key and any algorithm that fits it.

use std::{fmt, sync::Arc};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use ground::Seed;
use p256::{
    ecdsa::signature::hazmat::PrehashSigner as _,
    pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _},
};
use rand::Rng as _;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Authority, KeyChoice, KeyKind, KeyOwner, PrivateKey, pool::Pool, rsa::RsaKey};
use crate::{
    algorithm::{Hash, SignatureAlgorithm},
    der::Element,
    error::PkiError,
    oid,
};

/// A key that can sign. Every signature is a function of key, algorithm and message.
///
/// ```
/// use fake_dc_pki::{Hash, KeyChoice, KeyOwner, SignatureAlgorithm, SigningKey};
/// use ground::Seed;
///
/// let choice = KeyChoice::new(KeyOwner::Named("dc1".to_owned()));
/// let key = SigningKey::choose(&Seed::new(1), &choice)?;
/// let weak = SignatureAlgorithm::RsaPkcs1(Hash::Md5);
/// assert!(key.fits(weak));
/// assert_eq!(key.sign(weak, b"anything")?.len(), 256);
/// # Ok::<(), fake_dc_pki::PkiError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    secret: Secret,
    public: Arc<Element>,
}

#[derive(Clone)]
enum Secret {
    Ed25519(Arc<Ed25519KeyPair>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    PoolRsa(&'static RsaKey),
    Rsa(Arc<RsaKey>),
}

impl SigningKey {
    /// The key that an owner has: from the pool of RSA keys, or from the seed.
    ///
    /// # Errors
    ///
    /// Never in practice: the pool is part of the program.
    pub fn choose(seed: &Seed, choice: &KeyChoice) -> Result<Self, PkiError> {
        let bits = match choice.kind {
            KeyKind::EcdsaP256 => {
                return Ok(Self::new(
                    Secret::P256(seeded(seed, choice, |bytes: [u8; 32]| {
                        p256::ecdsa::SigningKey::from_slice(&bytes).ok()
                    })),
                    None,
                ));
            }
            KeyKind::EcdsaP384 => {
                return Ok(Self::new(
                    Secret::P384(seeded(seed, choice, |bytes: [u8; 48]| {
                        p384::ecdsa::SigningKey::from_slice(&bytes).ok()
                    })),
                    None,
                ));
            }
            KeyKind::EcdsaP521 => {
                return Ok(Self::new(
                    Secret::P521(seeded(seed, choice, |mut bytes: [u8; 66]| {
                        bytes[0] &= 1;
                        p521::ecdsa::SigningKey::from_slice(&bytes).ok()
                    })),
                    None,
                ));
            }
            KeyKind::Ed25519 => {
                return Ok(Self::new(
                    Secret::Ed25519(seeded(seed, choice, |bytes: [u8; 32]| {
                        Ed25519KeyPair::from_seed_unchecked(&bytes).ok().map(Arc::new)
                    })),
                    None,
                ));
            }
            KeyKind::Rsa512 => 512,
            KeyKind::Rsa1024 => 1_024,
            KeyKind::Rsa2048 | KeyKind::RsaPss2048 => 2_048,
            KeyKind::Rsa3072 => 3_072,
            KeyKind::Rsa4096 => 4_096,
            KeyKind::Rsa8192 => 8_192,
        };
        let key = Self::rsa(seed, &choice.owner, bits, EXPONENT)?;
        Ok(match choice.kind {
            KeyKind::RsaPss2048 => key.marked_as_pss(None),
            _ => key,
        })
    }

    /// The RSA key of `owner` with any size and exponent: from the pool where that has one, else
    /// made from the seed, which takes seconds for large ones.
    ///
    /// # Errors
    ///
    /// [`PkiError::RsaShape`] says which sizes can be made.
    pub fn rsa(
        seed: &Seed,
        owner: &KeyOwner,
        bits: usize,
        exponent: u64,
    ) -> Result<Self, PkiError> {
        let of_pool = || match *owner {
            KeyOwner::Renewed(authority, times) if bits == 2_048 => {
                let root = authority == Authority::Root;
                Pool::renewed().numbered(seed, 2 * times.saturating_sub(1) + usize::from(!root))
            }
            _ => Pool::of(bits)?.key(seed, owner),
        };
        if exponent == EXPONENT
            && let Some(key) = of_pool()
        {
            return Ok(Self::new(Secret::PoolRsa(key), None));
        }
        let mut stream = seed.stream(&format!("RSA key of {owner:?}, {bits} bits, {exponent}"));
        let key = RsaKey::generate(bits, exponent, &mut stream)?;
        Ok(Self::new(Secret::Rsa(Arc::new(key)), None))
    }

    /// As [`SigningKey::rsa`], but for different numbers different keys.
    pub(crate) fn rsa_numbered(
        seed: &Seed,
        number: usize,
        bits: usize,
        exponent: u64,
    ) -> Result<Self, PkiError> {
        if exponent == EXPONENT
            && let Some(key) = Pool::of(bits).and_then(|pool| pool.numbered(seed, number))
        {
            return Ok(Self::new(Secret::PoolRsa(key), None));
        }
        let mut stream = seed.stream(&format!("RSA key {number}, {bits} bits, {exponent}"));
        let key = RsaKey::generate(bits, exponent, &mut stream)?;
        Ok(Self::new(Secret::Rsa(Arc::new(key)), None))
    }

    /// The same RSA key under the object identifier `id-RSASSA-PSS`, with the parameters that it
    /// is bound to, if any. Other kinds of key stay as they are.
    #[must_use]
    pub(crate) fn marked_as_pss(self, parameters: Option<Element>) -> Self {
        let mut algorithm = vec![Element::object_identifier(oid::RSASSA_PSS)];
        algorithm.extend(parameters);
        Self::new(self.secret, Some(Element::sequence(algorithm)))
    }

    /// Reads a key of any kind that a [`SigningKey`] can be, in any of the three forms.
    ///
    /// # Errors
    ///
    /// [`PkiError::UnreadableKey`]: the key is of another kind, or its parts are no key.
    pub fn from_private_key(key: &PrivateKey) -> Result<Self, PkiError> {
        match &key.0 {
            PrivateKeyDer::Pkcs1(pkcs1) => rsa_from_pkcs1(pkcs1.secret_pkcs1_der(), None),
            PrivateKeyDer::Pkcs8(pkcs8) => from_pkcs8(pkcs8.secret_pkcs8_der()),
            PrivateKeyDer::Sec1(sec1) => from_sec1(sec1.secret_sec1_der()),
            _ => None,
        }
        .ok_or(PkiError::UnreadableKey)
    }

    /// Whether it can make such a signature.
    pub fn fits(&self, algorithm: SignatureAlgorithm) -> bool {
        // RFC 8017, sections 9.1.1 and 9.2: what a modulus must hold.
        let room = |octets| self.rsa_bits().is_some_and(|bits| bits >= 8 * octets);
        match algorithm {
            SignatureAlgorithm::Ecdsa(hash) => {
                let curve =
                    matches!(self.secret, Secret::P256(_) | Secret::P384(_) | Secret::P521(_));
                curve && hash != Hash::Md5
            }
            SignatureAlgorithm::Ed25519 => matches!(self.secret, Secret::Ed25519(_)),
            SignatureAlgorithm::RsaPkcs1(hash) => {
                let info = Element::sequence([
                    hash.identifier(),
                    Element::octet_string(vec![0; hash.size()]),
                ]);
                room(info.to_bytes().len() + 11) && !self.is_pss()
            }
            SignatureAlgorithm::RsaPss { hash, salt_size, .. } => room(hash.size() + salt_size + 2),
        }
    }

    /// What it signs with unless told otherwise.
    pub fn usual_algorithm(&self) -> SignatureAlgorithm {
        match self.secret {
            Secret::Ed25519(_) => SignatureAlgorithm::Ed25519,
            Secret::P256(_) => SignatureAlgorithm::Ecdsa(Hash::Sha256),
            Secret::P384(_) => SignatureAlgorithm::Ecdsa(Hash::Sha384),
            Secret::P521(_) => SignatureAlgorithm::Ecdsa(Hash::Sha512),
            Secret::PoolRsa(_) | Secret::Rsa(_) if self.is_pss() => {
                SignatureAlgorithm::rsa_pss(Hash::Sha256)
            }
            Secret::PoolRsa(_) | Secret::Rsa(_) => SignatureAlgorithm::RsaPkcs1(Hash::Sha256),
        }
    }

    /// Whether it is an RSA key that says that it signs RSASSA-PSS only.
    pub fn is_pss(&self) -> bool {
        let algorithm = self.public.at(&[0, 0]).and_then(Element::arcs);
        algorithm.is_some_and(|arcs| arcs == oid::RSASSA_PSS)
    }

    /// The bits of an RSA modulus; `None` for another kind of key.
    pub fn rsa_bits(&self) -> Option<usize> {
        match &self.secret {
            Secret::PoolRsa(key) => Some(key.bits()),
            Secret::Rsa(key) => Some(key.bits()),
            _ => None,
        }
    }

    /// Signs.
    ///
    /// # Errors
    ///
    /// [`PkiError::UnfitKey`]: a key of this kind or size cannot make such a signature.
    pub fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, PkiError> {
        let signed = match (&self.secret, algorithm) {
            _ if !self.fits(algorithm) => None,
            (Secret::PoolRsa(key), _) => sign_rsa(key, algorithm, message),
            (Secret::Rsa(key), _) => sign_rsa(key, algorithm, message),
            (Secret::Ed25519(key), _) => Some(key.sign(message).as_ref().to_vec()),
            (Secret::P256(key), SignatureAlgorithm::Ecdsa(hash)) => {
                let signature = key.sign_prehash(&prehash::<32>(hash, message)).ok();
                signature.map(|it: p256::ecdsa::DerSignature| it.as_bytes().to_vec())
            }
            (Secret::P384(key), SignatureAlgorithm::Ecdsa(hash)) => {
                let signature = key.sign_prehash(&prehash::<48>(hash, message)).ok();
                signature.map(|it: p384::ecdsa::DerSignature| it.as_bytes().to_vec())
            }
            (Secret::P521(key), SignatureAlgorithm::Ecdsa(hash)) => {
                let signature = key.sign_prehash(&prehash::<66>(hash, message)).ok();
                signature.map(|it: p521::ecdsa::DerSignature| it.as_bytes().to_vec())
            }
            _ => None,
        };
        signed.ok_or_else(|| PkiError::UnfitKey { key: self.to_string(), algorithm })
    }

    /// Its SubjectPublicKeyInfo (RFC 5280, section 4.1).
    pub(crate) fn public_key_info(&self) -> &Element {
        &self.public
    }

    /// Its SubjectPublicKeyInfo in DER.
    pub fn public_key_der(&self) -> Vec<u8> {
        self.public.to_bytes()
    }

    /// The key identifier of RFC 5280, section 4.2.1.2, method 1, which AD CS uses too: SHA-1 of
    /// the public key.
    pub fn identifier(&self) -> Vec<u8> {
        let key = self.public.at(&[1]).and_then(Element::octets_of_bits);
        Hash::Sha1.digest(key.unwrap_or_default())
    }

    /// The private key as PKCS#8.
    pub fn to_private_key(&self) -> PrivateKey {
        let curve = |encoded: Result<p256::pkcs8::SecretDocument, p256::pkcs8::Error>| {
            encoded.map(|document| document.as_bytes().to_vec()).unwrap_or_default()
        };
        let rsa = |key: &RsaKey| {
            let algorithm = self.public.at(&[0]).cloned().unwrap_or_else(Element::null);
            pkcs8(algorithm, key.private_key())
        };
        let encoded = match &self.secret {
            Secret::Ed25519(key) => {
                key.to_pkcs8v1().map(|document| document.as_ref().to_vec()).unwrap_or_default()
            }
            Secret::P256(key) => curve(key.to_pkcs8_der()),
            Secret::P384(key) => curve(key.to_pkcs8_der()),
            Secret::P521(key) => curve(key.to_pkcs8_der()),
            Secret::PoolRsa(key) => rsa(key),
            Secret::Rsa(key) => rsa(key),
        };
        PrivateKey(PrivatePkcs8KeyDer::from(encoded).into())
    }

    /// `algorithm` replaces the usual AlgorithmIdentifier of the public key.
    fn new(secret: Secret, algorithm: Option<Element>) -> Self {
        let (usual, key) = match &secret {
            Secret::Ed25519(key) => (
                Element::sequence([Element::object_identifier(oid::ED25519)]),
                key.public_key().as_ref().to_vec(),
            ),
            Secret::P256(key) => {
                (on_curve(oid::P256), key.verifying_key().to_sec1_point(false).as_bytes().to_vec())
            }
            Secret::P384(key) => {
                (on_curve(oid::P384), key.verifying_key().to_sec1_point(false).as_bytes().to_vec())
            }
            Secret::P521(key) => {
                (on_curve(oid::P521), key.verifying_key().to_sec1_point(false).as_bytes().to_vec())
            }
            Secret::PoolRsa(key) => (rsa_encryption(), key.public_key().to_vec()),
            Secret::Rsa(key) => (rsa_encryption(), key.public_key().to_vec()),
        };
        let public = Element::sequence([algorithm.unwrap_or(usual), Element::bit_string(&key)]);
        Self { secret, public: Arc::new(public) }
    }
}

/// The public exponent that everybody uses.
const EXPONENT: u64 = 65_537;

impl fmt::Display for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.secret {
            Secret::Ed25519(_) => f.write_str("an Ed25519 key"),
            Secret::P256(_) => f.write_str("an ECDSA key on P-256"),
            Secret::P384(_) => f.write_str("an ECDSA key on P-384"),
            Secret::P521(_) => f.write_str("an ECDSA key on P-521"),
            Secret::PoolRsa(_) | Secret::Rsa(_) => {
                let only = if self.is_pss() { " for RSASSA-PSS only" } else { "" };
                write!(f, "an RSA key of {} bits{only}", self.rsa_bits().unwrap_or_default())
            }
        }
    }
}

/// What kind of key it is, not the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({self})")
    }
}

fn sign_rsa(key: &RsaKey, algorithm: SignatureAlgorithm, message: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        SignatureAlgorithm::RsaPkcs1(hash) => key.sign_pkcs1(hash, message),
        SignatureAlgorithm::RsaPss { hash, mask_hash, salt_size } => {
            key.sign_pss(hash, mask_hash, salt_size, message)
        }
        SignatureAlgorithm::Ecdsa(_) | SignatureAlgorithm::Ed25519 => None,
    }
}

/// The digest, extended to the octets of the curve's order: that changes no number, and the
/// library refuses digests that are much shorter.
fn prehash<const SIZE: usize>(hash: Hash, message: &[u8]) -> Vec<u8> {
    let digest = hash.digest(message);
    [vec![0; SIZE.saturating_sub(digest.len())], digest].concat()
}

fn from_pkcs8(der: &[u8]) -> Option<SigningKey> {
    let info = Element::parse(der)?;
    let algorithm = info.at(&[1])?;
    let inner = info.at(&[2])?.content();
    match algorithm.at(&[0])?.arcs()?.as_slice() {
        oid::RSA_ENCRYPTION => rsa_from_pkcs1(&inner, None),
        oid::RSASSA_PSS => rsa_from_pkcs1(&inner, Some(algorithm.clone())),
        oid::EC_PUBLIC_KEY => {
            let secret = match algorithm.at(&[1])?.arcs()?.as_slice() {
                oid::P256 => Secret::P256(p256::ecdsa::SigningKey::from_pkcs8_der(der).ok()?),
                oid::P384 => Secret::P384(p384::ecdsa::SigningKey::from_pkcs8_der(der).ok()?),
                oid::P521 => Secret::P521(p521::ecdsa::SigningKey::from_pkcs8_der(der).ok()?),
                _ => return None,
            };
            Some(SigningKey::new(secret, None))
        }
        oid::ED25519 => {
            let seed = Element::parse(&inner)?.content();
            let key = Ed25519KeyPair::from_seed_unchecked(&seed).ok()?;
            Some(SigningKey::new(Secret::Ed25519(Arc::new(key)), None))
        }
        _ => None,
    }
}

fn rsa_from_pkcs1(der: &[u8], algorithm: Option<Element>) -> Option<SigningKey> {
    let key = RsaKey::from_pkcs1(der)?;
    Some(SigningKey::new(Secret::Rsa(Arc::new(key)), algorithm))
}

/// RFC 5915; the curve must be named in it.
fn from_sec1(der: &[u8]) -> Option<SigningKey> {
    let key = Element::parse(der)?;
    let scalar = key.at(&[1])?.content();
    let curve = key.children().iter().find(|child| child.tag() == 0xa0)?.at(&[0])?.arcs()?;
    let secret = match curve.as_slice() {
        oid::P256 => Secret::P256(p256::ecdsa::SigningKey::from_slice(&scalar).ok()?),
        oid::P384 => Secret::P384(p384::ecdsa::SigningKey::from_slice(&scalar).ok()?),
        oid::P521 => Secret::P521(p521::ecdsa::SigningKey::from_slice(&scalar).ok()?),
        _ => return None,
    };
    Some(SigningKey::new(secret, None))
}

/// PrivateKeyInfo (RFC 5958).
fn pkcs8(algorithm: Element, key: &[u8]) -> Vec<u8> {
    let content = [Element::integer(0), algorithm, Element::octet_string(key)];
    Element::sequence(content).to_bytes()
}

fn on_curve(curve: &[u64]) -> Element {
    let names = [Element::object_identifier(oid::EC_PUBLIC_KEY), Element::object_identifier(curve)];
    Element::sequence(names)
}

fn rsa_encryption() -> Element {
    Element::sequence([Element::object_identifier(oid::RSA_ENCRYPTION), Element::null()])
}

/// The first key that the owner's stream of numbers yields.
fn seeded<const N: usize, K>(
    seed: &Seed,
    choice: &KeyChoice,
    key: impl Fn([u8; N]) -> Option<K>,
) -> K {
    let mut stream = seed.stream(&format!("key {choice:?}"));
    loop {
        let mut bytes = [0; N];
        stream.fill_bytes(&mut bytes);
        if let Some(key) = key(bytes) {
            return key;
        }
    }
}
