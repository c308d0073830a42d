//! What a party shows of itself.

use std::{fmt, sync::Arc};

use rustls::{
    pki_types::{CertificateDer, PrivateKeyDer},
    sign::{CertifiedKey, SingleCertAndKey},
};

use super::{IdentityError, PublicKey};
use crate::wire::provider;

/// A certificate with its private key. `Debug` shows the public key alone.
#[derive(Clone)]
pub struct Identity {
    public_key: PublicKey,
    shown: Arc<CertifiedKey>,
}

impl Identity {
    /// A party that shows `certificates`, its own first, and signs with `key`. Nothing about them
    /// is checked but that the two belong together.
    ///
    /// # Errors
    ///
    /// They do not, or one of them cannot be used at all.
    pub fn new(
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, IdentityError> {
        let own = certificates.first().ok_or(IdentityError::NoCertificate)?;
        let public_key = PublicKey::of_certificate(own)?;
        let key =
            provider().key_provider.load_private_key(key).map_err(IdentityError::PrivateKey)?;
        if let Some(owned) = key.public_key() {
            let owned = PublicKey::from_der(&owned)?;
            if owned != public_key {
                return Err(IdentityError::OtherKey {
                    certificate: public_key.fingerprint(),
                    key: owned.fingerprint(),
                });
            }
        }
        Ok(Self { public_key, shown: Arc::new(CertifiedKey::new(certificates, key)) })
    }

    /// What peers must pin.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// For either end of a handshake. Serves what it is given, unlike rustls' own constructors.
    pub(super) fn resolver(&self) -> Arc<SingleCertAndKey> {
        Arc::new(SingleCertAndKey::from(CertifiedKey::clone(&self.shown)))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(&self.public_key).finish()
    }
}
