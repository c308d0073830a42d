//! Public keys as they stand in certificates, and what is proven with them.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use rustls::{SignatureScheme, crypto::WebPkiSupportedAlgorithms};
use serde::{Serialize, Serializer};

use crate::wire::SchemeMeaning;

/// A SubjectPublicKeyInfo in DER (RFC 5280, section 4.1.2.7): algorithm, parameters and key. Two
/// are the same if they are the same bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    der: Box<[u8]>,
}

/// SHA-256 of a [`PublicKey`]. Written `sha256//` and base64, as curl's `--pinnedpubkey` takes it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint {
    digest: Box<[u8]>,
}

/// Bytes in which no public key is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no public key stands where a certificate has one")]
pub struct NoPublicKey;

/// What a signature of the handshake says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Possession {
    Proven,
    /// The signature is not made with it.
    Refuted,
    /// This kind of key and this scheme do not go together, or not here.
    Unsupported,
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const VERSION: u8 = 0xa0;

impl PublicKey {
    /// Takes a key that was kept in DER.
    ///
    /// # Errors
    ///
    /// It is not exactly one SubjectPublicKeyInfo.
    pub fn from_der(der: &[u8]) -> Result<Self, NoPublicKey> {
        let key = Self { der: der.into() };
        match Element::first(der, SEQUENCE) {
            Some(element) if element.rest.is_empty() && key.parts().is_some() => Ok(key),
            _ => Err(NoPublicKey),
        }
    }

    /// Finds the key of a certificate in DER. What stands before it is stepped over, what stands
    /// behind it is not looked at.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn of_certificate(certificate: &[u8]) -> Result<Self, NoPublicKey> {
        let fields = CertificateFields::of(certificate).ok_or(NoPublicKey)?;
        Self::from_der(fields.public_key)
    }

    /// The key in DER.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// What a person compares.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint { digest: digest(&SHA256, &self.der).as_ref().into() }
    }

    /// Whether `signature` over `message` is made with this key. webpki is not asked: it would
    /// look at the certificate.
    pub(super) fn check(
        &self,
        algorithms: &WebPkiSupportedAlgorithms,
        meaning: SchemeMeaning,
        scheme: SignatureScheme,
        message: &[u8],
        signature: &[u8],
    ) -> Possession {
        let Some((algorithm, bits)) = self.parts() else { return Possession::Unsupported };
        let candidates = algorithms.mapping.iter().find(|(known, _)| *known == scheme);
        let candidates = match (candidates, meaning) {
            (None, _) => return Possession::Unsupported,
            (Some((_, all)), SchemeMeaning::Tls12) => *all,
            // rustls keeps the one that TLS 1.3 means first.
            (Some((_, all)), SchemeMeaning::Tls13) => all.get(..1).unwrap_or_default(),
        };
        let fitting =
            candidates.iter().find(|known| known.public_key_alg_id().as_ref() == algorithm);
        match fitting.map(|known| known.verify_signature(bits, message, signature)) {
            None => Possession::Unsupported,
            Some(Err(_)) => Possession::Refuted,
            Some(Ok(())) => Possession::Proven,
        }
    }

    /// Content of the AlgorithmIdentifier, and the key's bits.
    fn parts(&self) -> Option<(&[u8], &[u8])> {
        let outer = Element::first(&self.der, SEQUENCE)?;
        let algorithm = Element::first(outer.content, SEQUENCE)?;
        let bits = Element::first(algorithm.rest, BIT_STRING)?;
        Some((algorithm.content, bits.content.strip_prefix(&[0])?))
    }
}

/// The fingerprint: that is what a person can compare.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256//{}", BASE64_STANDARD.encode(&self.digest))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The subject of a certificate, as its DER; `None` if it is no certificate.
pub fn subject_of(certificate: &[u8]) -> Option<&[u8]> {
    CertificateFields::of(certificate).map(|fields| fields.subject)
}

/// Two fields of a certificate, as they stand there.
struct CertificateFields<'a> {
    subject: &'a [u8],
    public_key: &'a [u8],
}

impl<'a> CertificateFields<'a> {
    fn of(certificate: &'a [u8]) -> Option<Self> {
        let outer = Element::first(certificate, SEQUENCE)?;
        let mut rest = Element::first(outer.content, SEQUENCE)?.content;
        if let Some(version) = Element::first(rest, VERSION) {
            rest = version.rest;
        }
        // Serial number, signature algorithm, issuer, validity.
        for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE] {
            rest = Element::first(rest, tag)?.rest;
        }
        let subject = Element::first(rest, SEQUENCE)?;
        let public_key = Element::first(subject.rest, SEQUENCE)?.whole;
        Some(Self { subject: subject.whole, public_key })
    }
}

/// A DER element at the start of some bytes.
struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
    /// What follows it.
    rest: &'a [u8],
}

impl<'a> Element<'a> {
    fn first(input: &'a [u8], tag: u8) -> Option<Self> {
        let (&found, after_tag) = input.split_first()?;
        let (&first, after_first) = after_tag.split_first()?;
        if found != tag {
            return None;
        }
        let (length, body) = match first {
            0..=0x7f => (usize::from(first), after_first),
            0x81..=0x84 => {
                let (digits, body) = after_first.split_at_checked(usize::from(first & 0x7f))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), body)
            }
            _ => return None,
        };
        let (content, rest) = body.split_at_checked(length)?;
        Some(Self { whole: &input[..input.len() - rest.len()], content, rest })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `SEQUENCE { SEQUENCE { }, BIT STRING 00 01 }`.
    const KEY: &[u8] = &[0x30, 6, 0x30, 0, 0x03, 2, 0, 1];

    #[test]
    fn a_key_is_one_structure() {
        assert_eq!(PublicKey::from_der(KEY).unwrap().as_der(), KEY);
        for wrong in [&[][..], &KEY[..7], &[KEY, &[0]].concat(), &[0x30, 2, 0x30, 0]] {
            assert_eq!(PublicKey::from_der(wrong), Err(NoPublicKey));
        }
    }

    #[test]
    fn the_fingerprint_is_curls() {
        // openssl dgst -sha256 -binary | base64
        let expected = "sha256//Mj74rOjD2CjZ05VgM/MS8galBNAK9gpHWS6t1003hAM=";
        assert_eq!(PublicKey::from_der(KEY).unwrap().fingerprint().to_string(), expected);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = PublicKey::of_certificate(&bytes);
            let _ = PublicKey::from_der(&bytes);
        }

        #[test]
        fn what_stands_behind_the_key_does_not_matter(
            behind in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let before = [0x02, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0];
            let length = u8::try_from(before.len() + KEY.len() + behind.len()).unwrap();
            let inner = [&[0x30, 0x81, length][..], &before, KEY, &behind].concat();
            let outer = u8::try_from(inner.len()).unwrap();
            let certificate = [&[0x30, 0x81, outer][..], &inner].concat();
            let key = PublicKey::of_certificate(&certificate).unwrap();
            prop_assert_eq!(key.as_der(), KEY);
        }
    }
}
