//! What the authorities of a domain have signed.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{algorithm::SignatureAlgorithm, der::Element, error::PkiError, key::SigningKey};

/// The signatures that the authorities of one domain have made: an authority issues a certificate
/// once, to however many DCs that show it. A clone is the same register.
///
/// Every signature is a function of key, algorithm and what is signed, so that it is found by
/// those, and nobody can tell whether it was.
#[derive(Clone, Default)]
pub(crate) struct Register(Arc<Mutex<BTreeMap<Signed, Vec<u8>>>>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Signed {
    public_key: Vec<u8>,
    algorithm: SignatureAlgorithm,
    body: Vec<u8>,
}

impl Register {
    /// `SEQUENCE { body, algorithm, signature }`: a certificate, a revocation list, a request.
    ///
    /// # Errors
    ///
    /// As [`SigningKey::sign`].
    pub(crate) fn sign(
        &self,
        key: &SigningKey,
        algorithm: SignatureAlgorithm,
        body: Element,
    ) -> Result<Element, PkiError> {
        let signed = Signed { public_key: key.public_key_der(), algorithm, body: body.to_bytes() };
        let known = self.signatures().get(&signed).map(|known| Element::bit_string(known));
        let signature = match known {
            Some(known) => known,
            // Not under the lock: signing takes long, and two who sign the same agree.
            None => {
                let signature = key.sign(algorithm, &signed.body)?;
                let bits = Element::bit_string(&signature);
                self.signatures().insert(signed, signature);
                bits
            }
        };
        Ok(Element::sequence([body, algorithm.identifier(), signature]))
    }

    fn signatures(&self) -> MutexGuard<'_, BTreeMap<Signed, Vec<u8>>> {
        // Whole after every statement under the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Register {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Register").field("signatures", &self.signatures().len()).finish()
    }
}
