//! Keys: which one a certificate gets.

use std::fmt;

use rustls_pki_types::PrivateKeyDer;

pub(crate) use rsa::mgf1;
pub use signing::SigningKey;

mod pool;
mod rsa;
mod signing;

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
    /// A CA. No two of a domain share an RSA key of 2048 bits, and nobody else has one of them.
    /// Of the other RSA sizes there are fewer keys than authorities.
    Authority(Authority),
    /// Anybody else, by name. There are fewer keys than names: some share one.
    Named(String),
    /// A CA of the domain after so many renewals with a new key. Each has an RSA key of 2048 bits
    /// of its own, up to [`RENEWALS_MAX`](crate::RENEWALS_MAX).
    Renewed(Authority, usize),
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

impl Authority {
    const COUNT: usize = Self::Unrelated as usize + 1;
}

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
    /// ECDSA on P-521, signing with SHA-512.
    EcdsaP521,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// RSA with 512 bits. No library of today serves it; it signs PKCS#1 v1.5 with SHA-256.
    Rsa512,
    /// RSA with 1024 bits, signing PKCS#1 v1.5 with SHA-256.
    Rsa1024,
    /// RSA with 2048 bits, signing PKCS#1 v1.5 with SHA-256.
    Rsa2048,
    /// RSA with 3072 bits, signing PKCS#1 v1.5 with SHA-256.
    Rsa3072,
    /// RSA with 4096 bits, signing PKCS#1 v1.5 with SHA-256.
    Rsa4096,
    /// RSA with 8192 bits, signing PKCS#1 v1.5 with SHA-256.
    Rsa8192,
    /// RSA with 2048 bits, marked as `id-RSASSA-PSS` (RFC 4055, section 1.2): it signs
    /// RSASSA-PSS and nothing else.
    RsaPss2048,
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
