//! Channel bindings: proof that client and server are the two ends of one TLS connection.

use md5::{Digest as _, Md5};
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::{
    der::{self, Reader},
    error::Error,
};

/// The hash of channel bindings that goes into an authenticator (RFC 4121, section 4.1.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelBindings {
    pub(crate) hash: [u8; 16],
}

impl ChannelBindings {
    /// Bindings with this application data and no addresses, as Windows and Samba make them.
    pub fn new(application_data: &[u8]) -> Self {
        let mut hash = Md5::new();
        // Types and lengths of two addresses.
        hash.update([0; 16]);
        let length = u32::try_from(application_data.len()).unwrap_or(u32::MAX);
        hash.update(length.to_le_bytes());
        hash.update(application_data);
        Self { hash: hash.finalize().into() }
    }

    /// `tls-server-end-point` (RFC 5929, section 4) of a server's certificate, in DER.
    ///
    /// For signatures whose hash that section leaves open, such as Ed25519, it is SHA-256.
    ///
    /// # Errors
    ///
    /// The bytes are no certificate.
    pub fn tls_server_end_point(certificate: &[u8]) -> Result<Self, Error> {
        let hash = match signature_hash(certificate)? {
            Hash::Sha224 => Sha224::digest(certificate).to_vec(),
            Hash::Sha256 => Sha256::digest(certificate).to_vec(),
            Hash::Sha384 => Sha384::digest(certificate).to_vec(),
            Hash::Sha512 => Sha512::digest(certificate).to_vec(),
        };
        Ok(Self::new(&[b"tls-server-end-point:", hash.as_slice()].concat()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// The hash of a certificate's signature, SHA-256 in place of MD5 and SHA-1.
fn signature_hash(certificate: &[u8]) -> Result<Hash, Error> {
    let mut certificate = Reader::new("certificate", certificate).sequence()?;
    certificate.element(der::SEQUENCE)?;
    let mut algorithm = certificate.sequence()?;
    let oid = algorithm.element(der::OBJECT_IDENTIFIER)?.rest();
    if oid == RSA_PSS {
        return pss_hash(&mut algorithm);
    }
    Ok(match oid {
        // sha224WithRSAEncryption, ecdsa-with-SHA224.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 14]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1] => Hash::Sha224,
        // With SHA-384.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3] => Hash::Sha384,
        // With SHA-512.
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13]
        | [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4] => Hash::Sha512,
        _ => Hash::Sha256,
    })
}

const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];

/// The hash in the parameters of RSASSA-PSS (RFC 4055, section 3.1).
fn pss_hash(algorithm: &mut Reader<'_>) -> Result<Hash, Error> {
    let Some(mut hash) = algorithm.sequence()?.optional(0)? else { return Ok(Hash::Sha256) };
    Ok(match hash.sequence()?.element(der::OBJECT_IDENTIFIER)?.rest() {
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2] => Hash::Sha384,
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3] => Hash::Sha512,
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4] => Hash::Sha224,
        _ => Hash::Sha256,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(oid: &[u8]) -> Vec<u8> {
        der::sequence([
            der::sequence([der::integer(1)]),
            der::sequence([der::element(der::OBJECT_IDENTIFIER, oid)]),
        ])
    }

    #[test]
    fn the_hash_is_that_of_the_signature_and_never_weaker_than_sha256() {
        for (oid, hash) in [
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 5][..], Hash::Sha256),
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11], Hash::Sha256),
            (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12], Hash::Sha384),
            (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4], Hash::Sha512),
        ] {
            assert_eq!(signature_hash(&certificate(oid)), Ok(hash));
        }
        assert!(ChannelBindings::tls_server_end_point(b"no certificate").is_err());
    }
}
