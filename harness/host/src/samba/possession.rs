//! Does the server own the key of its certificate? The signature of the handshake, checked with
//! the public key of the leaf as it stands in the bytes.
//!
//! webpki cannot be asked: it refuses many certificates that GnuTLS takes (version 1, unknown
//! critical extensions, short keys). Here nothing of the certificate is looked at but its key.

use aws_lc_rs::signature::{self as algorithms, UnparsedPublicKey, VerificationAlgorithm};
use rustls::SignatureScheme;

/// What the signature of a handshake proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Possession {
    /// The server owns the key.
    Proven,
    /// It does not, or the scheme does not fit the key.
    Refuted,
    /// The key cannot be used here: not readable, or of a size or kind that aws-lc refuses (RSA
    /// below 1024 bits, or below 2048 with PSS; DSA; Ed448). GnuTLS may well know it, so the
    /// verdict about the certificate has the last word.
    Unknown,
}

/// Schemes offered: `SIGN-ALL` of GnuTLS 3.8, SHA-1 included (samba-tls-verify.md §9).
pub(super) const SCHEMES: [SignatureScheme; 15] = [
    SignatureScheme::RSA_PKCS1_SHA256,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::Unknown(0x0809), // rsa_pss_pss_sha256
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ED25519,
    SignatureScheme::RSA_PKCS1_SHA384,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::Unknown(0x080a), // rsa_pss_pss_sha384
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::RSA_PKCS1_SHA512,
    SignatureScheme::RSA_PSS_SHA512,
    SignatureScheme::Unknown(0x080b), // rsa_pss_pss_sha512
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::ECDSA_SHA1_Legacy,
];

/// Checks `signature` over `message` with the key of the certificate `leaf`.
pub(super) fn check(
    leaf: &[u8],
    scheme: SignatureScheme,
    message: &[u8],
    signature: &[u8],
) -> Possession {
    let Some(key) = PublicKey::of_certificate(leaf) else { return Possession::Unknown };
    let Some(algorithm) = key.algorithm(scheme) else { return Possession::Unknown };
    let public = UnparsedPublicKey::new(algorithm, key.bits);
    if public.verify(message, signature).is_ok() {
        Possession::Proven
    } else if key.is_usable_with(scheme) {
        Possession::Refuted
    } else {
        Possession::Unknown
    }
}

/// The key of a SubjectPublicKeyInfo.
#[derive(Debug)]
struct PublicKey<'a> {
    kind: Kind,
    bits: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ed25519,
    P256,
    P384,
    P521,
    Rsa,
}

const OID_EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const OID_ED25519: &[u8] = &[0x2b, 0x65, 0x70];
const OID_P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const OID_P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const OID_P521: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x23];
const OID_RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const OID_RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a];

impl<'a> PublicKey<'a> {
    /// Walks to the key through the outermost structure of the certificate alone.
    fn of_certificate(der: &'a [u8]) -> Option<Self> {
        let (mut to_be_signed, _) = element(element(der, 0x30)?.0, 0x30)?;
        if let Some((_version, rest)) = element(to_be_signed, 0xa0) {
            to_be_signed = rest;
        }
        // Serial number, signature algorithm, issuer, validity, subject.
        for tag in [0x02, 0x30, 0x30, 0x30, 0x30] {
            to_be_signed = element(to_be_signed, tag)?.1;
        }
        let (algorithm, rest) = element(element(to_be_signed, 0x30)?.0, 0x30)?;
        let bits = element(rest, 0x03)?.0.strip_prefix(&[0])?;
        let (oid, parameters) = element(algorithm, 0x06)?;
        let kind = match oid {
            OID_RSA | OID_RSA_PSS => Kind::Rsa,
            OID_ED25519 => Kind::Ed25519,
            OID_EC => match element(parameters, 0x06)?.0 {
                OID_P256 => Kind::P256,
                OID_P384 => Kind::P384,
                OID_P521 => Kind::P521,
                _ => return None,
            },
            _ => return None,
        };
        Some(Self { kind, bits })
    }

    /// In TLS 1.2 the scheme names a hash only, and any curve goes with it.
    fn algorithm(&self, scheme: SignatureScheme) -> Option<&'static dyn VerificationAlgorithm> {
        use SignatureScheme as S;
        Some(match (self.kind, scheme) {
            (Kind::Rsa, S::RSA_PKCS1_SHA1) => {
                &algorithms::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY
            }
            (Kind::Rsa, S::RSA_PKCS1_SHA256) => {
                &algorithms::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
            }
            (Kind::Rsa, S::RSA_PKCS1_SHA384) => &algorithms::RSA_PKCS1_2048_8192_SHA384,
            (Kind::Rsa, S::RSA_PKCS1_SHA512) => {
                &algorithms::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
            }
            (Kind::Rsa, S::RSA_PSS_SHA256 | S::Unknown(0x0809)) => {
                &algorithms::RSA_PSS_2048_8192_SHA256
            }
            (Kind::Rsa, S::RSA_PSS_SHA384 | S::Unknown(0x080a)) => {
                &algorithms::RSA_PSS_2048_8192_SHA384
            }
            (Kind::Rsa, S::RSA_PSS_SHA512 | S::Unknown(0x080b)) => {
                &algorithms::RSA_PSS_2048_8192_SHA512
            }
            (Kind::P256, S::ECDSA_NISTP256_SHA256) => &algorithms::ECDSA_P256_SHA256_ASN1,
            (Kind::P256, S::ECDSA_NISTP384_SHA384) => &algorithms::ECDSA_P256_SHA384_ASN1,
            (Kind::P256, S::ECDSA_NISTP521_SHA512) => &algorithms::ECDSA_P256_SHA512_ASN1,
            (Kind::P384, S::ECDSA_NISTP256_SHA256) => &algorithms::ECDSA_P384_SHA256_ASN1,
            (Kind::P384, S::ECDSA_NISTP384_SHA384) => &algorithms::ECDSA_P384_SHA384_ASN1,
            (Kind::P384, S::ECDSA_NISTP521_SHA512) => &algorithms::ECDSA_P384_SHA512_ASN1,
            (Kind::P521, S::ECDSA_NISTP256_SHA256) => &algorithms::ECDSA_P521_SHA256_ASN1,
            (Kind::P521, S::ECDSA_NISTP384_SHA384) => &algorithms::ECDSA_P521_SHA384_ASN1,
            (Kind::P521, S::ECDSA_NISTP521_SHA512) => &algorithms::ECDSA_P521_SHA512_ASN1,
            (Kind::Ed25519, S::ED25519) => &algorithms::ED25519,
            _ => return None,
        })
    }

    /// Whether aws-lc takes an RSA key of that size with the scheme.
    fn is_usable_with(&self, scheme: SignatureScheme) -> bool {
        if self.kind != Kind::Rsa {
            return true;
        }
        let Some(modulus) = element(self.bits, 0x30).and_then(|key| element(key.0, 0x02)) else {
            return false;
        };
        let digits = modulus.0.iter().skip_while(|byte| **byte == 0).count();
        let short_is_fine = matches!(
            scheme,
            SignatureScheme::RSA_PKCS1_SHA1
                | SignatureScheme::RSA_PKCS1_SHA256
                | SignatureScheme::RSA_PKCS1_SHA512
        );
        (if short_is_fine { 128 } else { 256 }..=1024).contains(&digits)
    }
}

/// The content of a DER element with that tag at the start of `input`, and what follows it.
fn element(input: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    if found != tag {
        return None;
    }
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
    };
    use proptest::prelude::*;

    use super::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let content = parts.concat();
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], &content].concat()
    }

    /// A version 1 certificate with that key and nothing else of sense.
    fn certificate(curve: &[u8], point: &[u8]) -> Vec<u8> {
        let empty = der(0x30, &[]);
        let algorithm = der(0x30, &[&der(0x06, &[OID_EC]), &der(0x06, &[curve])]);
        let key = der(0x30, &[&algorithm, &der(0x03, &[&[0], point])]);
        let serial = der(0x02, &[&[1]]);
        let signed = der(0x30, &[&serial, &empty, &empty, &empty, &empty, &key]);
        der(0x30, &[&signed])
    }

    #[test]
    fn the_key_of_the_certificate_decides() {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        let signature = key.sign(&random, b"handshake").unwrap();
        let leaf = certificate(OID_P384, key.public_key().as_ref());
        let scheme = SignatureScheme::ECDSA_NISTP384_SHA384;
        assert_eq!(check(&leaf, scheme, b"handshake", signature.as_ref()), Possession::Proven);
        assert_eq!(check(&leaf, scheme, b"other", signature.as_ref()), Possession::Refuted);
        let rsa = SignatureScheme::RSA_PSS_SHA256;
        assert_eq!(check(&leaf, rsa, b"handshake", signature.as_ref()), Possession::Unknown);
        assert_eq!(check(b"", scheme, b"handshake", b""), Possession::Unknown);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..100), at in 0..60_usize, byte: u8,
        ) {
            let _ = check(&bytes, SignatureScheme::ED25519, b"", b"");
            let mut leaf = certificate(OID_P256, &[4; 65]);
            leaf[at] = byte;
            let _ = check(&leaf, SignatureScheme::ECDSA_NISTP256_SHA256, b"", b"");
        }
    }
}
