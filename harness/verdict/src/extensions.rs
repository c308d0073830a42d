//! X.509 extensions: which values GnuTLS 3.8.9 can decode, and what it reads from them.

use std::collections::BTreeSet;

use crate::{
    certificate::{name, oid},
    constraints::Constraints,
    der::{DerError, Element, Reader, oid_text, tag},
    status::GnutlsError,
};

/// `status_request`, the TLS feature called must-staple (RFC 7633).
pub(crate) const STATUS_REQUEST: u32 = 5;

/// Extensions a critical flag may stand on without GnuTLS refusing (samba-tls-verify.md §5).
const KNOWN: [&str; 13] = [
    "2.5.29.14",
    "2.5.29.15",
    "2.5.29.17",
    "2.5.29.18",
    "2.5.29.19",
    NAME_CONSTRAINTS,
    "2.5.29.31",
    "2.5.29.32",
    "2.5.29.35",
    "2.5.29.37",
    "2.5.29.54",
    "1.3.6.1.5.5.7.1.1",
    "1.3.6.1.5.5.7.1.14",
];
/// TLS features, must-staple among them (RFC 7633).
pub(crate) const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
/// nameConstraints.
pub(crate) const NAME_CONSTRAINTS: &str = "2.5.29.30";
const SRV_NAME: &str = "1.3.6.1.5.5.7.8.7";
/// serverAuth among the extended key usages.
pub(crate) const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
const ANY_PURPOSE: &str = "2.5.29.37.0";

/// One extension as it stands in the certificate.
#[derive(Clone, Debug)]
pub(crate) struct Extension {
    pub(crate) oid: String,
    pub(crate) critical: bool,
    value: Vec<u8>,
}

impl Extension {
    /// Reads the extensions below the `[3]` of a certificate or the `[0]` of a CRL.
    pub(crate) fn list(wrapper: Element<'_>) -> Result<Vec<Self>, DerError> {
        let mut entries = Reader::only(wrapper.content, tag::SEQUENCE)?.inner();
        let mut list = Vec::new();
        while !entries.is_empty() {
            let mut fields = entries.expect(tag::SEQUENCE)?.inner();
            let oid = oid_text(oid(&mut fields)?);
            let critical = match fields.optional(tag::BOOLEAN)? {
                Some(flag) => boolean(flag)?,
                None => false,
            };
            let value = fields.expect(tag::OCTET_STRING)?.content.to_vec();
            fields.end()?;
            list.push(Self { oid, critical, value });
        }
        Ok(list)
    }
}

/// A value that is present and readable, present and not, or not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<T> {
    Absent,
    Undecodable,
    Present(T),
}

impl<T> Value<T> {
    fn of(found: Option<Result<T, DerError>>) -> Self {
        match found {
            None => Self::Absent,
            Some(Err(_)) => Self::Undecodable,
            Some(Ok(value)) => Self::Present(value),
        }
    }

    /// The value, if it can be read.
    pub(crate) fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Absent | Self::Undecodable => None,
        }
    }
}

/// basicConstraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BasicConstraints {
    pub(crate) is_ca: bool,
    pub(crate) path_length: Option<u32>,
}

/// keyUsage: bit n of the ASN.1 type is bit n here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyUsage(u16);

impl KeyUsage {
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn digital_signature(self) -> bool {
        self.0 & 1 != 0
    }

    pub(crate) fn key_encipherment(self) -> bool {
        self.0 & 1 << 2 != 0
    }

    pub(crate) fn key_agreement(self) -> bool {
        self.0 & 1 << 4 != 0
    }

    pub(crate) fn key_cert_sign(self) -> bool {
        self.0 & 1 << 5 != 0
    }
}

/// One name of a subjectAltName or a name constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GeneralName {
    Directory(Vec<u8>),
    Dns(Vec<u8>),
    Email(Vec<u8>),
    Ip(Vec<u8>),
    Other { oid: String, value: Vec<u8> },
    RegisteredId(Vec<u8>),
    Uri(Vec<u8>),
}

impl GeneralName {
    /// Whether this is an SRV name (RFC 4985), which GnuTLS holds for a host identity.
    pub(crate) fn is_srv(&self) -> bool {
        matches!(self, Self::Other { oid, .. } if oid == SRV_NAME)
    }

    /// The octets of the name.
    pub(crate) fn octets(&self) -> &[u8] {
        match self {
            Self::Directory(octets)
            | Self::Dns(octets)
            | Self::Email(octets)
            | Self::Ip(octets)
            | Self::Other { value: octets, .. }
            | Self::RegisteredId(octets)
            | Self::Uri(octets) => octets,
        }
    }

    /// Reads a GeneralName.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DerError> {
        let element = reader.element()?;
        let octets = element.content.to_vec();
        Ok(match element.tag {
            0xa0 => {
                let mut fields = element.inner();
                let oid = oid_text(oid(&mut fields)?);
                let value = fields
                    .optional(tag::context_constructed(0))?
                    .filter(|value| !value.content.is_empty())
                    .ok_or(DerError::Tag)?;
                fields.end()?;
                let value = value.content.to_vec();
                Self::Other { oid, value }
            }
            0x81 => Self::Email(octets),
            0x82 => Self::Dns(octets),
            0xa4 => {
                let mut inner = element.inner();
                let directory = name(&mut inner).map_err(|_| DerError::Structure)?.whole.to_vec();
                inner.end()?;
                Self::Directory(directory)
            }
            0x86 => Self::Uri(octets),
            0x87 => Self::Ip(octets),
            0x88 if !octets.is_empty() => Self::RegisteredId(octets),
            // x400Address and ediPartyName end here too.
            _ => return Err(DerError::Structure),
        })
    }
}

/// What GnuTLS reads from the extensions of one certificate.
#[derive(Clone, Debug)]
pub(crate) struct Extensions {
    /// Extensions marked critical that GnuTLS does not know, dotted OIDs.
    pub(crate) unknown_critical: Vec<String>,
    /// All extensions marked critical.
    pub(crate) critical: Vec<String>,
    pub(crate) alternative_names: Vec<GeneralName>,
    pub(crate) authority_key_id: Option<Vec<u8>>,
    pub(crate) basic_constraints: Value<BasicConstraints>,
    pub(crate) key_usage: Value<KeyUsage>,
    pub(crate) name_constraints: Value<Constraints>,
    /// extKeyUsage, dotted OIDs.
    pub(crate) purposes: Value<Vec<String>>,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    pub(crate) tls_features: Value<BTreeSet<u32>>,
}

impl Extensions {
    /// Decodes a certificate's extensions; `allowed` says whether its version may have any.
    pub(crate) fn new(list: Option<Vec<Extension>>, allowed: bool) -> Result<Self, GnutlsError> {
        let misplaced = list.is_some() && !allowed;
        let list = list.unwrap_or_default();
        let find = |oid: &str| list.iter().find(|extension| extension.oid == oid);
        let names = find("2.5.29.17").map(|found| alternative_names(&found.value));
        let alternative_names = names.transpose()?.unwrap_or_default();
        if misplaced {
            return Err(GnutlsError::CertificateError);
        }
        let mut seen = BTreeSet::new();
        if !list.iter().all(|extension| seen.insert(extension.oid.as_str())) {
            return Err(GnutlsError::X509DuplicateExtension);
        }
        let known = |oid: &str| KNOWN.contains(&oid) || oid == TLS_FEATURE;
        let critical: Vec<String> = list
            .iter()
            .filter(|extension| extension.critical)
            .map(|extension| extension.oid.clone())
            .collect();
        Ok(Self {
            unknown_critical: critical.iter().filter(|oid| !known(oid)).cloned().collect(),
            critical,
            alternative_names,
            authority_key_id: find("2.5.29.35").and_then(|found| key_id_of(&found.value).ok()?),
            basic_constraints: Value::of(find("2.5.29.19").map(|e| basic_constraints(&e.value))),
            key_usage: Value::of(find("2.5.29.15").map(|e| key_usage(&e.value))),
            name_constraints: Value::of(
                find(NAME_CONSTRAINTS).map(|e| Constraints::parse(&e.value)),
            ),
            purposes: Value::of(find("2.5.29.37").map(|e| purposes(&e.value))),
            subject_key_id: find("2.5.29.14").and_then(|found| {
                let id = Reader::only(&found.value, tag::OCTET_STRING).ok()?;
                Some(id.content.to_vec())
            }),
            tls_features: Value::of(find(TLS_FEATURE).map(|e| tls_features(&e.value))),
        })
    }

    /// Whether the extended key usage is absent or names TLS servers or any purpose.
    pub(crate) fn allows_server_auth(&self) -> bool {
        match &self.purposes {
            Value::Absent => true,
            Value::Undecodable => false,
            Value::Present(purposes) => {
                purposes.is_empty()
                    || purposes
                        .iter()
                        .any(|purpose| purpose == SERVER_AUTH || purpose == ANY_PURPOSE)
            }
        }
    }

    /// Whether a stapled OCSP answer is demanded.
    pub(crate) fn must_staple(&self) -> bool {
        self.tls_features.present().is_some_and(|features| features.contains(&STATUS_REQUEST))
    }
}

fn boolean(element: Element<'_>) -> Result<bool, DerError> {
    match element.content {
        [octet] => Ok(*octet != 0),
        _ => Err(DerError::Structure),
    }
}

/// GnuTLS refuses the certificate if this fails; an empty text counts as undecodable.
fn alternative_names(value: &[u8]) -> Result<Vec<GeneralName>, GnutlsError> {
    if value.is_empty() {
        return Err(GnutlsError::Asn1DerError);
    }
    let mut reader = Reader::only(value, tag::SEQUENCE)?.inner();
    let mut names = Vec::new();
    let mut ended = false;
    while !reader.is_empty() {
        let name = GeneralName::read(&mut reader)?;
        // GnuTLS takes an empty directory name for the end of the list, but decodes the rest.
        if ended || name == GeneralName::Directory(vec![tag::SEQUENCE, 0]) {
            ended = true;
            continue;
        }
        if name.octets().is_empty() {
            return Err(GnutlsError::X509UnknownSan);
        }
        names.push(name);
    }
    Ok(names)
}

fn basic_constraints(value: &[u8]) -> Result<BasicConstraints, DerError> {
    let mut fields = Reader::only(value, tag::SEQUENCE)?.inner();
    let is_ca = match fields.optional(tag::BOOLEAN)? {
        Some(flag) => boolean(flag)?,
        None => false,
    };
    let path_length = match fields.optional(tag::INTEGER)? {
        Some(number) => Some(number.small_integer().ok_or(DerError::Structure)?),
        None => None,
    };
    fields.end()?;
    Ok(BasicConstraints { is_ca, path_length })
}

fn key_usage(value: &[u8]) -> Result<KeyUsage, DerError> {
    let bits = Reader::only(value, tag::BIT_STRING)?.content;
    let (unused, octets) = bits.split_first().ok_or(DerError::Structure)?;
    if *unused > 7 || octets.is_empty() && *unused > 0 {
        return Err(DerError::Structure);
    }
    let octet = |index: usize| octets.get(index).copied().unwrap_or_default().reverse_bits();
    Ok(KeyUsage(u16::from(octet(0)) | u16::from(octet(1)) << 8))
}

fn key_id_of(value: &[u8]) -> Result<Option<Vec<u8>>, DerError> {
    let mut fields = Reader::only(value, tag::SEQUENCE)?.inner();
    let key_id = fields.optional(tag::context(0))?.map(|id| id.content.to_vec());
    if let Some(names) = fields.optional(tag::context_constructed(1))? {
        let mut names = names.inner();
        while !names.is_empty() {
            GeneralName::read(&mut names)?;
        }
    }
    fields.optional(tag::context(2))?;
    fields.end()?;
    Ok(key_id)
}

fn purposes(value: &[u8]) -> Result<Vec<String>, DerError> {
    let mut reader = Reader::only(value, tag::SEQUENCE)?.inner();
    let mut purposes = Vec::new();
    while !reader.is_empty() {
        purposes.push(oid_text(oid(&mut reader)?));
    }
    Ok(purposes)
}

fn tls_features(value: &[u8]) -> Result<BTreeSet<u32>, DerError> {
    let mut reader = Reader::only(value, tag::SEQUENCE)?.inner();
    let mut features = BTreeSet::new();
    while !reader.is_empty() {
        let feature = reader.expect(tag::INTEGER)?;
        features.insert(feature.small_integer().ok_or(DerError::Structure)?);
    }
    Ok(features)
}
