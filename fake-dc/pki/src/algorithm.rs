//! Hashes and signature algorithms, and how certificates name them.

use std::fmt;

use aws_lc_rs::digest;
use md5::Digest as _;

use crate::{der::Element, oid};

/// A hash function, down to those that nobody should sign with any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Hash {
    /// MD5 (RFC 1321).
    Md5,
    /// SHA-1 (FIPS 180-4).
    Sha1,
    /// SHA-224 (FIPS 180-4).
    Sha224,
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384 (FIPS 180-4).
    Sha384,
    /// SHA-512 (FIPS 180-4).
    Sha512,
    /// SHA3-224 (FIPS 202).
    Sha3_224,
    /// SHA3-256 (FIPS 202).
    Sha3_256,
    /// SHA3-384 (FIPS 202).
    Sha3_384,
    /// SHA3-512 (FIPS 202).
    Sha3_512,
}

impl Hash {
    const ALL: [Self; 10] = [
        Self::Md5,
        Self::Sha1,
        Self::Sha224,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Sha3_224,
        Self::Sha3_256,
        Self::Sha3_384,
        Self::Sha3_512,
    ];

    /// The octets of a digest.
    pub const fn size(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha3_224 => 28,
            Self::Sha256 | Self::Sha3_256 => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Sha3_512 => 64,
        }
    }

    pub(crate) fn digest(self, message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Md5 => return md5::Md5::digest(message).to_vec(),
            Self::Sha3_224 => return sha3::Sha3_224::digest(message).to_vec(),
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
            Self::Sha3_256 => &digest::SHA3_256,
            Self::Sha3_384 => &digest::SHA3_384,
            Self::Sha3_512 => &digest::SHA3_512,
        };
        digest::digest(algorithm, message).as_ref().to_vec()
    }

    /// Its AlgorithmIdentifier, with the NULL that RFC 8017, appendix A.2.4, prefers.
    pub(crate) fn identifier(self) -> Element {
        Element::sequence([Element::object_identifier(self.oid()), Element::null()])
    }

    fn from_identifier(identifier: &Element) -> Option<Self> {
        let arcs = identifier.at(&[0])?.arcs()?;
        Self::ALL.into_iter().find(|hash| hash.oid() == arcs)
    }

    const fn oid(self) -> &'static [u64] {
        match self {
            Self::Md5 => oid::MD5,
            Self::Sha1 => oid::SHA1,
            Self::Sha224 => oid::SHA224,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
            Self::Sha3_224 => oid::SHA3_224,
            Self::Sha3_256 => oid::SHA3_256,
            Self::Sha3_384 => oid::SHA3_384,
            Self::Sha3_512 => oid::SHA3_512,
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha3_224 => "SHA3-224",
            Self::Sha3_256 => "SHA3-256",
            Self::Sha3_384 => "SHA3-384",
            Self::Sha3_512 => "SHA3-512",
        })
    }
}

/// How something is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// ECDSA (RFC 5758). There is none with MD5.
    Ecdsa(Hash),
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
    RsaPkcs1(Hash),
    /// RSASSA-PSS (RFC 8017, section 8.1).
    RsaPss {
        /// The hash of the message.
        hash: Hash,
        /// The hash of the mask generation function MGF1.
        mask_hash: Hash,
        /// The octets of the salt.
        salt_size: usize,
    },
}

impl SignatureAlgorithm {
    const PLAIN: [Self; 20] = [
        Self::Ecdsa(Hash::Sha1),
        Self::Ecdsa(Hash::Sha224),
        Self::Ecdsa(Hash::Sha256),
        Self::Ecdsa(Hash::Sha384),
        Self::Ecdsa(Hash::Sha512),
        Self::Ecdsa(Hash::Sha3_224),
        Self::Ecdsa(Hash::Sha3_256),
        Self::Ecdsa(Hash::Sha3_384),
        Self::Ecdsa(Hash::Sha3_512),
        Self::Ed25519,
        Self::RsaPkcs1(Hash::Md5),
        Self::RsaPkcs1(Hash::Sha1),
        Self::RsaPkcs1(Hash::Sha224),
        Self::RsaPkcs1(Hash::Sha256),
        Self::RsaPkcs1(Hash::Sha384),
        Self::RsaPkcs1(Hash::Sha512),
        Self::RsaPkcs1(Hash::Sha3_224),
        Self::RsaPkcs1(Hash::Sha3_256),
        Self::RsaPkcs1(Hash::Sha3_384),
        Self::RsaPkcs1(Hash::Sha3_512),
    ];

    /// RSASSA-PSS as everybody uses it: one hash throughout, and a salt of its size.
    pub const fn rsa_pss(hash: Hash) -> Self {
        Self::RsaPss { hash, mask_hash: hash, salt_size: hash.size() }
    }

    /// Its AlgorithmIdentifier.
    pub(crate) fn identifier(self) -> Element {
        match self {
            Self::RsaPss { hash, mask_hash, salt_size } => Element::sequence([
                Element::object_identifier(oid::RSASSA_PSS),
                pss_parameters(hash, mask_hash, salt_size),
            ]),
            Self::RsaPkcs1(_) => {
                Element::sequence([Element::object_identifier(self.oid()), Element::null()])
            }
            Self::Ecdsa(_) | Self::Ed25519 => {
                Element::sequence([Element::object_identifier(self.oid())])
            }
        }
    }

    /// The algorithm of an AlgorithmIdentifier, if it is one of these. Parameters other than
    /// those of RSASSA-PSS are not looked at.
    pub(crate) fn from_identifier(identifier: &Element) -> Option<Self> {
        let arcs = identifier.at(&[0])?.arcs()?;
        if arcs != oid::RSASSA_PSS {
            return Self::PLAIN.into_iter().find(|algorithm| algorithm.oid() == arcs);
        }
        let (mut hash, mut mask_hash, mut salt_size) = (Hash::Sha1, Hash::Sha1, 20);
        for parameter in identifier.at(&[1])?.children() {
            let value = parameter.at(&[0])?;
            match parameter.tag() {
                0xa0 => hash = Hash::from_identifier(value)?,
                0xa1 => mask_hash = Hash::from_identifier(value.at(&[1])?)?,
                0xa2 => match value.content().as_slice() {
                    [0] | [1..0x80] | [0, _] => salt_size = value.content().last().copied()?.into(),
                    _ => return None,
                },
                _ => {}
            }
        }
        Some(Self::RsaPss { hash, mask_hash, salt_size })
    }

    const fn oid(self) -> &'static [u64] {
        match self {
            Self::Ecdsa(Hash::Md5 | Hash::Sha1) => oid::ECDSA_WITH_SHA1,
            Self::Ecdsa(Hash::Sha224) => oid::ECDSA_WITH_SHA224,
            Self::Ecdsa(Hash::Sha256) => oid::ECDSA_WITH_SHA256,
            Self::Ecdsa(Hash::Sha384) => oid::ECDSA_WITH_SHA384,
            Self::Ecdsa(Hash::Sha512) => oid::ECDSA_WITH_SHA512,
            Self::Ecdsa(Hash::Sha3_224) => oid::ECDSA_WITH_SHA3_224,
            Self::Ecdsa(Hash::Sha3_256) => oid::ECDSA_WITH_SHA3_256,
            Self::Ecdsa(Hash::Sha3_384) => oid::ECDSA_WITH_SHA3_384,
            Self::Ecdsa(Hash::Sha3_512) => oid::ECDSA_WITH_SHA3_512,
            Self::Ed25519 => oid::ED25519,
            Self::RsaPkcs1(Hash::Md5) => oid::MD5_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha1) => oid::SHA1_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha224) => oid::SHA224_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha256) => oid::SHA256_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha384) => oid::SHA384_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha512) => oid::SHA512_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha3_224) => oid::SHA3_224_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha3_256) => oid::SHA3_256_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha3_384) => oid::SHA3_384_WITH_RSA,
            Self::RsaPkcs1(Hash::Sha3_512) => oid::SHA3_512_WITH_RSA,
            Self::RsaPss { .. } => oid::RSASSA_PSS,
        }
    }
}

/// RFC 4055, section 3.1: what has its default value is left out.
fn pss_parameters(hash: Hash, mask_hash: Hash, salt_size: usize) -> Element {
    let mut parameters = Vec::new();
    if hash != Hash::Sha1 {
        parameters.push(Element::explicit(0, hash.identifier()));
    }
    if mask_hash != Hash::Sha1 {
        let mgf1 = [Element::object_identifier(oid::MGF1), mask_hash.identifier()];
        parameters.push(Element::explicit(1, Element::sequence(mgf1)));
    }
    if salt_size != 20 {
        parameters.push(Element::explicit(2, Element::integer(salt_size as u64)));
    }
    Element::sequence(parameters)
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ecdsa(hash) => write!(f, "ECDSA with {hash}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::RsaPkcs1(hash) => write!(f, "RSA with {hash}"),
            Self::RsaPss { hash, .. } => write!(f, "RSASSA-PSS with {hash}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_there_and_back() {
        let pss = [
            SignatureAlgorithm::rsa_pss(Hash::Sha1),
            SignatureAlgorithm::rsa_pss(Hash::Sha512),
            SignatureAlgorithm::RsaPss {
                hash: Hash::Sha256,
                mask_hash: Hash::Sha1,
                salt_size: 200,
            },
        ];
        for algorithm in SignatureAlgorithm::PLAIN.into_iter().chain(pss) {
            let bytes = algorithm.identifier().to_bytes();
            let read = Element::parse(&bytes).and_then(|read| {
                assert_eq!(read.to_bytes(), bytes);
                SignatureAlgorithm::from_identifier(&read)
            });
            assert_eq!(read, Some(algorithm));
        }
    }
}
