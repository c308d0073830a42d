//! How the premaster secret comes about: the server's half.

use aws_lc_rs::{
    agreement::{self, ECDH_P256, ECDH_P384, PrivateKey, UnparsedPublicKey},
    rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey},
};
use rustls::pki_types::PrivateKeyDer;

use super::{super::hello::Reader, suites::Exchange};

/// What the server keeps to itself until the ClientKeyExchange.
pub(super) enum ServerSecret {
    Ecdhe { group: u16, key: PrivateKey, point: Vec<u8> },
    Rsa(Pkcs1PrivateDecryptingKey),
}

const SECP256R1: u16 = 23;
const SECP384R1: u16 = 24;

impl ServerSecret {
    /// `groups` are those of the client. `None` if it has none in common, or the key is none for that.
    pub(super) fn new(
        exchange: Exchange,
        groups: Option<&[u16]>,
        key: &PrivateKeyDer<'static>,
    ) -> Option<Self> {
        match exchange {
            Exchange::Ecdhe => {
                // A client without the extension takes whatever comes (RFC 8422, section 4).
                let offers = |group| groups.is_none_or(|own| own.contains(&group));
                let (group, algorithm) = [(SECP256R1, &ECDH_P256), (SECP384R1, &ECDH_P384)]
                    .into_iter()
                    .find(|(group, _)| offers(*group))?;
                let key = PrivateKey::generate(algorithm).ok()?;
                let point = key.compute_public_key().ok()?.as_ref().to_vec();
                Some(Self::Ecdhe { group, key, point })
            }
            Exchange::Rsa => {
                let PrivateKeyDer::Pkcs8(key) = key else { return None };
                let key = PrivateDecryptingKey::from_pkcs8(key.secret_pkcs8_der()).ok()?;
                Pkcs1PrivateDecryptingKey::new(key).ok().map(Self::Rsa)
            }
        }
    }

    pub(super) fn group(&self) -> Option<u16> {
        match self {
            Self::Ecdhe { group, .. } => Some(*group),
            Self::Rsa(_) => None,
        }
    }

    /// What is signed and sent in the ServerKeyExchange, if there is one.
    pub(super) fn parameters(&self) -> Option<Vec<u8>> {
        let Self::Ecdhe { group, point, .. } = self else { return None };
        let mut parameters = vec![NAMED_CURVE];
        parameters.extend(group.to_be_bytes());
        parameters.push(u8::try_from(point.len()).ok()?);
        parameters.extend(point);
        Some(parameters)
    }

    /// The premaster secret, from the body of the ClientKeyExchange.
    pub(super) fn premaster(&self, exchanged: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Ecdhe { key, .. } => {
                let theirs = Reader(exchanged).vector8()?.0;
                let theirs = UnparsedPublicKey::new(key.algorithm(), theirs);
                agreement::agree(key, theirs, (), |secret| Ok(secret.to_vec())).ok()
            }
            Self::Rsa(key) => {
                let sealed = Reader(exchanged).vector16()?.0;
                // Bleichenbacher would be pleased; a fake has nothing to lose.
                let mut room = vec![0; key.min_output_size()];
                let secret = key.decrypt(sealed, &mut room).ok()?;
                (secret.len() == 48).then(|| secret.to_vec())
            }
        }
    }
}

/// The type of curve parameters that everybody uses (RFC 8422, section 5.4).
const NAMED_CURVE: u8 = 3;
