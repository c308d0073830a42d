//! A certificate as GnuTLS 3.8.9 imports it (`gnutls_x509_crt_import`, samba-tls-verify.md §7).
//!
//! GnuTLS reads the structure with libtasn1, then applies a few sanity checks. It is lenient where
//! newer parsers are strict (any version, odd serial numbers, times without seconds) and strict in
//! other places (duplicate extensions, algorithm mismatch). Extension values are decoded when they
//! are needed; only an undecodable subjectAltName makes the whole certificate unusable.

use aws_lc_rs::digest;

use crate::{
    algorithm::SignatureAlgorithm,
    der::{DerError, Element, Reader, oid_text, tag},
    extensions::{Extension, Extensions},
    key::PublicKey,
    reason::Fingerprint,
    status::GnutlsError,
    steps::{self, Step},
    subject::NameText,
    when::calendar_time,
};

/// A parsed certificate.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    /// 1 to 128; nothing checks that it exists.
    pub(crate) version: u32,
    pub(crate) serial: Vec<u8>,
    pub(crate) issuer: Vec<u8>,
    pub(crate) subject: Vec<u8>,
    issuer_text: Option<NameText>,
    subject_text: Option<NameText>,
    /// Seconds since the epoch.
    pub(crate) not_before: i64,
    pub(crate) not_after: i64,
    pub(crate) spki: Vec<u8>,
    pub(crate) key: PublicKey,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) signed: Vec<u8>,
    /// `None` if it is no whole number of octets.
    pub(crate) signature: Option<Vec<u8>>,
    pub(crate) extensions: Extensions,
}

impl Certificate {
    /// Reads one DER certificate by GnuTLS' rules.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, GnutlsError> {
        if der.is_empty() {
            return Err(GnutlsError::Asn1TagError);
        }
        let outer = Reader::only(der, tag::SEQUENCE)?;
        if outer.content.is_empty() {
            return Err(GnutlsError::Asn1ElementNotFound);
        }
        let mut fields = outer.inner();
        let tbs = fields.expect(tag::SEQUENCE)?;
        let outer_algorithm = algorithm_identifier(&mut fields)?;
        let signature = fields.expect(tag::BIT_STRING)?;
        fields.end()?;

        let mut body = tbs.inner();
        let version = version(&mut body)?;
        let serial = body.expect(tag::INTEGER)?;
        let inner_algorithm = algorithm_identifier(&mut body)?;
        let issuer = name(&mut body)?;
        let mut validity = body.expect(tag::SEQUENCE)?.inner();
        let not_before = time(&mut validity)?;
        let not_after = time(&mut validity)?;
        validity.end()?;
        let subject = name(&mut body)?;
        let spki = body.expect(tag::SEQUENCE)?;
        check_spki(spki)?;
        let issuer_id = body.optional(tag::context(1))?;
        let subject_id = body.optional(tag::context(2))?;
        let extensions = match body.optional(tag::context_constructed(3))? {
            Some(wrapper) => Some(Extension::list(wrapper)?),
            None => None,
        };
        body.end()?;

        if !same_algorithm(&outer_algorithm, &inner_algorithm) {
            return Err(GnutlsError::CertificateError);
        }
        let extensions = Extensions::new(extensions, version >= 3)?;
        if version < 2 && (issuer_id.is_some() || subject_id.is_some()) {
            return Err(GnutlsError::CertificateError);
        }
        let (Some(not_before), Some(not_after)) = (not_before, not_after) else {
            return Err(GnutlsError::CertificateTimeError);
        };
        Ok(Self {
            der: der.to_vec(),
            version,
            serial: serial.content.to_vec(),
            issuer: issuer.whole.to_vec(),
            subject: subject.whole.to_vec(),
            issuer_text: NameText::of(issuer.whole),
            subject_text: NameText::of(subject.whole),
            not_before,
            not_after,
            spki: spki.whole.to_vec(),
            key: PublicKey::parse(spki.whole),
            algorithm: SignatureAlgorithm::parse(&outer_algorithm),
            signed: tbs.whole.to_vec(),
            signature: signature.octet_bits().map(<[u8]>::to_vec).ok(),
            extensions,
        })
    }

    /// GnuTLS' is-issuer relation: names of one text, key identifiers not unequal.
    pub(crate) fn is_issued_by(&self, issuer: &Self) -> bool {
        steps::count(Step::Issuer);
        let same_name = self.issuer == issuer.subject
            || self.issuer_text.is_some() && self.issuer_text == issuer.subject_text;
        same_name
            && match (&self.extensions.authority_key_id, &issuer.extensions.subject_key_id) {
                (Some(wanted), Some(found)) => wanted == found,
                _ => true,
            }
    }

    /// Its own issuer in the sense of [`Self::is_issued_by`].
    pub(crate) fn is_self_signed(&self) -> bool {
        self.is_issued_by(self)
    }

    /// SHA-256 over the DER bytes.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        fingerprint(&self.der)
    }
}

/// SHA-256 over DER bytes, parsable or not.
pub(crate) fn fingerprint(der: &[u8]) -> Fingerprint {
    Fingerprint::new(digest::digest(&digest::SHA256, der).as_ref())
}

/// An AlgorithmIdentifier taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AlgorithmIdentifier<'a> {
    pub(crate) oid: &'a [u8],
    pub(crate) parameters: Option<Element<'a>>,
}

/// Reads an AlgorithmIdentifier.
pub(crate) fn algorithm_identifier<'a>(
    reader: &mut Reader<'a>,
) -> Result<AlgorithmIdentifier<'a>, DerError> {
    let mut fields = reader.expect(tag::SEQUENCE)?.inner();
    let oid = oid(&mut fields)?;
    let parameters = if fields.is_empty() { None } else { Some(fields.element()?) };
    fields.end()?;
    Ok(AlgorithmIdentifier { oid, parameters })
}

/// Reads an OBJECT IDENTIFIER and returns its content.
pub(crate) fn oid<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DerError> {
    let content = reader.expect(tag::OID)?.content;
    if content.last().is_none_or(|last| last & 0x80 != 0) {
        return Err(DerError::Structure);
    }
    Ok(content)
}

/// Absent parameters and NULL are the same to GnuTLS.
fn same_algorithm(one: &AlgorithmIdentifier<'_>, other: &AlgorithmIdentifier<'_>) -> bool {
    let significant = |algorithm: &AlgorithmIdentifier<'_>| {
        algorithm
            .parameters
            .filter(|found| found.tag != tag::NULL)
            .map(|found| found.whole.to_vec())
    };
    one.oid == other.oid && significant(one) == significant(other)
}

fn version(body: &mut Reader<'_>) -> Result<u32, GnutlsError> {
    let Some(wrapper) = body.optional(tag::context_constructed(0))? else {
        return Ok(1);
    };
    let number = Reader::only(wrapper.content, tag::INTEGER)?;
    match number.content {
        [number @ 0..0x80] => Ok(u32::from(*number) + 1),
        _ => Err(GnutlsError::Asn1DerError),
    }
}

/// Reads a Name and checks its structure; the strings inside may be anything.
pub(crate) fn name<'a>(reader: &mut Reader<'a>) -> Result<Element<'a>, DerError> {
    let name = reader.expect(tag::SEQUENCE)?;
    let mut sets = name.inner();
    while !sets.is_empty() {
        let mut attributes = sets.expect(tag::SET)?.inner();
        while !attributes.is_empty() {
            let mut attribute = attributes.expect(tag::SEQUENCE)?.inner();
            oid(&mut attribute)?;
            attribute.element()?;
            attribute.end()?;
        }
    }
    Ok(name)
}

/// The attributes of a Name: dotted OID, tag and content of the value.
pub(crate) fn attributes(name: &[u8]) -> Vec<(String, u8, &[u8])> {
    let mut found = Vec::new();
    let Ok(name) = Reader::only(name, tag::SEQUENCE) else { return found };
    let mut sets = name.inner();
    while let Ok(set) = sets.element() {
        let mut members = set.inner();
        while let Ok(member) = members.element() {
            let mut parts = member.inner();
            if let (Ok(oid), Ok(value)) = (oid(&mut parts), parts.element()) {
                found.push((oid_text(oid), value.tag, value.content));
            }
        }
    }
    found
}

/// Reads a Time; `None` if it denotes none that GnuTLS can compute.
pub(crate) fn time(reader: &mut Reader<'_>) -> Result<Option<i64>, DerError> {
    let element = reader.element()?;
    let generalized = match element.tag {
        tag::UTC_TIME => false,
        tag::GENERALIZED_TIME => true,
        _ => return Err(DerError::Structure),
    };
    let (last, digits) = element.content.split_last().ok_or(DerError::Structure)?;
    let points = digits.iter().filter(|&&octet| octet == b'.').count();
    let fair = |octet: &u8| octet.is_ascii_digit() || generalized && points == 1 && *octet == b'.';
    if *last != b'Z' || !digits.iter().all(fair) {
        return Err(DerError::Time);
    }
    Ok(calendar_time(generalized, element.content))
}

fn check_spki(spki: Element<'_>) -> Result<(), DerError> {
    let mut fields = spki.inner();
    algorithm_identifier(&mut fields)?;
    fields.expect(tag::BIT_STRING)?;
    fields.end()
}
