//! How a Rust type becomes part of the language: one declaration gives the type, its reader and its
//! schema.
//!
//! A type of the language implements [`Read`]. The four macros declare the four shapes it can have:
//!
//! | macro | in TOML | in Rust |
//! | --- | --- | --- |
//! | `table!` | a table with fixed keys | a struct |
//! | `choice!` | a table with exactly one of several keys | an enum |
//! | `words!` | a string out of a list | an enum |
//! | `text!` | a string that follows a rule | a newtype |
//!
//! A reader never stops at the first mistake. It reports to the [`Reader`] and goes on, so that
//! `None` means "reported", and one run shows every mistake.

#[macro_use]
mod macros;
mod reader;

use std::{collections::BTreeMap, fmt, ops::Deref};

use schemars::{Schema, SchemaGenerator, json_schema};
use toml::de::DeValue;

pub(crate) use reader::Reader;

use crate::{Span, mistake::Mistake};

/// A value of the TOML text with its place.
pub(crate) type Value<'a> = toml::Spanned<DeValue<'a>>;

/// A type of the language.
pub(crate) trait Read: Sized {
    /// Reads `value`. `None`: every mistake in it has been reported.
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// What a missing key means; `None` if the key is required.
    fn absent() -> Option<Self> {
        None
    }

    /// The values that `read` takes, as far as a schema can say.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// An enum of which a table holds exactly one key.
pub(crate) trait Choice: Sized {
    /// What is chosen: `action`.
    const WHAT: &'static str;

    /// The keys to choose from.
    const KEYS: &'static [&'static str];

    /// Reads the value of the chosen key.
    fn read_chosen(key: &str, value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self>;

    /// The schema of each key's value.
    fn options(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)>;
}

/// A value of the language with its place in the text, for reports about it.
#[derive(Clone)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place. For a table that has a header or dotted keys: the header or first key.
    pub span: Span,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// Equal values are equal wherever they stand.
impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: Read> Read for Spanned<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(value, reader).map(|read| Self { value: read, span: value.span() })
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Choice> Choice for Spanned<T> {
    const WHAT: &'static str = T::WHAT;
    const KEYS: &'static [&'static str] = T::KEYS;

    fn read_chosen(key: &str, value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let read = T::read_chosen(key, value, reader)?;
        // Of `pool.certificate_sync = {}` the last word is the one to underline.
        let span = match value.get_ref() {
            DeValue::Table(table) if table.len() == 1 => table.iter().next().map(|(k, _)| k.span()),
            _ => None,
        };
        Some(Self { value: read, span: span.unwrap_or_else(|| value.span()) })
    }

    fn options(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
        T::options(generator)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        T::read(value, reader).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Array(array) = value.get_ref() else {
            return reader.wrong_type(value, "a list");
        };
        // Every item is read, also after a mistake.
        let items: Vec<Option<T>> = array.iter().map(|item| T::read(item, reader)).collect();
        items.into_iter().collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let items = T::schema(generator);
        json_schema!({ "type": "array", "items": items })
    }
}

/// A list with at least one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NonEmpty<T>(Vec<T>);

impl<T> NonEmpty<T> {
    /// The items, unless there are none.
    pub fn new(items: Vec<T>) -> Option<Self> {
        (!items.is_empty()).then_some(Self(items))
    }

    /// The first item: of hosts the coordinator.
    pub fn head(&self) -> &T {
        &self.0[0]
    }
}

impl<T> Deref for NonEmpty<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a NonEmpty<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Read> Read for NonEmpty<T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let read = Self::new(Vec::read(value, reader)?);
        if read.is_none() {
            reader.report(value.span(), Mistake::Empty);
        }
        read
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<T>::schema(generator);
        schema.insert("minItems".into(), 1.into());
        schema
    }
}

impl<K: Key, T: Read> Read for BTreeMap<K, T> {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Table(table) = value.get_ref() else {
            return reader.wrong_type(value, "a table");
        };
        let entries: Vec<Option<(K, T)>> = table
            .iter()
            .map(|(key, value)| {
                let name = K::read_key(key.get_ref(), key.span(), reader);
                let value = T::read(value, reader);
                Some((name?, value?))
            })
            .collect();
        entries.into_iter().collect()
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let values = T::schema(generator);
        json_schema!({ "type": "object", "additionalProperties": values })
    }
}

/// What is wrong with a text, and with which part of it.
pub(crate) struct Wrong {
    pub(crate) mistake: Mistake,
    /// A range of bytes of the text; `None`: all of it.
    part: Option<Span>,
}

impl Wrong {
    pub(crate) fn part(part: Span, mistake: Mistake) -> Self {
        Self { mistake, part: Some(part) }
    }

    /// Where that is, if `text` stands at `span`. With escapes in between nobody can tell, and all
    /// of it is underlined.
    pub(crate) fn place(&self, text: &str, span: Span) -> Span {
        /// Lengths of the quotes that TOML has: none, one or three at each end.
        const QUOTES: [usize; 3] = [0, 1, 3];
        let quotes = QUOTES.into_iter().find(|quotes| span.len() == text.len() + 2 * quotes);
        match (&self.part, quotes) {
            (Some(part), Some(quotes)) => {
                let start = span.start + quotes;
                start + part.start..start + part.end
            }
            _ => span,
        }
    }
}

impl From<Mistake> for Wrong {
    fn from(mistake: Mistake) -> Self {
        Self { mistake, part: None }
    }
}

/// A type that can be the key of a map.
pub(crate) trait Key: Ord + Sized {
    fn read_key(text: &str, span: Span, reader: &mut Reader<'_>) -> Option<Self>;
}

impl Key for String {
    fn read_key(text: &str, _: Span, _: &mut Reader<'_>) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Read for bool {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(read) => Some(*read),
            _ => reader.wrong_type(value, "a boolean"),
        }
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

impl Read for u32 {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        let DeValue::Integer(integer) = value.get_ref() else {
            return reader.wrong_type(value, "an integer");
        };
        let read = Self::from_str_radix(integer.as_str(), integer.radix()).ok();
        if read.is_none() {
            reader.report(
                value.span(),
                Mistake::Malformed {
                    what: "number",
                    text: integer.to_string(),
                    rule: "a whole number from 0 to 4294967295".into(),
                },
            );
        }
        read
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
    }
}

impl Read for String {
    fn read(value: &Value<'_>, reader: &mut Reader<'_>) -> Option<Self> {
        reader.string(value).map(str::to_owned)
    }

    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Joins the lines of a doc comment into the sentence that the schema shows.
pub(crate) fn doc(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// The key of a field in TOML: the last of its names.
pub(crate) const fn key(names: &[&'static str]) -> &'static str {
    names[names.len() - 1]
}
