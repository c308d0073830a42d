//! Distinguished names.

use std::fmt;

use crate::{der::Element, oid};

/// An attribute of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NameAttribute {
    /// CN.
    CommonName,
    /// C; a PrintableString unless it is spelt otherwise.
    Country,
    /// DC; an IA5String unless it is spelt otherwise.
    DomainComponent,
    /// E; an IA5String unless it is spelt otherwise.
    EmailAddress,
    /// L.
    Locality,
    /// O.
    Organization,
    /// OU.
    OrganizationalUnit,
}

impl NameAttribute {
    const fn oid(self) -> &'static [u64] {
        match self {
            Self::CommonName => oid::COMMON_NAME,
            Self::Country => oid::COUNTRY,
            Self::DomainComponent => oid::DOMAIN_COMPONENT,
            Self::EmailAddress => oid::EMAIL_ADDRESS,
            Self::Locality => oid::LOCALITY,
            Self::Organization => oid::ORGANIZATION,
            Self::OrganizationalUnit => oid::ORGANIZATIONAL_UNIT,
        }
    }

    const fn spelling(self) -> Spelling {
        match self {
            Self::Country => Spelling::Printable,
            Self::DomainComponent | Self::EmailAddress => Spelling::Ia5,
            _ => Spelling::Utf8,
        }
    }
}

impl fmt::Display for NameAttribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CommonName => "CN",
            Self::Country => "C",
            Self::DomainComponent => "DC",
            Self::EmailAddress => "E",
            Self::Locality => "L",
            Self::Organization => "O",
            Self::OrganizationalUnit => "OU",
        })
    }
}

/// The kind of string that a value is written as (RFC 5280, section 4.1.2.4). What it can hold is
/// not checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spelling {
    /// BMPString: two octets for each letter.
    Bmp,
    /// IA5String.
    Ia5,
    /// PrintableString.
    Printable,
    /// TeletexString, once T61String; read and written as Latin-1, as everybody does.
    Teletex,
    /// UTF8String.
    Utf8,
}

impl Spelling {
    fn element(self, value: &str) -> Element {
        match self {
            Self::Bmp => {
                let units: Vec<u8> = value.encode_utf16().flat_map(u16::to_be_bytes).collect();
                Element::primitive(0x1e, units)
            }
            Self::Ia5 => Element::primitive(0x16, value),
            Self::Printable => Element::primitive(0x13, value),
            Self::Teletex => {
                let letter = |letter| u8::try_from(u32::from(letter)).unwrap_or(b'?');
                Element::primitive(0x14, value.chars().map(letter).collect::<Vec<_>>())
            }
            Self::Utf8 => Element::primitive(0x0c, value),
        }
    }
}

/// A distinguished name, in the order of the certificate.
///
/// ```
/// use fake_dc_pki::{Name, NameAttribute};
///
/// let name: Name = [
///     (NameAttribute::DomainComponent, "example"),
///     (NameAttribute::DomainComponent, "corp"),
///     (NameAttribute::CommonName, "corp-CA"),
/// ]
/// .into_iter()
/// .collect();
/// assert_eq!(name.to_string(), "DC=example, DC=corp, CN=corp-CA");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name(Vec<(NameAttribute, Spelling, String)>);

impl Name {
    /// Whether it has no attribute.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values of an attribute, in order.
    pub fn values(&self, wanted: NameAttribute) -> impl Iterator<Item = &str> {
        let values = self.0.iter().filter(move |(attribute, ..)| *attribute == wanted);
        values.map(|(.., value)| value.as_str())
    }

    /// Writes all values as another kind of string.
    pub fn spell_in(&mut self, spelling: Spelling) {
        self.0.iter_mut().for_each(|(_, spelt, _)| *spelt = spelling);
    }

    /// The name in capitals.
    #[must_use]
    pub fn in_capitals(mut self) -> Self {
        self.0.iter_mut().for_each(|(.., value)| value.make_ascii_uppercase());
        self
    }

    pub(crate) fn element(&self) -> Element {
        let attribute = |(attribute, spelling, value): &(NameAttribute, Spelling, String)| {
            let kind = Element::object_identifier(attribute.oid());
            Element::set([Element::sequence([kind, spelling.element(value)])])
        };
        Element::sequence(self.0.iter().map(attribute).collect::<Vec<_>>())
    }
}

impl<'a> FromIterator<(NameAttribute, &'a str)> for Name {
    fn from_iter<I: IntoIterator<Item = (NameAttribute, &'a str)>>(attributes: I) -> Self {
        let spelt = |(attribute, value): (NameAttribute, &str)| {
            (attribute, attribute.spelling(), value.to_owned())
        };
        Self(attributes.into_iter().map(spelt).collect())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (attribute, _, value)) in self.0.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{attribute}={value}")?;
        }
        Ok(())
    }
}
