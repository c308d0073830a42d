//! One entry of the directory.

use ground::Secret;
use ldap_wire::Attribute;
use uuid::Uuid;

use crate::{dn::Dn, schema, sid::Sid};

/// An entry: its name, its stored attributes in order, and its password.
///
/// Computed attributes are never stored; see `computed`.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) dn: Dn,
    /// Names are spelled as in the schema, values are in stored form.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) password: Option<Secret>,
    /// The passwords before it, the latest first, as many as the policy remembers.
    pub(crate) old_passwords: Vec<Secret>,
    /// How often the password was set, for `msDS-KeyVersionNumber`.
    pub(crate) password_version: u32,
    /// Whether the entry comes from the built-in skeleton alone.
    pub(crate) built_in: bool,
}

impl Entry {
    pub(crate) fn new(dn: Dn) -> Self {
        Self {
            dn,
            attributes: Vec::new(),
            password: None,
            old_passwords: Vec::new(),
            password_version: 2,
            built_in: false,
        }
    }

    /// The stored values of an attribute, in any letter case; none if it is absent.
    pub(crate) fn values(&self, name: &str) -> &[Vec<u8>] {
        self.attribute(name).map_or(&[], |attribute| &attribute.values)
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }

    /// The first value as text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values(name).first().and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The first value as a number.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.text(name)?.trim().parse().ok()
    }

    pub(crate) fn sid(&self) -> Option<Sid> {
        Sid::from_bytes(self.values("objectSid").first()?).ok()
    }

    pub(crate) fn guid(&self) -> Option<Uuid> {
        Uuid::from_slice_le(self.values("objectGUID").first()?).ok()
    }

    pub(crate) fn is_a(&self, class: &str) -> bool {
        self.values("objectClass").iter().any(|value| value.eq_ignore_ascii_case(class.as_bytes()))
    }

    /// Puts the values in place of what is there; no values remove the attribute.
    pub(crate) fn set<V: Into<Vec<u8>>>(
        &mut self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) {
        let values: Vec<Vec<u8>> = values.into_iter().map(Into::into).collect();
        let place = self.attributes.iter().position(|known| known.name.eq_ignore_ascii_case(name));
        match (place, values.is_empty()) {
            (Some(place), true) => {
                self.attributes.remove(place);
            }
            (Some(place), false) => self.attributes[place].values = values,
            (None, true) => {}
            (None, false) => {
                self.attributes.push(Attribute::new(schema::spelling(name), values));
            }
        }
    }

    /// [`Entry::set`], unless there is a value.
    pub(crate) fn set_default(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        if !self.has(name) {
            self.set(name, [value]);
        }
    }
}
