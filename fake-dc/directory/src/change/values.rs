//! Values that a request brings: whether the schema allows them, and how they are stored.

use ldap_wire::LdapResult;

use super::Verb;
use crate::{
    directory::Directory,
    dn::Dn,
    entry_name::EntryName,
    schema::{self, AttributeType, Syntax},
    state::State,
};

impl Directory {
    /// The attribute of that name, if the schema has it.
    pub(super) fn known_attribute(
        &self,
        verb: Verb,
        name: &str,
        dn: &Dn,
    ) -> Result<&'static AttributeType, LdapResult> {
        let unknown = || self.domain.diagnostics().unknown_attribute(verb, name, dn);
        schema::attribute(name).ok_or_else(unknown)
    }

    /// The values as they are stored.
    pub(super) fn stored(
        &self,
        state: &State,
        dn: &Dn,
        attribute: &AttributeType,
        values: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let mut stored = Vec::with_capacity(values.len());
        for value in values {
            let bad = || match attribute.syntax {
                Syntax::Dn => {
                    diagnostics.bad_dn_value(attribute.name, &String::from_utf8_lossy(value))
                }
                _ => diagnostics.bad_value(attribute.name, dn),
            };
            if !is_in_range(attribute, value) {
                return Err(bad());
            }
            let value = if attribute.syntax == Syntax::Dn {
                self.named_entry(state, attribute, value)?
            } else {
                attribute.syntax.store(value.clone()).ok_or_else(bad)?
            };
            stored.push(value);
        }
        Ok(stored)
    }

    /// The DN of the entry that a value names, in any of AD's forms. It must be there.
    fn named_entry(
        &self,
        state: &State,
        attribute: &AttributeType,
        value: &[u8],
    ) -> Result<Vec<u8>, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        let text = String::from_utf8_lossy(value);
        let name =
            EntryName::parse(&text).map_err(|_| diagnostics.bad_dn_value(attribute.name, &text))?;
        match (self.resolve(state, &text), name) {
            (Ok(id), _) => {
                let dn = state.store.get(id).map(|entry| entry.dn.to_string());
                Ok(dn.unwrap_or_default().into_bytes())
            }
            // The schema is no part of the entries.
            (Err(_), EntryName::Dn(dn)) if dn.is_at_or_below(self.domain.schema()) => {
                Ok(dn.to_string().into_bytes())
            }
            (Err(windows), _) if attribute.name == "member" => {
                Err(diagnostics.no_such_member(windows))
            }
            (Err(_), _) => Err(diagnostics.dangling(attribute.name)),
        }
    }
}

/// Whether a value has the length, or the size, that the schema allows.
fn is_in_range(attribute: &AttributeType, value: &[u8]) -> bool {
    let bound = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    let (lower, upper) = (bound(attribute.range_lower), bound(attribute.range_upper));
    let within = |size: i64| {
        lower.is_none_or(|lower| lower <= size) && upper.is_none_or(|upper| size <= upper)
    };
    match attribute.syntax {
        Syntax::Boolean => matches!(value, b"TRUE" | b"FALSE"),
        Syntax::Exact | Syntax::Text => std::str::from_utf8(value)
            .is_ok_and(|text| !text.is_empty() && within(text.chars().count() as i64)),
        Syntax::Integer => {
            let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
            let large = attribute.kind == "LargeInteger";
            number.is_some_and(|number| large || (i32::try_from(number).is_ok() && within(number)))
        }
        Syntax::Octets => within(i64::try_from(value.len()).unwrap_or(i64::MAX)),
        Syntax::Dn | Syntax::DnBinary | Syntax::Guid | Syntax::Sid | Syntax::Time => true,
    }
}

/// Whether an attribute holds one value at most, on an entry that SAM watches over or on another
/// ([MS-SAMR] 3.1.1.6).
pub(super) fn is_single(attribute: &AttributeType, is_account: bool) -> bool {
    attribute.single || (is_account && attribute.name == "description")
}
