//! AD's schema: syntaxes, spellings, attributes, classes.
//!
//! The tables beside this file are the schema of Windows Server 2019 and 2022, version 88, from
//! [MS-ADA1], [MS-ADA2], [MS-ADA3] and [MS-ADSC], and as a DC of Samba 4.22 has it. LDIF may name
//! attributes that are not in it: they are case-insensitive text and may hold several values.

mod aggregate;
mod entries;
mod table;
mod tables;

use std::borrow::Cow;

use uuid::Uuid;

pub(crate) use self::{
    aggregate::values as aggregate,
    entries::entries,
    tables::{
        AttributeType, Class, ClassKind, attribute, attribute_count, attribute_of_oid, attributes,
        class, class_count, class_of_oid, classes,
    },
};
use crate::{dn::Dn, entry_name::EntryName, sid::Sid, stamp};

/// How values of an attribute are written and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `TRUE` or `FALSE`.
    Boolean,
    /// A DN.
    Dn,
    /// `B:<digits>:<hexadecimal>:<DN>`.
    DnBinary,
    /// Text that compares byte by byte.
    Exact,
    /// A GUID in its little-endian binary form.
    Guid,
    /// A decimal number.
    Integer,
    /// Any bytes.
    Octets,
    /// A binary SID.
    Sid,
    /// Text that compares without regard to case.
    Text,
    /// Generalized time.
    Time,
}

impl Syntax {
    /// The form in which two values that mean the same are the same bytes; `None` if the bytes
    /// are no value of this syntax.
    pub(crate) fn normalise(self, value: &[u8]) -> Option<Vec<u8>> {
        let text = || std::str::from_utf8(value).ok();
        match self {
            Self::Boolean => {
                let upper = text()?.to_ascii_uppercase();
                matches!(upper.as_str(), "TRUE" | "FALSE").then(|| upper.into_bytes())
            }
            Self::Dn => {
                let dn = Dn::parse(EntryName::without_extensions(text()?)).ok()?;
                Some(dn.key().as_bytes().to_vec())
            }
            Self::Guid if value.len() == 16 => Some(value.to_vec()),
            Self::Guid => Some(Uuid::try_parse(text()?).ok()?.to_bytes_le().to_vec()),
            Self::Integer => {
                let number: i64 = text()?.trim().parse().ok()?;
                Some(number.to_string().into_bytes())
            }
            Self::Exact | Self::Octets => Some(value.to_vec()),
            Self::Sid => {
                let sid = Sid::from_bytes(value).ok().or_else(|| text()?.parse().ok())?;
                Some(sid.as_bytes().to_vec())
            }
            Self::Text | Self::DnBinary => {
                let value = without_odd_spaces(value);
                if value.is_ascii() {
                    return Some(value.to_ascii_lowercase());
                }
                let folded = std::str::from_utf8(&value).map(|text| text.to_lowercase());
                Some(folded.map_or_else(|_| value.to_vec(), String::into_bytes))
            }
            Self::Time => {
                let text = text()?;
                stamp::is_generalized(text).then(|| text.as_bytes()[..14].to_vec())
            }
        }
    }

    /// Turns a value as a person writes it into the one that is stored.
    pub(crate) fn store(self, value: Vec<u8>) -> Option<Vec<u8>> {
        let normal = self.normalise(&value)?;
        Some(match self {
            Self::Guid | Self::Sid => normal,
            Self::Dn => {
                let text = String::from_utf8(value).ok()?;
                Dn::parse(EntryName::without_extensions(&text)).ok()?.as_str().into()
            }
            _ => value,
        })
    }

    /// What a value looks like, for remedies.
    pub(crate) const fn example(self) -> &'static str {
        match self {
            Self::Boolean => "`TRUE` or `FALSE`",
            Self::Dn => "a distinguished name",
            Self::DnBinary => "`B:32:<hexadecimal>:<distinguished name>`",
            Self::Guid => "a GUID as text, or its 16 bytes in base64 after `::`",
            Self::Integer => "a decimal number",
            Self::Exact | Self::Octets | Self::Text => "any text",
            Self::Sid => "a SID as `S-1-5-…`, or its bytes in base64 after `::`",
            Self::Time => "a time such as `20261121231224.0Z`",
        }
    }
}

/// The text without spaces around it, and with single ones in it (RFC 4518, section 2.6.1).
fn without_odd_spaces(value: &[u8]) -> Cow<'_, [u8]> {
    let value = value.trim_ascii();
    if !value.windows(2).any(|pair| pair == b"  ") {
        return Cow::Borrowed(value);
    }
    let mut single = value.to_vec();
    single.dedup_by(|a, b| *a == b' ' && *b == b' ');
    Cow::Owned(single)
}

/// The syntax of an attribute; text if it is not known.
pub(crate) fn syntax(name: &str) -> Syntax {
    attribute(name).map_or(Syntax::Text, |attribute| attribute.syntax)
}

/// The name as the schema spells it.
pub(crate) fn spelling(name: &str) -> &str {
    attribute(name).map_or(name, |attribute| attribute.name)
}
