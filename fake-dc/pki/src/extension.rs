//! Extensions, and what goes into them.

use std::net::IpAddr;

use crate::{der::Element, oid};

/// An entry of the subject alternative name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AltName {
    /// A `dNSName`, written as given.
    Dns(String),
    /// An `rfc822Name`.
    Email(String),
    /// An `iPAddress`.
    Ip(IpAddr),
    /// A `uniformResourceIdentifier`.
    Uri(String),
    /// An `otherName` with Microsoft's `userPrincipalName` (1.3.6.1.4.1.311.20.2.3).
    UserPrincipalName(String),
}

impl From<&str> for AltName {
    fn from(name: &str) -> Self {
        Self::Dns(name.to_owned())
    }
}

impl From<String> for AltName {
    fn from(name: String) -> Self {
        Self::Dns(name)
    }
}

impl From<IpAddr> for AltName {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address)
    }
}

/// Whether a certificate may issue others (RFC 5280, section 4.2.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BasicConstraints {
    /// The certificate does not say.
    Absent,
    /// It may, with this many more CAs between it and a leaf; `None` is no limit.
    Ca(Option<u8>),
    /// It says that it may not.
    NotCa,
}

/// What a key may be used for (RFC 5280, section 4.2.1.3), in the order of its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyUsage {
    /// `digitalSignature`: what ECDHE needs.
    DigitalSignature,
    /// `contentCommitment`, once `nonRepudiation`.
    ContentCommitment,
    /// `keyEncipherment`: what the old key exchange of RSA needs.
    KeyEncipherment,
    /// `dataEncipherment`.
    DataEncipherment,
    /// `keyAgreement`.
    KeyAgreement,
    /// `keyCertSign`.
    KeyCertSign,
    /// `cRLSign`.
    CrlSign,
    /// `encipherOnly`.
    EncipherOnly,
    /// `decipherOnly`.
    DecipherOnly,
}

/// What a certificate is meant for (RFC 5280, section 4.2.1.12).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// `anyExtendedKeyUsage`.
    Any,
    /// `id-kp-clientAuth`.
    ClientAuth,
    /// `id-kp-serverAuth`.
    ServerAuth,
    /// Any other.
    Other(Vec<u64>),
}

/// An extension given as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Its object identifier.
    pub oid: Vec<u64>,
    /// Whether a client that does not know it must refuse the certificate.
    pub critical: bool,
    /// What its OCTET STRING holds: DER, if it is well-formed.
    pub value: Vec<u8>,
}

impl Extension {
    /// An extension that is not critical.
    pub(crate) fn new(oid: &[u64], value: Element) -> Self {
        Self { oid: oid.to_owned(), critical: false, value: value.to_bytes() }
    }

    /// One that a company defined for itself: no client knows it.
    pub(crate) fn of_the_company() -> Self {
        Self::new(&[1, 3, 6, 1, 4, 1, 99_999, 1], Element::octet_string("trustrig"))
    }

    /// One that is critical if it usually is, with a value that is no DER.
    pub(crate) fn malformed(oid: &[u64]) -> Self {
        let critical =
            [oid::BASIC_CONSTRAINTS, oid::KEY_USAGE, oid::NAME_CONSTRAINTS].contains(&oid);
        Self { oid: oid.to_owned(), critical, value: vec![0xde, 0xad, 0xbe, 0xef] }
    }

    pub(crate) fn critical(self) -> Self {
        Self { critical: true, ..self }
    }

    pub(crate) fn element(&self) -> Element {
        let mut elements = vec![Element::object_identifier(&self.oid)];
        if self.critical {
            elements.push(Element::boolean(true));
        }
        elements.push(Element::octet_string(self.value.as_slice()));
        Element::sequence(elements)
    }
}

/// A change of the extensions that a plan leads to otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExtensionEdit {
    Add(Extension),
    Remove(Vec<u64>),
    RemoveAll,
    Repeat(Vec<u64>),
    Replace(Extension),
}
