//! Keys: which one a certificate gets, and signing with it.

use std::{
    fmt,
    sync::{LazyLock, OnceLock},
};

use aws_lc_rs::digest;
use ground::Seed;
use p256::pkcs8::EncodePrivateKey as _;
use rand::Rng as _;
use rcgen::{PublicKeyData, SignatureAlgorithm, SigningKey};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Whose key, and of which kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyChoice {
    /// Who has the key.
    pub owner: KeyOwner,
    /// Algorithm and size.
    pub kind: KeyKind,
}

impl KeyChoice {
    /// The RSA key of `owner`.
    pub fn new(owner: KeyOwner) -> Self {
        Self { owner, kind: KeyKind::Rsa2048 }
    }
}

/// Who has a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyOwner {
    /// A CA. No two of a domain share a key, and nobody else has one of them.
    Authority(Authority),
    /// Anybody else, by name. There are fewer keys than names: some share one.
    Named(String),
}

/// The authorities that have a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Authority {
    /// The intermediate of the domain.
    Intermediate,
    /// An intermediate of the same name with another key.
    NamesakeIntermediate,
    /// A root of the same name with another key.
    NamesakeRoot,
    /// The root before the present one.
    OldRoot,
    /// The root of the domain.
    Root,
    /// The intermediate below the unknown root.
    UnknownIntermediate,
    /// A root that no host was told of.
    UnknownRoot,
    /// A root of somebody else.
    Unrelated,
}

/// How many keys of the pool are kept for authorities: one for each.
const AUTHORITY_KEYS: usize = Authority::Unrelated as usize + 1;

/// Algorithm and size of a key.
///
/// xapi's TLS policy (`ECDHE-RSA` only) needs RSA, so that is what every certificate has unless a
/// fault says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyKind {
    /// ECDSA on P-256, signing with SHA-256.
    EcdsaP256,
    /// ECDSA on P-384, signing with SHA-384.
    EcdsaP384,
    /// RSA with 2048 bits, signing PKCS#1 v1.5 with SHA-256.
    Rsa2048,
}

/// A key that can sign. Every signature is a function of key and message.
pub(crate) enum Signing {
    P256 { key: p256::ecdsa::SigningKey, point: Box<[u8]> },
    P384 { key: p384::ecdsa::SigningKey, point: Box<[u8]> },
    Rsa(&'static rcgen::KeyPair),
}

impl Signing {
    pub(crate) fn choose(seed: &Seed, choice: &KeyChoice) -> Result<Self, rcgen::Error> {
        match choice.kind {
            KeyKind::EcdsaP256 => {
                let key = seeded(seed, choice, |bytes: [u8; 32]| {
                    p256::ecdsa::SigningKey::from_slice(&bytes).ok()
                });
                let point = key.verifying_key().to_sec1_point(false).as_bytes().into();
                Ok(Self::P256 { key, point })
            }
            KeyKind::EcdsaP384 => {
                let key = seeded(seed, choice, |bytes: [u8; 48]| {
                    p384::ecdsa::SigningKey::from_slice(&bytes).ok()
                });
                let point = key.verifying_key().to_sec1_point(false).as_bytes().into();
                Ok(Self::P384 { key, point })
            }
            KeyKind::Rsa2048 => pool_key(pool_index(seed, &choice.owner)).map(Self::Rsa),
        }
    }

    /// The key identifier of RFC 5280, section 4.2.1.2, method 1, which AD CS uses too: SHA-1 of
    /// the public key.
    pub(crate) fn identifier(&self) -> Vec<u8> {
        digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, self.der_bytes()).as_ref().to_vec()
    }

    pub(crate) fn to_private_key(&self) -> Result<PrivateKey, rcgen::Error> {
        let encoded = |result: Result<p256::pkcs8::SecretDocument, _>| {
            result
                .map(|document| document.as_bytes().to_vec())
                .map_err(|_: p256::pkcs8::Error| rcgen::Error::CouldNotParseKeyPair)
        };
        let pkcs8 = match self {
            Self::P256 { key, .. } => encoded(key.to_pkcs8_der())?,
            Self::P384 { key, .. } => encoded(key.to_pkcs8_der())?,
            Self::Rsa(pair) => pair.serialized_der().to_vec(),
        };
        Ok(PrivateKey(PrivatePkcs8KeyDer::from(pkcs8).into()))
    }
}

impl PublicKeyData for Signing {
    fn der_bytes(&self) -> &[u8] {
        match self {
            Self::P256 { point, .. } | Self::P384 { point, .. } => point,
            Self::Rsa(pair) => pair.der_bytes(),
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match self {
            Self::P256 { .. } => &rcgen::PKCS_ECDSA_P256_SHA256,
            Self::P384 { .. } => &rcgen::PKCS_ECDSA_P384_SHA384,
            Self::Rsa(pair) => pair.algorithm(),
        }
    }
}

impl SigningKey for Signing {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        // RustCrypto's `Signer` draws its nonces by RFC 6979.
        match self {
            Self::P256 { key, .. } => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::signature::Signer::sign(key, message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::P384 { key, .. } => {
                let signature: p384::ecdsa::Signature =
                    p384::ecdsa::signature::Signer::sign(key, message);
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::Rsa(pair) => pair.sign(message),
        }
    }
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

/// Public test material: see `fixtures/rsa-pool/README.md`.
const RSA_2048: &str = include_str!("../../../fixtures/rsa-pool/rsa-2048.pem");

const POOL_SIZE: usize = 24;

fn pool_index(seed: &Seed, owner: &KeyOwner) -> usize {
    let mut shuffled: [usize; POOL_SIZE] = std::array::from_fn(|index| index);
    let mut stream = seed.stream("order of the RSA pool");
    for left in (1..POOL_SIZE).rev() {
        shuffled.swap(left, below(&mut stream, left + 1));
    }
    match owner {
        KeyOwner::Authority(authority) => shuffled[*authority as usize],
        KeyOwner::Named(name) => {
            let mut stream = seed.stream(&format!("RSA key of {name}"));
            shuffled[AUTHORITY_KEYS + below(&mut stream, POOL_SIZE - AUTHORITY_KEYS)]
        }
    }
}

fn below(stream: &mut ground::Stream, limit: usize) -> usize {
    // A bias of 2^-32 is of no matter here.
    stream.next_u32() as usize % limit
}

/// Reading a key checks it, which costs about as much as signing: each is read once per process.
fn pool_key(index: usize) -> Result<&'static rcgen::KeyPair, rcgen::Error> {
    static BLOCKS: LazyLock<Vec<pem::Pem>> =
        LazyLock::new(|| pem::parse_many(RSA_2048).unwrap_or_default());
    static PAIRS: [OnceLock<rcgen::KeyPair>; POOL_SIZE] = [const { OnceLock::new() }; POOL_SIZE];

    if let Some(pair) = PAIRS[index].get() {
        return Ok(pair);
    }
    let block = BLOCKS.get(index).ok_or(rcgen::Error::CouldNotParseKeyPair)?;
    let pkcs8 = PrivatePkcs8KeyDer::from(block.contents());
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &rcgen::PKCS_RSA_SHA256)?;
    Ok(PAIRS[index].get_or_init(|| pair))
}

/// A private key in DER. `Debug` hides it.
#[derive(PartialEq, Eq)]
pub struct PrivateKey(PrivateKeyDer<'static>);

impl PrivateKey {
    /// The key as rustls takes it.
    pub fn to_der(&self) -> PrivateKeyDer<'static> {
        self.0.clone_key()
    }

    /// The key as PEM text: `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`.
    pub fn to_pem(&self) -> String {
        let label = match &self.0 {
            PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
            PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
            _ => "PRIVATE KEY",
        };
        pem::encode_config(
            &pem::Pem::new(label, self.0.secret_der()),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        )
    }
}

impl From<PrivateKeyDer<'static>> for PrivateKey {
    fn from(key: PrivateKeyDer<'static>) -> Self {
        Self(key)
    }
}

impl Clone for PrivateKey {
    fn clone(&self) -> Self {
        Self(self.to_der())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(***)")
    }
}
