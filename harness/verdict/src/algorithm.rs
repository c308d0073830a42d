//! How a certificate is signed: the algorithms GnuTLS 3.8.9 understands.

use crate::{
    certificate::{AlgorithmIdentifier, algorithm_identifier},
    der::{DerError, Element, Reader, oid_text, tag},
    hash::Hash,
};

/// `id-RSASSA-PSS`, for keys and signatures alike.
pub(crate) const RSA_PSS: &str = "1.2.840.113549.1.1.10";

/// How a certificate is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    Dsa(Hash),
    Ecdsa(Hash),
    Ed25519,
    Ed448,
    Rsa(Hash),
    RsaPss(PssParameters),
    /// Nothing GnuTLS understands; the dotted OID.
    Unknown(String),
}

impl SignatureAlgorithm {
    pub(crate) fn parse(algorithm: &AlgorithmIdentifier<'_>) -> Self {
        let oid = oid_text(algorithm.oid);
        match oid.as_str() {
            "1.2.840.113549.1.1.2" => Self::Rsa(Hash::Md2),
            "1.2.840.113549.1.1.4" => Self::Rsa(Hash::Md5),
            "1.3.36.3.3.1.2" => Self::Rsa(Hash::Ripemd160),
            "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => Self::Rsa(Hash::Sha1),
            "1.2.840.113549.1.1.14" => Self::Rsa(Hash::Sha224),
            "1.2.840.113549.1.1.11" => Self::Rsa(Hash::Sha256),
            "1.2.840.113549.1.1.12" => Self::Rsa(Hash::Sha384),
            "1.2.840.113549.1.1.13" => Self::Rsa(Hash::Sha512),
            "2.16.840.1.101.3.4.3.13" => Self::Rsa(Hash::Sha3_224),
            "2.16.840.1.101.3.4.3.14" => Self::Rsa(Hash::Sha3_256),
            "2.16.840.1.101.3.4.3.15" => Self::Rsa(Hash::Sha3_384),
            "2.16.840.1.101.3.4.3.16" => Self::Rsa(Hash::Sha3_512),
            "1.2.840.10045.4.1" => Self::Ecdsa(Hash::Sha1),
            "1.2.840.10045.4.3.1" => Self::Ecdsa(Hash::Sha224),
            "1.2.840.10045.4.3.2" => Self::Ecdsa(Hash::Sha256),
            "1.2.840.10045.4.3.3" => Self::Ecdsa(Hash::Sha384),
            "1.2.840.10045.4.3.4" => Self::Ecdsa(Hash::Sha512),
            "2.16.840.1.101.3.4.3.9" => Self::Ecdsa(Hash::Sha3_224),
            "2.16.840.1.101.3.4.3.10" => Self::Ecdsa(Hash::Sha3_256),
            "2.16.840.1.101.3.4.3.11" => Self::Ecdsa(Hash::Sha3_384),
            "2.16.840.1.101.3.4.3.12" => Self::Ecdsa(Hash::Sha3_512),
            "1.2.840.10040.4.3" => Self::Dsa(Hash::Sha1),
            "2.16.840.1.101.3.4.3.1" => Self::Dsa(Hash::Sha224),
            "2.16.840.1.101.3.4.3.2" => Self::Dsa(Hash::Sha256),
            "2.16.840.1.101.3.4.3.3" => Self::Dsa(Hash::Sha384),
            "2.16.840.1.101.3.4.3.4" => Self::Dsa(Hash::Sha512),
            "2.16.840.1.101.3.4.3.5" => Self::Dsa(Hash::Sha3_224),
            "2.16.840.1.101.3.4.3.6" => Self::Dsa(Hash::Sha3_256),
            "2.16.840.1.101.3.4.3.7" => Self::Dsa(Hash::Sha3_384),
            "2.16.840.1.101.3.4.3.8" => Self::Dsa(Hash::Sha3_512),
            "1.3.101.112" => Self::Ed25519,
            "1.3.101.113" => Self::Ed448,
            RSA_PSS => algorithm
                .parameters
                .and_then(|found| PssParameters::parse(found.whole).ok())
                .filter(|found| matches!(found.hash, Hash::Sha256 | Hash::Sha384 | Hash::Sha512))
                .map_or(Self::Unknown(oid), Self::RsaPss),
            _ => Self::Unknown(oid),
        }
    }

    /// The hash, if one is named.
    pub(crate) fn hash(&self) -> Option<Hash> {
        match self {
            Self::Dsa(hash) | Self::Ecdsa(hash) | Self::Rsa(hash) => Some(*hash),
            Self::RsaPss(parameters) => Some(parameters.hash),
            Self::Ed25519 | Self::Ed448 | Self::Unknown(_) => None,
        }
    }

    /// Whether GnuTLS knows it at all.
    pub(crate) fn is_understood(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }

    /// Usual spelling.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Dsa(hash) => format!("DSA with {}", hash.text()),
            Self::Ecdsa(hash) => format!("ECDSA with {}", hash.text()),
            Self::Ed25519 => "Ed25519".to_owned(),
            Self::Ed448 => "Ed448".to_owned(),
            Self::Rsa(hash) => format!("RSA with {}", hash.text()),
            Self::RsaPss(parameters) => format!("RSASSA-PSS with {}", parameters.hash.text()),
            Self::Unknown(oid) => format!("an unknown algorithm ({oid})"),
        }
    }
}

/// RSASSA-PSS parameters, complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PssParameters {
    pub(crate) hash: Hash,
    pub(crate) salt_length: usize,
}

impl PssParameters {
    /// GnuTLS wants one hash for message and mask.
    pub(crate) fn parse(parameters: &[u8]) -> Result<Self, DerError> {
        let mut fields = Reader::only(parameters, tag::SEQUENCE)?.inner();
        let mut hash = Hash::Sha1;
        if let Some(wrapper) = fields.optional(tag::context_constructed(0))? {
            hash = hash_of(algorithm_identifier(&mut wrapper.inner())?)?;
        }
        let mut mask_hash = Hash::Sha1;
        if let Some(wrapper) = fields.optional(tag::context_constructed(1))? {
            let mask = algorithm_identifier(&mut wrapper.inner())?;
            if oid_text(mask.oid) != "1.2.840.113549.1.1.8" {
                return Err(DerError::Structure);
            }
            let inner = mask.parameters.ok_or(DerError::Structure)?;
            mask_hash = hash_of(algorithm_identifier(&mut Reader::new(inner.whole))?)?;
        }
        let number = |field: Option<Element<'_>>, default: u32| match field {
            None => Ok(default),
            Some(wrapper) => Reader::only(wrapper.content, tag::INTEGER)?
                .small_integer()
                .ok_or(DerError::Structure),
        };
        let salt_length = number(fields.optional(tag::context_constructed(2))?, 20)?;
        let trailer = number(fields.optional(tag::context_constructed(3))?, 1)?;
        fields.end()?;
        if mask_hash != hash || trailer != 1 {
            return Err(DerError::Structure);
        }
        Ok(Self { hash, salt_length: usize::try_from(salt_length).unwrap_or(usize::MAX) })
    }
}

fn hash_of(algorithm: AlgorithmIdentifier<'_>) -> Result<Hash, DerError> {
    Hash::from_oid(&oid_text(algorithm.oid)).ok_or(DerError::Structure)
}
