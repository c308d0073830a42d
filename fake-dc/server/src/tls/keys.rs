//! Keys that the TLS library does not sign with, and a DC may have: short RSA keys, and RSA keys
//! that are marked for RSASSA-PSS.
//!
//! [`fake_dc_pki::SigningKey`] signs with them. The rest is as rustls has it for the RSA keys that
//! it knows, order of preference included.

use std::sync::Arc;

use fake_dc_pki::{Hash, PrivateKey, SignatureAlgorithm, SigningKey};
use rustls::{
    Error, SignatureAlgorithm as KeyAlgorithm, SignatureScheme,
    crypto::CryptoProvider,
    pki_types::SubjectPublicKeyInfoDer,
    sign::{Signer, SigningKey as TlsKey},
};

/// The key, to be served whatever it is.
///
/// # Errors
/// If neither the provider nor we can sign with it.
pub(super) fn load(provider: &CryptoProvider, key: &PrivateKey) -> Result<Arc<dyn TlsKey>, Error> {
    provider.key_provider.load_private_key(key.to_der()).or_else(|refused| {
        match SigningKey::from_private_key(key) {
            Ok(key) if key.rsa_bits().is_some() => Ok(Arc::new(OddRsa(key)) as Arc<dyn TlsKey>),
            _ => Err(refused),
        }
    })
}

/// What rustls prefers among the schemes of RSA, and what each of them is.
const SCHEMES: [(SignatureScheme, SignatureAlgorithm); 6] = [
    (SignatureScheme::RSA_PSS_SHA512, SignatureAlgorithm::rsa_pss(Hash::Sha512)),
    (SignatureScheme::RSA_PSS_SHA384, SignatureAlgorithm::rsa_pss(Hash::Sha384)),
    (SignatureScheme::RSA_PSS_SHA256, SignatureAlgorithm::rsa_pss(Hash::Sha256)),
    (SignatureScheme::RSA_PKCS1_SHA512, SignatureAlgorithm::RsaPkcs1(Hash::Sha512)),
    (SignatureScheme::RSA_PKCS1_SHA384, SignatureAlgorithm::RsaPkcs1(Hash::Sha384)),
    (SignatureScheme::RSA_PKCS1_SHA256, SignatureAlgorithm::RsaPkcs1(Hash::Sha256)),
];

#[derive(Debug)]
struct OddRsa(SigningKey);

impl TlsKey for OddRsa {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let fits =
            |(scheme, algorithm): &&(_, _)| offered.contains(scheme) && self.0.fits(*algorithm);
        let &(scheme, algorithm) = SCHEMES.iter().find(fits)?;
        Some(Box::new(OddSigner { key: self.0.clone(), scheme: self.named(scheme), algorithm }))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(self.0.public_key_der().into())
    }

    fn algorithm(&self) -> KeyAlgorithm {
        KeyAlgorithm::RSA
    }
}

impl OddRsa {
    /// RFC 8446, section 4.2.3: a key marked for RSASSA-PSS has schemes of its own
    /// (`rsa_pss_pss_*`). rustls hides from us whether the client offered those; whoever takes
    /// such keys offers both kinds.
    fn named(&self, scheme: SignatureScheme) -> SignatureScheme {
        match scheme {
            SignatureScheme::RSA_PSS_SHA256 if self.0.is_pss() => SignatureScheme::Unknown(0x0809),
            SignatureScheme::RSA_PSS_SHA384 if self.0.is_pss() => SignatureScheme::Unknown(0x080a),
            SignatureScheme::RSA_PSS_SHA512 if self.0.is_pss() => SignatureScheme::Unknown(0x080b),
            scheme => scheme,
        }
    }
}

#[derive(Debug)]
struct OddSigner {
    key: SigningKey,
    scheme: SignatureScheme,
    algorithm: SignatureAlgorithm,
}

impl Signer for OddSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signed = self.key.sign(self.algorithm, message);
        signed.map_err(|error| Error::General(error.to_string()))
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}
