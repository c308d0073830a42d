//! A key that signs handshakes with SHA-1.

use fake_dc_pki::{Hash, PrivateKey, SignatureAlgorithm as Algorithm, SigningKey as PkiKey};
use rustls::{
    Error, SignatureAlgorithm, SignatureScheme,
    sign::{Signer, SigningKey},
};

/// An RSA key that signs PKCS#1 v1.5 with SHA-1, whatever was offered. rustls has no such signer.
#[derive(Clone, Debug)]
pub(super) struct Sha1Key(PkiKey);

impl Sha1Key {
    /// `None` for a key that is not RSA.
    pub(super) fn new(key: &PrivateKey) -> Option<Self> {
        let key = PkiKey::from_private_key(key).ok()?;
        key.fits(ALGORITHM).then_some(Self(key))
    }
}

const ALGORITHM: Algorithm = Algorithm::RsaPkcs1(Hash::Sha1);

impl SigningKey for Sha1Key {
    fn choose_scheme(&self, _offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for Sha1Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0.sign(ALGORITHM, message).map_err(|error| Error::General(error.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PKCS1_SHA1
    }
}
