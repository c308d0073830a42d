//! Hash functions in signatures, by the names and numbers X.509 gives them.

use aws_lc_rs::digest;
use md5::{Digest as _, Md5};
use sha3::Sha3_224;

use crate::der::tag;

/// Hash functions that occur in signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Md2,
    Md5,
    Ripemd160,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha3_224,
    Sha3_256,
    Sha3_384,
    Sha3_512,
}

impl Hash {
    pub(crate) fn from_oid(oid: &str) -> Option<Self> {
        Some(match oid {
            "1.2.840.113549.2.2" => Self::Md2,
            "1.2.840.113549.2.5" => Self::Md5,
            "1.3.36.3.2.1" => Self::Ripemd160,
            "1.3.14.3.2.26" => Self::Sha1,
            "2.16.840.1.101.3.4.2.4" => Self::Sha224,
            "2.16.840.1.101.3.4.2.1" => Self::Sha256,
            "2.16.840.1.101.3.4.2.2" => Self::Sha384,
            "2.16.840.1.101.3.4.2.3" => Self::Sha512,
            "2.16.840.1.101.3.4.2.7" => Self::Sha3_224,
            "2.16.840.1.101.3.4.2.8" => Self::Sha3_256,
            "2.16.840.1.101.3.4.2.9" => Self::Sha3_384,
            "2.16.840.1.101.3.4.2.10" => Self::Sha3_512,
            _ => return None,
        })
    }

    /// The DigestInfo prefix of PKCS #1.
    pub(crate) fn digest_info(self) -> Option<Vec<u8>> {
        const NIST: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
        let (oid, length): (Vec<u8>, u8) = match self {
            Self::Md2 | Self::Ripemd160 => return None,
            Self::Md5 => (vec![0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x05], 16),
            Self::Sha1 => (vec![0x2b, 0x0e, 0x03, 0x02, 0x1a], 20),
            Self::Sha224 => ([&NIST[..], &[4]].concat(), 28),
            Self::Sha256 => ([&NIST[..], &[1]].concat(), 32),
            Self::Sha384 => ([&NIST[..], &[2]].concat(), 48),
            Self::Sha512 => ([&NIST[..], &[3]].concat(), 64),
            Self::Sha3_224 => ([&NIST[..], &[7]].concat(), 28),
            Self::Sha3_256 => ([&NIST[..], &[8]].concat(), 32),
            Self::Sha3_384 => ([&NIST[..], &[9]].concat(), 48),
            Self::Sha3_512 => ([&NIST[..], &[10]].concat(), 64),
        };
        let oid_length = u8::try_from(oid.len()).unwrap_or_default();
        let mut info = vec![tag::SEQUENCE, oid_length + length + 8];
        info.extend([tag::SEQUENCE, oid_length + 4, tag::OID, oid_length]);
        info.extend(oid);
        info.extend([tag::NULL, 0, tag::OCTET_STRING, length]);
        Some(info)
    }

    fn aws_lc(self) -> Option<&'static digest::Algorithm> {
        Some(match self {
            Self::Md2 | Self::Md5 | Self::Ripemd160 | Self::Sha3_224 => return None,
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha224 => &digest::SHA224,
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
            Self::Sha3_256 => &digest::SHA3_256,
            Self::Sha3_384 => &digest::SHA3_384,
            Self::Sha3_512 => &digest::SHA3_512,
        })
    }

    /// The digest; `None` if GnuTLS cannot compute it.
    pub(crate) fn of(self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Md2 | Self::Ripemd160 => None,
            Self::Md5 => Some(Md5::digest(message).to_vec()),
            Self::Sha3_224 => Some(Sha3_224::digest(message).to_vec()),
            _ => {
                self.aws_lc().map(|algorithm| digest::digest(algorithm, message).as_ref().to_vec())
            }
        }
    }

    /// Octets of the digest.
    pub(crate) fn length(self) -> usize {
        match self {
            Self::Md2 | Self::Md5 => 16,
            Self::Ripemd160 | Self::Sha1 => 20,
            Self::Sha224 | Self::Sha3_224 => 28,
            Self::Sha256 | Self::Sha3_256 => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Sha3_512 => 64,
        }
    }

    /// Whether GnuTLS can compute it at all.
    pub(crate) fn is_computable(self) -> bool {
        !matches!(self, Self::Md2 | Self::Ripemd160)
    }

    /// Whether GnuTLS calls a certificate signature with this hash insecure.
    pub(crate) fn is_weak(self) -> bool {
        matches!(self, Self::Md2 | Self::Md5 | Self::Ripemd160 | Self::Sha1)
    }

    /// Usual spelling.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Md2 => "MD2",
            Self::Md5 => "MD5",
            Self::Ripemd160 => "RIPEMD-160",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha3_224 => "SHA3-224",
            Self::Sha3_256 => "SHA3-256",
            Self::Sha3_384 => "SHA3-384",
            Self::Sha3_512 => "SHA3-512",
        }
    }
}
