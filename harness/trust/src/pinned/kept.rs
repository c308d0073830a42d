//! An identity as it lies in a store, or travels to the one whose it is.

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fake_dc_pki::{CertificatePlan, Chain, KeyKind, PkiError};
use ground::{Secret, Seed, Timestamp};
use rustls::pki_types::PrivateKeyDer;
use serde::{Deserialize, Serialize};

use super::{Identity, IdentityError, encoding::Bytes};

/// For how long a certificate that a party makes itself says that it is valid. Nobody looks.
const LIFE_DAYS: i64 = 3_650;

/// Certificates and their private key. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptIdentity {
    certificates: Vec<Bytes>,
    /// DER in base64.
    key: Secret,
}

impl KeptIdentity {
    /// A fresh key from `seed`, in a certificate of its own.
    ///
    /// # Errors
    ///
    /// As the issuing of any certificate.
    pub fn make(owner: &str, seed: &Seed, now: Timestamp) -> Result<Self, PkiError> {
        let mut plan = CertificatePlan::server(owner);
        plan.named(owner).of_kind(KeyKind::EcdsaP256).valid(now, now.plus_days(LIFE_DAYS));
        plan.issue_alone(seed).map(|chain| Self::of(&chain))
    }

    /// What a CA has issued.
    pub fn of(chain: &Chain) -> Self {
        Self {
            certificates: chain.certificates.iter().map(|der| Bytes(der.to_vec())).collect(),
            key: Secret::new(BASE64_STANDARD.encode(chain.key.to_der().secret_der())),
        }
    }

    /// Ready for use.
    ///
    /// # Errors
    ///
    /// As [`Identity::new`].
    pub fn identity(&self) -> Result<Identity, IdentityError> {
        let certificates = self.certificates.iter().map(|Bytes(der)| der.clone().into()).collect();
        let key = BASE64_STANDARD.decode(self.key.expose()).unwrap_or_default();
        let key = PrivateKeyDer::try_from(key).map_err(|_| IdentityError::NoPrivateKey)?;
        Identity::new(certificates, key)
    }
}

impl fmt::Debug for KeptIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptIdentity").finish_non_exhaustive()
    }
}
